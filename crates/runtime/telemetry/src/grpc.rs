//! gRPC calls: those that are served, those that the app gets, and probes of the app's health.

use std::{sync::Arc, time::Duration};

use outrigger_base_telemetry::metrics::{
    Counter, Family, Histogram, RegisterError, Registry, SIZE_BUCKETS_BYTES,
};
use outrigger_wire_names::metrics as names;

use crate::table::Table;

/// Names of the status codes, from 0, as Go writes them.
const STATUS_NAMES: [&str; 17] = [
    "OK",
    "Canceled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
];

/// The index of what counts as unknown.
const UNKNOWN: usize = 2;

/// The name of a status code; one that gRPC does not know counts as unknown.
pub fn status_name(code: i32) -> &'static str {
    STATUS_NAMES[known_code(code)]
}

/// The index of a status code among the names. An app may answer any number.
fn known_code(code: i32) -> usize {
    let known = usize::try_from(code).ok();
    known.filter(|code| *code < STATUS_NAMES.len()).unwrap_or(UNKNOWN)
}

/// The gRPC metrics of a runtime.
#[derive(Debug)]
pub struct GrpcMetrics {
    app_id: Arc<str>,
    server: Side,
    client: Side,
    probes: Family<Counter, 2>,
    probe_latency: Family<Histogram, 2>,
}

/// One direction of calls.
#[derive(Debug)]
struct Side {
    completed: Family<Counter, 3>,
    latency: Family<Histogram, 3>,
    request_bytes: Family<Histogram, 2>,
    response_bytes: Family<Histogram, 2>,
    /// By known code, and by whether bytes are counted.
    known: Table<(usize, bool), Handles>,
}

/// The series of calls of one kind.
#[derive(Debug)]
struct Handles {
    completed: Arc<Counter>,
    latency: Arc<Histogram>,
    /// Of the request and of the response.
    bytes: Option<[Arc<Histogram>; 2]>,
}

impl GrpcMetrics {
    pub(crate) fn new(registry: &Registry, app_id: Arc<str>) -> Result<Self, RegisterError> {
        let server = [
            names::GRPC_SERVER_COMPLETED,
            names::GRPC_SERVER_LATENCY,
            names::GRPC_SERVER_RECEIVED_BYTES,
            names::GRPC_SERVER_SENT_BYTES,
        ];
        let client = [
            names::GRPC_CLIENT_COMPLETED,
            names::GRPC_CLIENT_ROUNDTRIP_LATENCY,
            names::GRPC_CLIENT_SENT_BYTES,
            names::GRPC_CLIENT_RECEIVED_BYTES,
        ];
        let (server_labels, server_methods) = (names::GRPC_SERVER_LABELS, names::GRPC_SERVER_METHOD_LABELS);
        let (client_labels, client_methods) = (names::GRPC_CLIENT_LABELS, names::GRPC_CLIENT_METHOD_LABELS);
        Ok(Self {
            server: Side::new(registry, server, server_labels, server_methods)?,
            client: Side::new(registry, client, client_labels, client_methods)?,
            probes: registry.counter_family(
                names::GRPC_PROBES_COMPLETED_COUNT,
                "Count of completed health probes.",
                names::GRPC_PROBE_LABELS,
            )?,
            probe_latency: registry.latency_family(
                names::GRPC_PROBES_ROUNDTRIP_LATENCY,
                "Latency of health probes in ms.",
                names::GRPC_PROBE_LABELS,
            )?,
            app_id,
        })
    }

    /// Counts a call that was served. `method` is its path, `bytes` those of its messages, in and out; `None` for calls
    /// that are passed through.
    pub fn served(&self, method: &str, code: i32, elapsed: Duration, bytes: Option<[u64; 2]>) {
        self.server.record(&self.app_id, method, code, elapsed, bytes);
    }

    /// Counts a call of the app, or one of a peer that is passed through to it.
    pub fn called(&self, method: &str, code: i32, elapsed: Duration, bytes: Option<[u64; 2]>) {
        self.client.record(&self.app_id, method, code, elapsed, bytes);
    }

    /// Counts a probe of the app's health.
    pub fn probed(&self, code: i32, elapsed: Duration) {
        let labels = [&*self.app_id, status_name(code)];
        self.probes.with(labels).inc();
        self.probe_latency.with(labels).observe_ms(elapsed);
    }
}

impl Side {
    fn new(
        registry: &Registry,
        [completed, latency, request, response]: [&str; 4],
        labels: [&'static str; 3],
        methods: [&'static str; 2],
    ) -> Result<Self, RegisterError> {
        let bytes = |name, help| registry.histogram_family(name, help, methods, SIZE_BUCKETS_BYTES);
        Ok(Self {
            completed: registry.counter_family(completed, "Count of calls by method and status.", labels)?,
            latency: registry.latency_family(
                latency,
                "Time from a call to the end of its answer, in ms.",
                labels,
            )?,
            request_bytes: bytes(request, "Bytes of all request messages of a call.")?,
            response_bytes: bytes(response, "Bytes of all response messages of a call.")?,
            known: Table::default(),
        })
    }

    fn record(&self, app_id: &str, method: &str, code: i32, elapsed: Duration, bytes: Option<[u64; 2]>) {
        let code = known_code(code);
        let handles = self.known.get(method, &(code, bytes.is_some()), || {
            let labels = [app_id, method, STATUS_NAMES[code]];
            let of_bytes =
                || [&self.request_bytes, &self.response_bytes].map(|family| family.with([app_id, method]));
            Handles {
                completed: self.completed.with(labels),
                latency: self.latency.with(labels),
                bytes: bytes.is_some().then(of_bytes),
            }
        });
        handles.completed.inc();
        handles.latency.observe_ms(elapsed);
        for (histogram, bytes) in handles.bytes.iter().flatten().zip(bytes.into_iter().flatten()) {
            histogram.observe(bytes as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_count_under_method_and_status() {
        let registry = Registry::new();
        let metrics = GrpcMetrics::new(&registry, "app".into()).unwrap();
        metrics.served("/a.B/C", 0, Duration::from_millis(1), Some([10, 20]));
        metrics.served("/a.B/C", 0, Duration::from_millis(1), Some([1, 2]));
        metrics.served("/a.B/C", 5, Duration::from_millis(1), Some([3, 0]));
        metrics.called("/a.B/D", 5, Duration::from_millis(1), None);
        metrics.probed(12, Duration::from_millis(1));
        let text = registry.render();
        for line in [
            "dapr_grpc_io_server_completed_rpcs{app_id=\"app\",grpc_server_method=\"/a.B/C\",grpc_server_status=\"OK\"} 2\n",
            "dapr_grpc_io_server_completed_rpcs{app_id=\"app\",grpc_server_method=\"/a.B/C\",grpc_server_status=\"NotFound\"} 1\n",
            "dapr_grpc_io_server_server_latency_count{app_id=\"app\",grpc_server_method=\"/a.B/C\",grpc_server_status=\"OK\"} 2\n",
            "dapr_grpc_io_server_received_bytes_per_rpc_sum{app_id=\"app\",grpc_server_method=\"/a.B/C\"} 14\n",
            "dapr_grpc_io_server_sent_bytes_per_rpc_sum{app_id=\"app\",grpc_server_method=\"/a.B/C\"} 22\n",
            "dapr_grpc_io_client_completed_rpcs{app_id=\"app\",grpc_client_method=\"/a.B/D\",grpc_client_status=\"NotFound\"} 1\n",
            "dapr_grpc_io_healthprobes_completed_count{app_id=\"app\",grpc_client_status=\"Unimplemented\"} 1\n",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
        assert!(!text.contains("client_sent_bytes_per_rpc"), "{text}");
    }

    #[test]
    fn a_code_out_of_range_is_unknown() {
        assert_eq!(
            [status_name(0), status_name(16), status_name(17), status_name(-1)],
            ["OK", "Unauthenticated", "Unknown", "Unknown"]
        );
    }

    #[test]
    fn all_codes_out_of_range_are_remembered_as_one() {
        let registry = Registry::new();
        let metrics = GrpcMetrics::new(&registry, "app".into()).unwrap();
        for code in [2, 17, 18, -1, i32::MIN, i32::MAX] {
            metrics.called("/a.B/C", code, Duration::from_millis(1), None);
        }
        assert_eq!(metrics.client.known.kinds("/a.B/C"), 1);
        let line = "dapr_grpc_io_client_completed_rpcs{app_id=\"app\",grpc_client_method=\"/a.B/C\",grpc_client_status=\"Unknown\"} 6\n";
        let text = registry.render();
        assert!(text.contains(line), "{text}");
    }
}
