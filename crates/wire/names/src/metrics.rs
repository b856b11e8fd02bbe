//! Metric names and labels (dapr-runtime.md §6.3), with the prefix that all have.

/// Labels of component calls.
pub const COMPONENT_LABELS: [&str; 5] = ["app_id", "component", "namespace", "operation", "success"];
/// Labels of what leaves for a broker.
pub const EGRESS_LABELS: [&str; 5] = ["app_id", "component", "namespace", "success", "topic"];
/// Labels of what comes from a broker.
pub const INGRESS_LABELS: [&str; 6] = [
    "app_id",
    "component",
    "namespace",
    "process_status",
    "status",
    "topic",
];
/// Labels of what comes from a broker in bulk.
pub const INGRESS_BULK_LABELS: [&str; 5] = ["app_id", "component", "namespace", "process_status", "topic"];
/// Labels of HTTP exchanges.
pub const HTTP_LABELS: [&str; 4] = ["app_id", "method", "path", "status"];

/// Calls of state stores.
pub const STATE_COUNT: &str = "dapr_component_state_count";
/// Their latency.
pub const STATE_LATENCIES: &str = "dapr_component_state_latencies";
/// Calls of secret stores.
pub const SECRET_COUNT: &str = "dapr_component_secret_count";
/// Their latency.
pub const SECRET_LATENCIES: &str = "dapr_component_secret_latencies";
/// Messages published.
pub const EGRESS_COUNT: &str = "dapr_component_pubsub_egress_count";
/// Latency of publishing.
pub const EGRESS_LATENCIES: &str = "dapr_component_pubsub_egress_latencies";
/// Bulk publish calls.
pub const EGRESS_BULK_COUNT: &str = "dapr_component_pubsub_egress_bulk_count";
/// Messages published in bulk.
pub const EGRESS_BULK_EVENT_COUNT: &str = "dapr_component_pubsub_egress_bulk_event_count";
/// Latency of bulk publishing.
pub const EGRESS_BULK_LATENCIES: &str = "dapr_component_pubsub_egress_bulk_latencies";
/// Messages delivered.
pub const INGRESS_COUNT: &str = "dapr_component_pubsub_ingress_count";
/// Latency of delivery.
pub const INGRESS_LATENCIES: &str = "dapr_component_pubsub_ingress_latencies";
/// Bulk deliveries.
pub const INGRESS_BULK_COUNT: &str = "dapr_component_pubsub_ingress_bulk_count";
/// Messages delivered in bulk.
pub const INGRESS_BULK_EVENT_COUNT: &str = "dapr_component_pubsub_ingress_bulk_event_count";
/// Latency of bulk delivery.
pub const INGRESS_BULK_LATENCIES: &str = "dapr_component_pubsub_ingress_bulk_latencies";
/// Labels of what is counted for an app as a whole.
pub const APP_LABELS: [&str; 1] = ["app_id"];
/// Labels of health probes of HTTP apps.
pub const PROBE_LABELS: [&str; 2] = ["app_id", "status"];
/// Labels of bytes of gRPC calls served.
pub const GRPC_SERVER_METHOD_LABELS: [&str; 2] = ["app_id", "grpc_server_method"];
/// Labels of gRPC calls served.
pub const GRPC_SERVER_LABELS: [&str; 3] = ["app_id", "grpc_server_method", "grpc_server_status"];
/// Labels of bytes of gRPC calls made.
pub const GRPC_CLIENT_METHOD_LABELS: [&str; 2] = ["app_id", "grpc_client_method"];
/// Labels of gRPC calls made.
pub const GRPC_CLIENT_LABELS: [&str; 3] = ["app_id", "grpc_client_method", "grpc_client_status"];
/// Labels of health probes of gRPC apps.
pub const GRPC_PROBE_LABELS: [&str; 2] = ["app_id", "grpc_client_status"];
/// Labels of error codes.
pub const ERROR_LABELS: [&str; 3] = ["app_id", "category", "error_code"];

/// HTTP requests served.
pub const HTTP_SERVER_REQUEST_COUNT: &str = "dapr_http_server_request_count";
/// The same, under an older name.
pub const HTTP_SERVER_RESPONSE_COUNT: &str = "dapr_http_server_response_count";
/// Their latency.
pub const HTTP_SERVER_LATENCY: &str = "dapr_http_server_latency";
/// Bytes of their bodies.
pub const HTTP_SERVER_REQUEST_BYTES: &str = "dapr_http_server_request_bytes";
/// Bytes of the answers.
pub const HTTP_SERVER_RESPONSE_BYTES: &str = "dapr_http_server_response_bytes";
/// HTTP calls of the app.
pub const HTTP_CLIENT_COMPLETED_COUNT: &str = "dapr_http_client_completed_count";
/// Their latency.
pub const HTTP_CLIENT_ROUNDTRIP_LATENCY: &str = "dapr_http_client_roundtrip_latency";
/// Bytes of their bodies.
pub const HTTP_CLIENT_SENT_BYTES: &str = "dapr_http_client_sent_bytes";
/// Bytes of the app's answers.
pub const HTTP_CLIENT_RECEIVED_BYTES: &str = "dapr_http_client_received_bytes";
/// Health probes of an HTTP app.
pub const HTTP_PROBES_COMPLETED_COUNT: &str = "dapr_http_healthprobes_completed_count";
/// Their latency.
pub const HTTP_PROBES_ROUNDTRIP_LATENCY: &str = "dapr_http_healthprobes_roundtrip_latency";
/// gRPC calls served.
pub const GRPC_SERVER_COMPLETED: &str = "dapr_grpc_io_server_completed_rpcs";
/// Their latency.
pub const GRPC_SERVER_LATENCY: &str = "dapr_grpc_io_server_server_latency";
/// Bytes of their requests.
pub const GRPC_SERVER_RECEIVED_BYTES: &str = "dapr_grpc_io_server_received_bytes_per_rpc";
/// Bytes of the answers.
pub const GRPC_SERVER_SENT_BYTES: &str = "dapr_grpc_io_server_sent_bytes_per_rpc";
/// gRPC calls of the app.
pub const GRPC_CLIENT_COMPLETED: &str = "dapr_grpc_io_client_completed_rpcs";
/// Their latency.
pub const GRPC_CLIENT_ROUNDTRIP_LATENCY: &str = "dapr_grpc_io_client_roundtrip_latency";
/// Bytes of their requests.
pub const GRPC_CLIENT_SENT_BYTES: &str = "dapr_grpc_io_client_sent_bytes_per_rpc";
/// Bytes of the app's answers.
pub const GRPC_CLIENT_RECEIVED_BYTES: &str = "dapr_grpc_io_client_received_bytes_per_rpc";
/// Health probes of a gRPC app.
pub const GRPC_PROBES_COMPLETED_COUNT: &str = "dapr_grpc_io_healthprobes_completed_count";
/// Their latency.
pub const GRPC_PROBES_ROUNDTRIP_LATENCY: &str = "dapr_grpc_io_healthprobes_roundtrip_latency";
/// Prefix of all names.
pub const PREFIX: &str = "dapr_";
/// Labels of components opened.
pub const COMPONENT_INIT_LABELS: [&str; 2] = ["app_id", "component"];
/// Labels of components that did not open.
pub const COMPONENT_INIT_FAIL_LABELS: [&str; 4] = ["app_id", "component", "componentName", "reason"];
/// Reason of a component that there is no way to open.
pub const REASON_CREATION: &str = "creation";
/// Reason of a component that did not open.
pub const REASON_INIT: &str = "init";
/// Components opened.
pub const COMPONENT_INIT_TOTAL: &str = "dapr_runtime_component_init_total";
/// Components that did not open, and were passed over.
pub const COMPONENT_INIT_FAIL_TOTAL: &str = "dapr_runtime_component_init_fail_total";
/// Errors answered, by code.
pub const ERROR_CODE_TOTAL: &str = "dapr_error_code_total";
