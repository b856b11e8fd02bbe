//! A `google.rpc.Status` as JSON, by the protobuf JSON mapping: fields at their default are left out.

use base64::{Engine, prelude::BASE64_STANDARD};
use outrigger_wire_proto::{Any, rpc};
use prost::Name;
use serde_json::{Map, Value, json};

/// A message on its way to JSON: fields in the order of their numbers.
#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn text(mut self, name: &str, text: &str) -> Self {
        if !text.is_empty() {
            self.0.insert(name.to_owned(), text.into());
        }
        self
    }

    fn list(mut self, name: &str, items: Vec<Value>) -> Self {
        if !items.is_empty() {
            self.0.insert(name.to_owned(), items.into());
        }
        self
    }

    fn value(mut self, name: &str, value: Option<Value>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    fn end(self) -> Value {
        self.0.into()
    }
}

/// The status as a JSON text.
pub(super) fn of_status(status: &rpc::Status) -> String {
    let code = (status.code != 0).then(|| status.code.into());
    let details = status.details.iter().map(detail).collect();
    Object::default()
        .value("code", code)
        .text("message", &status.message)
        .list("details", details)
        .end()
        .to_string()
}

/// A detail, with its type beside its fields. One of an unknown type keeps its bytes, as base64.
fn detail(any: &Any) -> Value {
    let known = fields::<rpc::ErrorInfo>(any, error_info)
        .or_else(|| fields::<rpc::ResourceInfo>(any, resource_info))
        .or_else(|| fields::<rpc::BadRequest>(any, bad_request))
        .or_else(|| fields::<rpc::Help>(any, help))
        .or_else(|| fields::<rpc::RetryInfo>(any, retry_info))
        .or_else(|| fields::<rpc::DebugInfo>(any, debug_info))
        .or_else(|| fields::<rpc::RequestInfo>(any, request_info))
        .or_else(|| fields::<rpc::LocalizedMessage>(any, localized))
        .or_else(|| fields::<rpc::PreconditionFailure>(any, precondition))
        .or_else(|| fields::<rpc::QuotaFailure>(any, quota));
    let object =
        known.unwrap_or_else(|| Object::default().text("value", &BASE64_STANDARD.encode(&any.value)));
    let mut with_type = Map::with_capacity(object.0.len() + 1);
    with_type.insert("@type".to_owned(), any.type_url.as_str().into());
    with_type.extend(object.0);
    with_type.into()
}

fn fields<M: Name + Default>(any: &Any, write: fn(M) -> Object) -> Option<Object> {
    any.unpack::<M>().ok().map(write)
}

fn error_info(info: rpc::ErrorInfo) -> Object {
    let facts: std::collections::BTreeMap<_, _> = info.metadata.into_iter().collect();
    Object::default()
        .text("reason", &info.reason)
        .text("domain", &info.domain)
        .value("metadata", (!facts.is_empty()).then(|| json!(facts)))
}

fn resource_info(info: rpc::ResourceInfo) -> Object {
    Object::default()
        .text("resourceType", &info.resource_type)
        .text("resourceName", &info.resource_name)
        .text("owner", &info.owner)
        .text("description", &info.description)
}

fn bad_request(bad: rpc::BadRequest) -> Object {
    let violation = |one: rpc::bad_request::FieldViolation| {
        Object::default()
            .text("field", &one.field)
            .text("description", &one.description)
            .text("reason", &one.reason)
            .value(
                "localizedMessage",
                one.localized_message.map(|text| localized(text).end()),
            )
            .end()
    };
    Object::default().list(
        "fieldViolations",
        bad.field_violations.into_iter().map(violation).collect(),
    )
}

fn help(help: rpc::Help) -> Object {
    let link = |one: rpc::help::Link| {
        Object::default()
            .text("description", &one.description)
            .text("url", &one.url)
            .end()
    };
    Object::default().list("links", help.links.into_iter().map(link).collect())
}

fn retry_info(info: rpc::RetryInfo) -> Object {
    let delay = info.retry_delay.map(|delay| delay.to_string().into());
    Object::default().value("retryDelay", delay)
}

fn debug_info(info: rpc::DebugInfo) -> Object {
    let entries = info.stack_entries.into_iter().map(Value::from).collect();
    Object::default()
        .list("stackEntries", entries)
        .text("detail", &info.detail)
}

fn request_info(info: rpc::RequestInfo) -> Object {
    Object::default()
        .text("requestId", &info.request_id)
        .text("servingData", &info.serving_data)
}

fn localized(message: rpc::LocalizedMessage) -> Object {
    Object::default()
        .text("locale", &message.locale)
        .text("message", &message.message)
}

fn precondition(failure: rpc::PreconditionFailure) -> Object {
    let violation = |one: rpc::precondition_failure::Violation| {
        Object::default()
            .text("type", &one.r#type)
            .text("subject", &one.subject)
            .text("description", &one.description)
            .end()
    };
    Object::default().list(
        "violations",
        failure.violations.into_iter().map(violation).collect(),
    )
}

fn quota(failure: rpc::QuotaFailure) -> Object {
    // 64-bit integers are texts in this mapping.
    let violation = |one: rpc::quota_failure::Violation| {
        let dimensions: std::collections::BTreeMap<_, _> = one.quota_dimensions.into_iter().collect();
        let number = |value: i64| Value::from(value.to_string());
        Object::default()
            .text("subject", &one.subject)
            .text("description", &one.description)
            .text("apiService", &one.api_service)
            .text("quotaMetric", &one.quota_metric)
            .text("quotaId", &one.quota_id)
            .value(
                "quotaDimensions",
                (!dimensions.is_empty()).then(|| json!(dimensions)),
            )
            .value(
                "quotaValue",
                (one.quota_value != 0).then(|| number(one.quota_value)),
            )
            .value("futureQuotaValue", one.future_quota_value.map(number))
            .end()
    };
    Object::default().list(
        "violations",
        failure.violations.into_iter().map(violation).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_written_by_the_protobuf_mapping() {
        let info = rpc::ErrorInfo {
            reason: "R".to_owned(),
            domain: "d".to_owned(),
            metadata: [("k".to_owned(), "v".to_owned())].into(),
        };
        let status = rpc::Status {
            code: 5,
            message: "gone".to_owned(),
            details: vec![
                Any::pack(&info),
                Any {
                    type_url: "type.googleapis.com/x.Y".to_owned(),
                    value: bytes::Bytes::from_static(b"hi"),
                },
            ],
        };
        let expected = concat!(
            r#"{"code":5,"message":"gone","details":["#,
            r#"{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"R","domain":"d","metadata":{"k":"v"}},"#,
            r#"{"@type":"type.googleapis.com/x.Y","value":"aGk="}]}"#
        );
        assert_eq!(of_status(&status), expected);
    }
}
