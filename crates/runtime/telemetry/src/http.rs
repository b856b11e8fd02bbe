//! HTTP requests: those that are served, those that the app gets, and probes of the app's health.

use std::{sync::Arc, time::Duration};

use http::{Method, StatusCode};
use outrigger_base_telemetry::metrics::{
    Counter, Family, Histogram, RegisterError, Registry, SIZE_BUCKETS_BYTES,
};
use outrigger_wire_names::metrics as names;

use crate::{Labels, table::Table};

/// A request that has been answered.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its path, as it came.
    pub path: &'a str,
    /// What was answered.
    pub status: StatusCode,
    /// How long that took.
    pub elapsed: Duration,
    /// Bytes of the request's body, where they are known.
    pub sent: u64,
    /// Bytes of the answer's body, where they are known.
    pub received: u64,
}

/// The HTTP metrics of a runtime.
#[derive(Debug)]
pub struct HttpMetrics {
    app_id: Arc<str>,
    labels: Labels,
    served: Served,
    called: Called,
    probes: Family<Counter, 2>,
    probe_latency: Family<Histogram, 2>,
}

/// What is counted of requests that are served.
#[derive(Debug)]
struct Served {
    count: Family<Counter, 4>,
    latency: Family<Histogram, 4>,
    /// The older counter, where paths are labels.
    responses: Option<Family<Counter, 4>>,
    request_bytes: Arc<Histogram>,
    response_bytes: Arc<Histogram>,
    known: Table<(Method, StatusCode), ServedHandles>,
}

#[derive(Debug)]
struct ServedHandles {
    count: Arc<Counter>,
    latency: Arc<Histogram>,
    responses: Option<Arc<Counter>>,
}

/// What is counted of calls of the app.
#[derive(Debug)]
struct Called {
    count: Family<Counter, 4>,
    latency: Family<Histogram, 4>,
    sent_bytes: Family<Histogram, 4>,
    received_bytes: Arc<Histogram>,
    known: Table<(Method, StatusCode), CalledHandles>,
}

#[derive(Debug)]
struct CalledHandles {
    count: Arc<Counter>,
    latency: Arc<Histogram>,
    sent_bytes: Arc<Histogram>,
}

impl HttpMetrics {
    pub(crate) fn new(registry: &Registry, app_id: Arc<str>, labels: Labels) -> Result<Self, RegisterError> {
        Ok(Self {
            served: Served::new(registry, &app_id, labels.has_full_paths())?,
            called: Called::new(registry, &app_id)?,
            probes: registry.counter_family(
                names::HTTP_PROBES_COMPLETED_COUNT,
                "Count of completed health probes.",
                names::PROBE_LABELS,
            )?,
            probe_latency: registry.latency_family(
                names::HTTP_PROBES_ROUNDTRIP_LATENCY,
                "Latency of health probes in ms.",
                names::PROBE_LABELS,
            )?,
            app_id,
            labels,
        })
    }

    /// Counts a request that was served.
    pub fn served(&self, exchange: Exchange<'_>) {
        let Exchange {
            method, path, status, ..
        } = exchange;
        let served = &self.served;
        let handles = served.known.get(path, &(method.clone(), status), || {
            let (path, method) = (self.labels.path(path), self.labels.method(method));
            let labels = [&*self.app_id, method, &*path, status.as_str()];
            ServedHandles {
                count: served.count.with(labels),
                latency: served.latency.with(labels),
                responses: served.responses.as_ref().map(|family| family.with(labels)),
            }
        });
        handles.count.inc();
        handles.latency.observe_ms(exchange.elapsed);
        if let Some(responses) = &handles.responses {
            responses.inc();
        }
        served.request_bytes.observe(exchange.sent as f64);
        served.response_bytes.observe(exchange.received as f64);
    }

    /// Counts a call of the app.
    pub fn called(&self, exchange: Exchange<'_>) {
        let Exchange {
            method, path, status, ..
        } = exchange;
        let called = &self.called;
        let handles = called.known.get(path, &(method.clone(), status), || {
            let (path, method) = (self.labels.path(path), self.labels.method(method));
            let labels = [&*self.app_id, method, &*path, status.as_str()];
            CalledHandles {
                count: called.count.with(labels),
                latency: called.latency.with(labels),
                // A request has bytes before it has a status.
                sent_bytes: called.sent_bytes.with([&*self.app_id, method, &*path, ""]),
            }
        });
        handles.count.inc();
        handles.latency.observe_ms(exchange.elapsed);
        handles.sent_bytes.observe(exchange.sent as f64);
        called.received_bytes.observe(exchange.received as f64);
    }

    /// Counts a probe of the app's health.
    pub fn probed(&self, status: StatusCode, elapsed: Duration) {
        let labels = [&*self.app_id, status.as_str()];
        self.probes.with(labels).inc();
        self.probe_latency.with(labels).observe_ms(elapsed);
    }
}

impl Served {
    fn new(registry: &Registry, app_id: &str, with_responses: bool) -> Result<Self, RegisterError> {
        let labels = names::HTTP_LABELS;
        let bytes = |name, help| {
            let family = registry.histogram_family(name, help, names::APP_LABELS, SIZE_BUCKETS_BYTES)?;
            Ok::<_, RegisterError>(family.with([app_id]))
        };
        let responses = || {
            let help = "The number of HTTP responses.";
            registry.counter_family(names::HTTP_SERVER_RESPONSE_COUNT, help, labels)
        };
        Ok(Self {
            count: registry.counter_family(
                names::HTTP_SERVER_REQUEST_COUNT,
                "Count of HTTP requests processed by the server.",
                labels,
            )?,
            latency: registry.latency_family(
                names::HTTP_SERVER_LATENCY,
                "HTTP request end-to-end latency in server, in ms.",
                labels,
            )?,
            responses: with_responses.then(responses).transpose()?,
            request_bytes: bytes(names::HTTP_SERVER_REQUEST_BYTES, "Bytes of request bodies.")?,
            response_bytes: bytes(names::HTTP_SERVER_RESPONSE_BYTES, "Bytes of response bodies.")?,
            known: Table::default(),
        })
    }
}

impl Called {
    fn new(registry: &Registry, app_id: &str) -> Result<Self, RegisterError> {
        let labels = names::HTTP_LABELS;
        Ok(Self {
            count: registry.counter_family(
                names::HTTP_CLIENT_COMPLETED_COUNT,
                "Count of completed calls of the app.",
                labels,
            )?,
            latency: registry.latency_family(
                names::HTTP_CLIENT_ROUNDTRIP_LATENCY,
                "Time until the app's answer began, in ms.",
                labels,
            )?,
            sent_bytes: registry.histogram_family(
                names::HTTP_CLIENT_SENT_BYTES,
                "Bytes of request bodies sent to the app.",
                labels,
                SIZE_BUCKETS_BYTES,
            )?,
            received_bytes: registry
                .histogram_family(
                    names::HTTP_CLIENT_RECEIVED_BYTES,
                    "Bytes of the app's response bodies.",
                    names::APP_LABELS,
                    SIZE_BUCKETS_BYTES,
                )?
                .with([app_id]),
            known: Table::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use outrigger_resource_manifest::configuration::MetricsHttp;

    use super::*;

    fn rendered(configured: &MetricsHttp, paths: &[&str]) -> String {
        let registry = Registry::new();
        let metrics = HttpMetrics::new(&registry, "app".into(), Labels::new(configured)).unwrap();
        for path in paths {
            let exchange = Exchange {
                method: &Method::GET,
                path,
                status: StatusCode::OK,
                elapsed: Duration::from_millis(3),
                sent: 10,
                received: 20,
            };
            metrics.served(exchange);
            metrics.called(exchange);
        }
        metrics.probed(StatusCode::SERVICE_UNAVAILABLE, Duration::from_millis(1));
        registry.render()
    }

    #[test]
    fn requests_count_under_method_path_and_status() {
        let text = rendered(&MetricsHttp::default(), &["/v1.0/state/s/a", "/v1.0/state/s/b"]);
        for line in [
            "dapr_http_server_request_count{app_id=\"app\",method=\"GET\",path=\"/v1.0/state/s\",status=\"200\"} 2\n",
            "dapr_http_server_response_count{app_id=\"app\",method=\"GET\",path=\"/v1.0/state/s\",status=\"200\"} 2\n",
            "dapr_http_server_latency_count{app_id=\"app\",method=\"GET\",path=\"/v1.0/state/s\",status=\"200\"} 2\n",
            "dapr_http_server_request_bytes_sum{app_id=\"app\"} 20\n",
            "dapr_http_server_response_bytes_sum{app_id=\"app\"} 40\n",
            "dapr_http_client_completed_count{app_id=\"app\",method=\"GET\",path=\"/v1.0/state/s\",status=\"200\"} 2\n",
            "dapr_http_client_sent_bytes_sum{app_id=\"app\",method=\"GET\",path=\"/v1.0/state/s\",status=\"\"} 20\n",
            "dapr_http_client_received_bytes_sum{app_id=\"app\"} 40\n",
            "dapr_http_healthprobes_completed_count{app_id=\"app\",status=\"503\"} 1\n",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn without_paths_the_older_counter_is_not_kept() {
        let configured = MetricsHttp {
            increased_cardinality: Some(false),
            exclude_verbs: true,
            ..MetricsHttp::default()
        };
        let text = rendered(&configured, &["/a", "/b"]);
        let line = "dapr_http_server_request_count{app_id=\"app\",method=\"\",path=\"\",status=\"200\"} 2\n";
        assert!(text.contains(line), "{text}");
        assert!(!text.contains("dapr_http_server_response_count"), "{text}");
    }
}
