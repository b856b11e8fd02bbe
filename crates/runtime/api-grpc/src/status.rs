//! Errors as gRPC tells them: a code, a message, and details as a `google.rpc.Status`.

use std::collections::{BTreeMap, HashMap};

use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use http_body::Frame;
use http_body_util::StreamBody;
use outrigger_runtime_api::{Code, Detail, Error, grpc_of_http};
use outrigger_transport::Body;
use outrigger_wire_names::{
    content,
    errors::{self, DOMAIN, reasons},
    headers, messages,
};
use outrigger_wire_proto::{Any, rpc};
use prost::Message;
use tonic::Status;

/// Bytes of an app's answer that a fact of an error may hold (google.rpc: facts have at most 64 characters).
const FACT_LIMIT: usize = 63;

/// Errors whose facts only HTTP callers see: over gRPC Dapr gives none, and its suite asserts that.
const WITHOUT_FACTS: [&str; 6] = [
    reasons::STATE_NOT_FOUND,
    reasons::STATE_NOT_CONFIGURED,
    reasons::PUBSUB_NAME_EMPTY,
    reasons::PUBSUB_NOT_FOUND,
    reasons::PUBSUB_NOT_CONFIGURED,
    reasons::PUBSUB_TOPIC_NAME_EMPTY,
];

/// The status of an error. One without details tells its code as the reason.
pub(crate) fn of(error: &Error) -> Status {
    tracing::debug!(code = error.code.name, status = ?error.grpc, "{error}");
    let mut details = details(&error.details);
    if error.reason().is_none() {
        details.insert(0, info(error.code.name, HashMap::new()));
    }
    rich(error.grpc, &error.message, details)
}

/// The status that stands for the answer of an HTTP app; `None` for one that is no error.
pub(crate) fn of_http(status: StatusCode, body: &[u8]) -> Option<Status> {
    let code = grpc_of_http(status);
    let text = status.canonical_reason().unwrap_or_default();
    let body = String::from_utf8_lossy(body);
    let facts = [
        (errors::HTTP_CODE.to_owned(), status.as_str().to_owned()),
        (
            errors::HTTP_MESSAGE.to_owned(),
            body.chars().take(FACT_LIMIT).collect(),
        ),
    ];
    (code != Code::Ok).then(|| rich(code, text, vec![info(text, facts.into())]))
}

/// The caller did not show the token.
pub(crate) fn unauthenticated() -> Status {
    let status = StatusCode::UNAUTHORIZED;
    let text = status.canonical_reason().unwrap_or_default();
    let facts = [(errors::HTTP_CODE.to_owned(), status.as_str().to_owned())];
    rich(
        Code::Unauthenticated,
        messages::INVALID_API_TOKEN,
        vec![info(text, facts.into())],
    )
}

/// An answer that is only a status.
pub(crate) fn answer(status: &Status) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let map = response.headers_mut();
    map.insert(CONTENT_TYPE, HeaderValue::from_static(content::GRPC));
    if status.add_header(map).is_err() {
        map.insert(headers::GRPC_STATUS, HeaderValue::from(Code::Internal as i32));
    }
    response
}

/// What a status is on the wire.
static OF_STATUS: [HeaderName; 3] = [
    headers::GRPC_STATUS,
    headers::GRPC_MESSAGE,
    headers::GRPC_STATUS_DETAILS,
];

/// Puts the status that stands for an HTTP app's answer behind what the app said. The library sends a status and its
/// metadata as one block, which clients take for trailers; an app's headers come before its answer.
pub(crate) fn behind_answer(mut response: Response<Body>) -> Response<Body> {
    let map = response.headers_mut();
    if !(map.contains_key(headers::GRPC_STATUS) && map.contains_key(headers::HTTP_STATUS)) {
        return response;
    }
    let mut trailers = HeaderMap::with_capacity(OF_STATUS.len());
    for name in &OF_STATUS {
        if let Some(value) = map.remove(name) {
            trailers.insert(name, value);
        }
    }
    let frame = stream::iter([Ok::<_, outrigger_transport::Error>(Frame::trailers(trailers))]);
    response.map(|_| Body::from_frames(StreamBody::new(frame)))
}

fn rich(code: Code, message: &str, details: Vec<Any>) -> Status {
    let status = rpc::Status {
        code: code as i32,
        message: message.to_owned(),
        details,
    };
    Status::with_details(code, message, status.encode_to_vec().into())
}

fn info(reason: &str, metadata: HashMap<String, String>) -> Any {
    Any::pack(&rpc::ErrorInfo {
        reason: reason.to_owned(),
        domain: DOMAIN.to_owned(),
        metadata,
    })
}

fn facts(reason: &str, metadata: &BTreeMap<&'static str, String>) -> HashMap<String, String> {
    if WITHOUT_FACTS.contains(&reason) {
        return HashMap::new();
    }
    let facts = metadata.iter();
    facts
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

/// Details in the order of the wire: the reason first. Violations of fields stand together, and so do links.
fn details(given: &[Detail]) -> Vec<Any> {
    let (mut packed, mut resources) = (Vec::new(), Vec::new());
    let (mut violations, mut links) = (Vec::new(), Vec::new());
    for detail in given {
        match detail {
            Detail::Info { reason, metadata } => packed.push(info(reason, facts(reason, metadata))),
            Detail::Resource {
                kind,
                name,
                description,
            } => resources.push(resource(kind, name, description)),
            Detail::Field { field, description } => violations.push((field, description)),
            Detail::Help { url, description } => links.push(rpc::help::Link {
                description: (*description).to_owned(),
                url: (*url).to_owned(),
            }),
        }
    }
    packed.extend(resources);
    packed.extend((!violations.is_empty()).then(|| bad_request(violations)));
    packed.extend((!links.is_empty()).then(|| Any::pack(&rpc::Help { links })));
    packed
}

fn resource(kind: &str, name: &str, description: &str) -> Any {
    Any::pack(&rpc::ResourceInfo {
        resource_type: kind.to_owned(),
        resource_name: name.to_owned(),
        owner: String::new(),
        description: description.to_owned(),
    })
}

fn bad_request(violations: Vec<(&String, &String)>) -> Any {
    let violation = |(field, description): (&String, &String)| rpc::bad_request::FieldViolation {
        field: field.clone(),
        description: description.clone(),
        ..rpc::bad_request::FieldViolation::default()
    };
    Any::pack(&rpc::BadRequest {
        field_violations: violations.into_iter().map(violation).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_an_http_app_becomes_a_status() {
        assert!(of_http(StatusCode::CREATED, b"").is_none());
        let status = of_http(StatusCode::CONFLICT, "ü".repeat(100).as_bytes()).unwrap();
        assert_eq!(
            (status.code(), status.message()),
            (Code::AlreadyExists, "Conflict")
        );
        let rich = rpc::Status::decode(status.details()).unwrap();
        let info: rpc::ErrorInfo = rich.details[0].unpack().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("Conflict", "dapr.io")
        );
        assert_eq!(info.metadata["http.code"], "409");
        assert_eq!(info.metadata["http.error_message"], "ü".repeat(63));
    }

    #[test]
    fn an_error_without_details_tells_its_code() {
        let rich = rpc::Status::decode(of(&Error::unbuilt("jobs")).details()).unwrap();
        let info: rpc::ErrorInfo = rich.details[0].unpack().unwrap();
        assert_eq!(info.reason, "ERR_API_UNIMPLEMENTED");
        assert_eq!((rich.code, rich.details.len()), (12, 1));
    }
}
