//! One exchange with the sidecar, and its errors as values.

use std::borrow::Cow;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{CONTENT_TYPE, HOST},
};
use outrigger_transport::Body;
use outrigger_wire_names::{content, errors, headers};
use serde::Deserialize;

use crate::{Client, Error, Refusal};

/// Bytes that an answer of the sidecar's own may have: the 4 MiB that it grants requests, and room for a bulk of them.
const ANSWER_LIMIT: u64 = 64 * 1024 * 1024;

impl Client {
    /// Sends a request and gives the answer back, whatever its status.
    pub(crate) async fn send(
        &self,
        mut request: Request<Body>,
        attempted: impl Into<Cow<'static, str>>,
    ) -> Result<Response<Body>, Error> {
        let map = request.headers_mut();
        self.add_headers(map);
        map.insert(HOST, self.host().clone());
        if let Some(token) = self.token() {
            map.insert(headers::API_TOKEN, token.clone());
        }
        *request.version_mut() = http::Version::HTTP_11;
        let sent = self.pool().send(request).await;
        sent.map_err(|failed| Error::unreachable(attempted, failed.error))
    }

    /// Sends a request of the API and reads the whole answer; a status other than 2xx is an error.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: String,
        body: Option<Bytes>,
        attempted: &'static str,
    ) -> Result<Told, Error> {
        let mut request = request(method, &path, body.map_or_else(Body::empty, Body::from))?;
        request
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(content::JSON));
        self.ask_with(request, attempted).await
    }

    /// As [`Client::ask`], with headers of the caller's.
    pub(crate) async fn ask_with(
        &self,
        request: Request<Body>,
        attempted: &'static str,
    ) -> Result<Told, Error> {
        let response = self.send(request, attempted).await?;
        let (head, body) = response.into_parts();
        let body = body.collect(ANSWER_LIMIT).await;
        let body = body.map_err(|error| Error::unreachable(attempted, error))?;
        if head.status.is_success() {
            return Ok(Told {
                status: head.status,
                headers: head.headers,
                body,
            });
        }
        Err(Error::Refused(Box::new(refusal(head.status, &body))))
    }
}

/// An answer of the sidecar's own.
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A request in origin form.
pub(crate) fn request(method: Method, path: &str, body: Body) -> Result<Request<Body>, Error> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = path
        .parse()
        .map_err(|error| Error::Input(format!("{path:?} is not a path: {error}")))?;
    Ok(request)
}

/// An error as the API writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failure {
    pub(crate) error_code: String,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    details: Vec<FailureDetail>,
}

#[derive(Deserialize)]
struct FailureDetail {
    #[serde(default)]
    reason: Option<String>,
}

/// The refusal in an answer's body. A body that is none, as of an old proxy, becomes the message.
pub(crate) fn refusal(status: StatusCode, body: &[u8]) -> Refusal {
    match serde_json::from_slice::<Failure>(body) {
        Ok(failure) => Refusal {
            status,
            reason: failure.reason(),
            code: failure.error_code.into(),
            message: failure.message,
        },
        Err(_) => Refusal {
            status,
            code: errors::OTHER.name.into(),
            message: plain_message(status, body),
            reason: None,
        },
    }
}

impl Failure {
    fn reason(&self) -> Option<Cow<'static, str>> {
        let found = self.details.iter().find_map(|detail| detail.reason.clone());
        found.map(Cow::Owned)
    }
}

/// Bytes of a body that is not JSON which are shown: enough to recognise a page by.
const SHOWN: usize = 256;

fn plain_message(status: StatusCode, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]);
    match text.trim() {
        "" => format!("the sidecar answered {status}"),
        text => format!("the sidecar answered {status}: {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_code_and_reason() {
        let body = br#"{"errorCode":"ERR_STATE_STORE_NOT_FOUND","message":"state store s is not found",
            "details":[{"@type":"x"},{"reason":"DAPR_STATE_NOT_FOUND"}]}"#;
        let refusal = refusal(StatusCode::BAD_REQUEST, body);
        assert_eq!(refusal.code, "ERR_STATE_STORE_NOT_FOUND");
        assert_eq!(refusal.message, "state store s is not found");
        assert_eq!(refusal.reason.as_deref(), Some("DAPR_STATE_NOT_FOUND"));
    }

    #[test]
    fn a_body_that_is_no_error_is_shown() {
        let refusal = refusal(StatusCode::UNAUTHORIZED, b"invalid api token");
        assert_eq!(refusal.code, "ERROR");
        assert_eq!(
            refusal.message,
            "the sidecar answered 401 Unauthorized: invalid api token"
        );
    }
}
