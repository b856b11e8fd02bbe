//! Reads what the runtime tells of itself: `spec.tracing`, `spec.metric(s)`, `spec.logging`.

use super::{
    common,
    field::{Field, Object},
};
use crate::{
    NameValue, ValueSource,
    configuration::{
        ApiLogging, MetricLabel, MetricRule, Metrics, MetricsHttp, Otel, OtelProtocol, Tracing,
        WorkflowMetrics,
    },
    problem::Issue,
};

pub(super) fn tracing(field: &Field<'_>) -> Tracing {
    let object = field.object(&["samplingRate", "stdout", "zipkin", "otel"]);
    let rate = object.get("samplingRate");
    let sampling_rate = rate.text_or_empty();
    if !sampling_rate.is_empty() && !sampling_rate.parse::<f64>().is_ok_and(f64::is_finite) {
        rate.ignore("a decimal number from 0 to 1");
    }
    let zipkin = object.get("zipkin").object(&["endpointAddress"]);
    Tracing {
        sampling_rate,
        stdout: object.get("stdout").flag(),
        zipkin_endpoint: zipkin.get("endpointAddress").some_text(),
        otel: otel(&object.get("otel")),
    }
}

fn otel(field: &Field<'_>) -> Otel {
    let object = field.object(&["protocol", "endpointAddress", "isSecure", "headers", "timeout"]);
    let protocol = object.get("protocol");
    Otel {
        protocol: match protocol.some_text().as_deref() {
            None => None,
            Some("http") => Some(OtelProtocol::Http),
            Some("grpc") => Some(OtelProtocol::Grpc),
            Some(_) => {
                protocol.fail("http or grpc");
                None
            }
        },
        endpoint_address: object.get("endpointAddress").text_or_empty(),
        is_secure: object.get("isSecure").bool().unwrap_or(true),
        headers: object.get("headers").list().iter().filter_map(header).collect(),
        timeout: object.get("timeout").duration(),
    }
}

/// A header: `name=value` in one text, as files have it, or the value form, as resources have it.
fn header(field: &Field<'_>) -> Option<NameValue> {
    if field.node().is_some_and(|node| node.entries().is_some()) {
        return Some(common::name_value(field));
    }
    let text = field.text()?;
    let Some((name, value)) = text.split_once('=') else {
        // What is there may be a credential, so the message does not repeat it.
        field.warn(Issue::Ignored {
            found: "a text without \"=\"".to_owned(),
            expected: "name=value".into(),
        });
        return None;
    };
    Some(NameValue {
        name: name.to_owned(),
        value: ValueSource::Plain(value.to_owned()),
    })
}

/// `spec.metrics` is laid over `spec.metric`, field by field; rules only if there are any.
pub(super) fn metrics(metric: &Field<'_>, metrics: &Field<'_>) -> Metrics {
    let fields = [
        "enabled",
        "recordErrorCodes",
        "http",
        "rules",
        "latencyDistributionBuckets",
        "workflow",
    ];
    let (under, over) = (metric.object(&fields), metrics.object(&fields));
    let pick = |name| {
        let field = over.get(name);
        if field.is_present() {
            field
        } else {
            under.get(name)
        }
    };
    // Both are read, so that what is wrong in the one that loses is found too.
    let read_rules =
        |object: &Object<'_>| -> Vec<MetricRule> { object.get("rules").list().iter().map(rule).collect() };
    let (rules_under, rules_over) = (read_rules(&under), read_rules(&over));
    Metrics {
        enabled: pick("enabled").bool().unwrap_or(true),
        record_error_codes: pick("recordErrorCodes").flag(),
        http: metrics_http(&pick("http")),
        rules: if rules_over.is_empty() {
            rules_under
        } else {
            rules_over
        },
        latency_distribution_buckets: buckets(&pick("latencyDistributionBuckets")),
        workflow: workflow_metrics(&pick("workflow")),
    }
}

fn metrics_http(field: &Field<'_>) -> MetricsHttp {
    let object = field.object(&["increasedCardinality", "pathMatching", "excludeVerbs"]);
    MetricsHttp {
        increased_cardinality: object.get("increasedCardinality").bool(),
        path_matching: object.get("pathMatching").string_list(),
        exclude_verbs: object.get("excludeVerbs").flag(),
    }
}

fn rule(field: &Field<'_>) -> MetricRule {
    let object = field.object(&["name", "labels"]);
    let label = |field: &Field<'_>| {
        let object = field.object(&["name", "regex"]);
        MetricLabel {
            name: object.get("name").text_or_empty(),
            regex: object.get("regex").string_map(),
        }
    };
    MetricRule {
        name: object.get("name").text_or_empty(),
        labels: object.get("labels").list().iter().map(label).collect(),
    }
}

fn workflow_metrics(field: &Field<'_>) -> WorkflowMetrics {
    let object = field.object(&["latencyDistributionBuckets", "latencyDistributionUnits"]);
    WorkflowMetrics {
        latency_distribution_buckets: buckets(&object.get("latencyDistributionBuckets")),
        latency_distribution_units: object
            .get("latencyDistributionUnits")
            .duration()
            .filter(|unit| !unit.is_zero()),
    }
}

fn buckets(field: &Field<'_>) -> Vec<i64> {
    field
        .list()
        .iter()
        .filter_map(|field| field.int(i64::MIN, i64::MAX))
        .collect()
}

pub(super) fn api_logging(field: &Field<'_>) -> ApiLogging {
    let object = field.object(&["enabled", "obfuscateURLs", "omitHealthChecks"]);
    ApiLogging {
        enabled: object.get("enabled").flag(),
        obfuscate_urls: object.get("obfuscateURLs").flag(),
        omit_health_checks: object.get("omitHealthChecks").flag(),
    }
}
