//! Our spans as OTLP messages.

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    resource::v1,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status as WireStatus, span, status::StatusCode},
};
use outrigger_base_clock::Timestamp;

use crate::trace::{
    resource::Resource,
    span::{Event, SpanData, SpanKind, Status, Value},
};

/// One request for a batch.
pub(super) fn request(batch: &[SpanData], resource: &Resource, scope: &str) -> ExportTraceServiceRequest {
    let text = |value: &str| any_value::Value::StringValue(value.to_owned());
    let attributes = resource
        .attributes()
        .iter()
        .map(|(key, value)| pair(key, text(value)));
    let spans = ScopeSpans {
        scope: Some(InstrumentationScope {
            name: scope.to_owned(),
            ..Default::default()
        }),
        spans: batch.iter().map(span).collect(),
        schema_url: String::new(),
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(v1::Resource {
                attributes: attributes.collect(),
                ..Default::default()
            }),
            scope_spans: vec![spans],
            schema_url: String::new(),
        }],
    }
}

fn span(data: &SpanData) -> Span {
    Span {
        trace_id: data.context.trace_id.0.to_vec(),
        span_id: data.context.span_id.0.to_vec(),
        trace_state: data.context.state.as_str().to_owned(),
        parent_span_id: data.parent.map(|id| id.0.to_vec()).unwrap_or_default(),
        flags: data.context.flags.into(),
        name: data.name.to_string(),
        kind: kind(data.kind).into(),
        start_time_unix_nano: nanos(data.start),
        end_time_unix_nano: nanos(data.end),
        attributes: attributes(&data.attributes),
        events: data.events.iter().map(event).collect(),
        status: status(&data.status),
        ..Default::default()
    }
}

fn event(event: &Event) -> span::Event {
    span::Event {
        time_unix_nano: nanos(event.time),
        name: event.name.to_string(),
        attributes: attributes(&event.attributes),
        dropped_attributes_count: 0,
    }
}

fn kind(kind: SpanKind) -> span::SpanKind {
    match kind {
        SpanKind::Internal => span::SpanKind::Internal,
        SpanKind::Server => span::SpanKind::Server,
        SpanKind::Client => span::SpanKind::Client,
        SpanKind::Producer => span::SpanKind::Producer,
        SpanKind::Consumer => span::SpanKind::Consumer,
    }
}

fn status(status: &Status) -> Option<WireStatus> {
    let (code, message) = match status {
        Status::Unset => return None,
        Status::Ok => (StatusCode::Ok, ""),
        Status::Error(why) => (StatusCode::Error, &**why),
    };
    Some(WireStatus {
        message: message.to_owned(),
        code: code.into(),
    })
}

fn attributes(attributes: &[(std::borrow::Cow<'static, str>, Value)]) -> Vec<KeyValue> {
    let value = |value: &Value| match value {
        Value::Text(text) => any_value::Value::StringValue(text.to_string()),
        Value::Int(number) => any_value::Value::IntValue(*number),
        Value::Float(number) => any_value::Value::DoubleValue(*number),
        Value::Bool(truth) => any_value::Value::BoolValue(*truth),
    };
    attributes
        .iter()
        .map(|(key, known)| pair(key, value(known)))
        .collect()
}

fn pair(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..Default::default()
    }
}

/// A time before 1970 cannot be told.
fn nanos(time: Timestamp) -> u64 {
    u64::try_from(time.as_nanosecond()).unwrap_or(0)
}
