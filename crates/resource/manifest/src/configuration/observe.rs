//! What the runtime tells of itself: `spec.tracing`, `spec.metrics`, `spec.logging`.

use std::{collections::BTreeMap, time::Duration};

use crate::NameValue;

/// The share of traces kept when no file says: one in ten thousand, as in Dapr.
pub const DEFAULT_SAMPLING_RATE: f64 = 1e-4;

/// `spec.tracing`
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tracing {
    /// The share of traces kept, as decimal text from `0` to `1`; empty when not given.
    pub sampling_rate: String,
    /// Whether spans are printed.
    pub stdout: bool,
    /// Where Zipkin takes spans (`POST`, JSON v2); `None` is no such exporter.
    pub zipkin_endpoint: Option<String>,
    /// The OTLP exporter's settings; without an endpoint it is off.
    pub otel: Otel,
}

impl Tracing {
    /// The sampling rate as a number from 0 (off) to 1. Text that is no number counts as not given; the reader warns.
    pub fn rate(&self) -> f64 {
        self.sampling_rate
            .parse()
            .ok()
            .filter(|rate: &f64| rate.is_finite())
            .map_or(DEFAULT_SAMPLING_RATE, |rate| rate.clamp(0.0, 1.0))
    }
}

/// `spec.tracing.otel`
#[derive(Debug, Clone, PartialEq)]
pub struct Otel {
    /// How spans are sent; `None` when not given.
    pub protocol: Option<OtelProtocol>,
    /// `host:port` of the collector; empty is no such exporter.
    pub endpoint_address: String,
    /// Whether the connection is encrypted. On unless a file says otherwise.
    pub is_secure: bool,
    /// Headers added to every export.
    pub headers: Vec<NameValue>,
    /// The longest time of one export; `None` is the exporter's default.
    pub timeout: Option<Duration>,
}

impl Default for Otel {
    fn default() -> Self {
        Self {
            protocol: None,
            endpoint_address: String::new(),
            is_secure: true,
            headers: Vec::new(),
            timeout: None,
        }
    }
}

/// How spans are sent to a collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtelProtocol {
    /// OTLP over HTTP.
    Http,
    /// OTLP over gRPC.
    Grpc,
}

/// `spec.metric` with `spec.metrics` laid over it, field by field.
#[derive(Debug, Clone, PartialEq)]
pub struct Metrics {
    /// Whether metrics are recorded. On unless a file says otherwise; the command line has a say too.
    pub enabled: bool,
    /// Whether error codes are counted.
    pub record_error_codes: bool,
    /// The HTTP server's metrics.
    pub http: MetricsHttp,
    /// Rewriting of label values.
    pub rules: Vec<MetricRule>,
    /// Upper bounds of the latency histograms in milliseconds; empty is the default set.
    pub latency_distribution_buckets: Vec<i64>,
    /// The workflow metrics.
    pub workflow: WorkflowMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            enabled: true,
            record_error_codes: false,
            http: MetricsHttp::default(),
            rules: Vec::new(),
            latency_distribution_buckets: Vec::new(),
            workflow: WorkflowMetrics::default(),
        }
    }
}

/// `spec.metrics.http`
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricsHttp {
    /// Whether paths are labels; `None` when no file says (the default of this version is on).
    pub increased_cardinality: Option<bool>,
    /// Patterns that paths are counted under.
    pub path_matching: Vec<String>,
    /// Whether the method label is left out.
    pub exclude_verbs: bool,
}

/// `spec.metrics.rules[]`
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricRule {
    /// The metric's name.
    pub name: String,
    /// The labels it rewrites.
    pub labels: Vec<MetricLabel>,
}

/// `spec.metrics.rules[].labels[]`
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricLabel {
    /// The label's name.
    pub name: String,
    /// Replacement text to regular expression.
    pub regex: BTreeMap<String, String>,
}

/// `spec.metrics.workflow`
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WorkflowMetrics {
    /// Upper bounds of the workflow latency histograms, in `latency_distribution_units`; empty is the shared set.
    pub latency_distribution_buckets: Vec<i64>,
    /// The unit of the bounds; `None` is the millisecond.
    pub latency_distribution_units: Option<Duration>,
}

/// `spec.logging.apiLogging`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiLogging {
    /// Whether API calls are logged; the command line has a say too.
    pub enabled: bool,
    /// Whether the route is logged in place of the path.
    pub obfuscate_urls: bool,
    /// Whether health checks are left out.
    pub omit_health_checks: bool,
}
