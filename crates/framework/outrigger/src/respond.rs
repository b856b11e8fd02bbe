//! What a handler of calls may give back.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use outrigger_transport::Body;
use outrigger_wire_names::content;
use serde::Serialize;

use crate::{Error, Json, Response};

/// What can be answered.
pub trait IntoResponse {
    /// The answer.
    fn into_response(self) -> Response;
}

impl IntoResponse for Response {
    fn into_response(self) -> Response {
        self
    }
}

/// 204.
impl IntoResponse for () {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl IntoResponse for StatusCode {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self;
        response
    }
}

/// A value as JSON, with 200.
impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(text) => with_type(text.into(), content::JSON),
            Err(error) => {
                tracing::error!("the result of a handler cannot be written as JSON: {error}");
                Error::internal("the result cannot be written as JSON").into_response()
            }
        }
    }
}

impl IntoResponse for &'static str {
    fn into_response(self) -> Response {
        with_type(self.into(), content::TEXT)
    }
}

impl IntoResponse for String {
    fn into_response(self) -> Response {
        with_type(self.into(), content::TEXT)
    }
}

impl IntoResponse for Bytes {
    fn into_response(self) -> Response {
        with_type(self.into(), content::OCTET_STREAM)
    }
}

impl IntoResponse for Vec<u8> {
    fn into_response(self) -> Response {
        with_type(self.into(), content::OCTET_STREAM)
    }
}

/// A body that streams.
impl IntoResponse for Body {
    fn into_response(self) -> Response {
        with_type(self, content::OCTET_STREAM)
    }
}

/// The answer of the second with the status of the first.
impl<R: IntoResponse> IntoResponse for (StatusCode, R) {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        *response.status_mut() = self.0;
        response
    }
}

impl<T: IntoResponse, E: IntoResponse> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(done) => done.into_response(),
            Err(error) => error.into_response(),
        }
    }
}

/// `{"errorCode": …, "message": …}`. An error that the handler made has its own status; one that an operation met on the
/// way is a failure of this app, whose caller cannot mend it: 409 for a conflict, 502 for an app that answered with an
/// error, 503 for a sidecar that is not there, 500 for anything else.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = status(&self);
        if status.is_server_error() {
            tracing::error!("a handler failed: {}", outrigger_base_std::chain(&self));
        }
        let body = serde_json::json!({
            "errorCode": self.code().unwrap_or("INTERNAL"),
            "message": outrigger_base_std::chain(&self),
        });
        let mut response = with_type(body.to_string().into(), content::JSON);
        *response.status_mut() = status;
        response
    }
}

fn status(error: &Error) -> StatusCode {
    match error {
        Error::Handler(refusal) => refusal.status,
        Error::Refused(refusal) if refusal.status == StatusCode::CONFLICT => StatusCode::CONFLICT,
        Error::Answered(_) => StatusCode::BAD_GATEWAY,
        Error::Unreachable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn with_type(body: Body, kind: &'static str) -> Response {
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
