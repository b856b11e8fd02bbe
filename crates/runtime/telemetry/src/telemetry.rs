//! Everything that is counted of requests, in one place.

use std::sync::Arc;

use outrigger_base_telemetry::metrics::{RegisterError, Registry};
use outrigger_resource_manifest::configuration::Metrics as Configured;
use outrigger_wire_names::errors::ErrorCode;

use crate::{ErrorCodes, GrpcMetrics, HttpMetrics, Labels, Rules};

/// What a runtime counts of its requests. Nothing where metrics are off.
#[derive(Debug, Default)]
pub struct Telemetry {
    /// HTTP requests.
    pub http: Option<HttpMetrics>,
    /// gRPC calls.
    pub grpc: Option<GrpcMetrics>,
    errors: Option<ErrorCodes>,
}

impl Telemetry {
    /// Counts nothing.
    pub fn off() -> Arc<Self> {
        Arc::default()
    }

    /// What `configured` asks for, registered in `registry`.
    ///
    /// # Errors
    /// When one of the metrics is registered already.
    pub fn new(
        registry: &Registry,
        app_id: &Arc<str>,
        configured: &Configured,
    ) -> Result<Arc<Self>, RegisterError> {
        if !configured.enabled {
            return Ok(Self::off());
        }
        let labels = Labels::new(&configured.http);
        Ok(Arc::new(Self {
            http: Some(HttpMetrics::new(registry, app_id.clone(), labels)?),
            grpc: Some(GrpcMetrics::new(registry, app_id.clone())?),
            errors: match configured.record_error_codes {
                true => Some(ErrorCodes::new(registry, app_id.clone())?),
                false => None,
            },
        }))
    }

    /// Counts an error that was answered.
    pub fn error(&self, code: ErrorCode) {
        if let Some(errors) = &self.errors {
            errors.count(code);
        }
    }
}

/// A registry with the label rules and the latency buckets that `configured` asks for.
pub fn registry(configured: &Configured) -> Registry {
    let mut registry = Registry::new();
    if let Some(rules) = Rules::new(&configured.rules) {
        registry = registry.with_rewrite(Arc::new(rules));
    }
    let mut bounds: Vec<f64> = configured
        .latency_distribution_buckets
        .iter()
        .map(|bound| *bound as f64)
        .collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    if !bounds.is_empty() {
        registry = registry.with_latency_buckets(&bounds);
    }
    registry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configured_buckets_are_those_of_latencies() {
        let configured = Configured {
            latency_distribution_buckets: vec![500, 5, 5],
            ..Configured::default()
        };
        let registry = registry(&configured);
        let latency = registry.latency_family("x", "x", ["l"]).unwrap();
        latency.with(["a"]).observe(6.0);
        let text = registry.render();
        assert!(text.contains("x_bucket{l=\"a\",le=\"5\"} 0\n"), "{text}");
        assert!(text.contains("x_bucket{l=\"a\",le=\"500\"} 1\n"), "{text}");
        assert_eq!(text.matches("x_bucket").count(), 3);
    }

    #[test]
    fn error_codes_are_counted_where_that_is_asked_for() {
        let code = ErrorCode {
            name: "ERR_X",
            category: "state",
        };
        for record in [true, false] {
            let configured = Configured {
                record_error_codes: record,
                ..Configured::default()
            };
            let registry = registry(&configured);
            let telemetry = Telemetry::new(&registry, &"app".into(), &configured).unwrap();
            telemetry.error(code);
            let line = "dapr_error_code_total{app_id=\"app\",category=\"state\",error_code=\"ERR_X\"} 1\n";
            assert_eq!(registry.render().contains(line), record);
        }
    }

    #[test]
    fn nothing_is_registered_where_metrics_are_off() {
        let configured = Configured {
            enabled: false,
            ..Configured::default()
        };
        let registry = registry(&configured);
        let telemetry = Telemetry::new(&registry, &"app".into(), &configured).unwrap();
        assert!(telemetry.http.is_none() && telemetry.grpc.is_none());
    }
}
