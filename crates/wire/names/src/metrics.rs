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
/// HTTP requests served.
pub const HTTP_SERVER_REQUEST_COUNT: &str = "dapr_http_server_request_count";
/// Their latency.
pub const HTTP_SERVER_LATENCY: &str = "dapr_http_server_latency";
/// Components opened.
pub const COMPONENT_LOADED: &str = "dapr_runtime_component_loaded";
/// Components whose opening was begun.
pub const COMPONENT_INIT_TOTAL: &str = "dapr_runtime_component_init_total";
/// Components that did not open.
pub const COMPONENT_INIT_FAIL_TOTAL: &str = "dapr_runtime_component_init_fail_total";
/// Errors answered, by code.
pub const ERROR_CODE_TOTAL: &str = "dapr_error_code_total";
