//! Answers and errors as HTTP writes them.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use outrigger_block_state::Metadata;
use outrigger_runtime_api::{Detail, Error};
use outrigger_transport::Body;
use outrigger_wire_names::{content, errors::DOMAIN, headers};
use serde_json::{Map, Value, json};

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// 204.
pub(crate) fn no_content() -> Response<Body> {
    empty(StatusCode::NO_CONTENT)
}

/// A JSON text.
pub(crate) fn json_bytes(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content::JSON));
    response
}

/// A JSON value.
pub(crate) fn json_value(status: StatusCode, value: &Value) -> Response<Body> {
    json_bytes(status, value.to_string())
}

/// Plain text.
pub(crate) fn text(status: StatusCode, text: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content::TEXT));
    response
}

/// An error: its code and message, and its details where it has any (dapr-runtime.md §1.2).
pub(crate) fn error(error: &Error) -> Response<Body> {
    tracing::debug!(code = error.code.name, status = error.http.as_u16(), "{error}");
    json_value(error.http, &error_value(error))
}

pub(crate) fn error_value(error: &Error) -> Value {
    let mut body = Map::new();
    body.insert("errorCode".to_owned(), error.code.name.into());
    body.insert("message".to_owned(), error.message.as_str().into());
    if !error.details.is_empty() {
        body.insert("details".to_owned(), details(&error.details));
    }
    Value::Object(body)
}

/// Details in the order of the wire: the reason first. Violations of fields stand together.
fn details(details: &[Detail]) -> Value {
    let mut violations = Vec::new();
    let mut links = Vec::new();
    let (mut infos, mut rest) = (Vec::new(), Vec::new());
    for detail in details {
        match detail {
            Detail::Info { reason, metadata } => {
                infos.push(typed("ErrorInfo", json!({"domain": DOMAIN, "metadata": metadata, "reason": reason})));
            }
            Detail::Resource { kind, name, description } => rest.push(typed(
                "ResourceInfo",
                json!({"description": description, "owner": "", "resource_name": name, "resource_type": kind}),
            )),
            Detail::Field { field, description } => {
                violations.push(json!({"field": field, "description": description}));
            }
            Detail::Help { url, description } => links.push(json!({"url": url, "description": description})),
        }
    }
    if !violations.is_empty() {
        rest.push(typed("BadRequest", json!({"field_violations": violations})));
    }
    if !links.is_empty() {
        rest.push(typed("Help", json!({"links": links})));
    }
    infos.extend(rest);
    Value::Array(infos)
}

fn typed(name: &str, mut value: Value) -> Value {
    value["@type"] = format!("type.googleapis.com/google.rpc.{name}").into();
    value
}

/// Writes component metadata of an answer as headers.
pub(crate) fn add_metadata(response: &mut Response<Body>, metadata: &Metadata) {
    for (key, value) in metadata {
        let name = HeaderName::try_from(format!("{}{key}", headers::METADATA_PREFIX));
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
}
