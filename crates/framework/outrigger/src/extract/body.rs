//! What takes the body.

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use outrigger_transport::Body;
use serde::de::DeserializeOwned;

use super::FromRequest;
use crate::{Error, Request, context::Context};

/// A JSON body, read into `T`; as a result, a value written as JSON.
///
/// A body that says it is something else than JSON is refused with 415; one that says nothing is read as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Json<T> {
    async fn from_request(request: Request) -> Result<Self, Error> {
        if !may_be_json(request.headers()) {
            return Err(Error::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UNSUPPORTED_MEDIA_TYPE",
                "expected application/json",
            ));
        }
        let body = whole(request).await?;
        parse(&body).map(Self)
    }
}

/// Reads a JSON text; an empty one is `null`, so that a call without a body can be one without arguments.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let text = if body.is_empty() { b"null" } else { body };
    serde_json::from_slice(text)
        .map_err(|error| Error::bad_request(format!("the body is not the JSON that is expected: {error}")))
}

fn may_be_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(CONTENT_TYPE) else {
        return true;
    };
    let Ok(kind) = kind.to_str() else { return false };
    let media = kind.split(';').next().unwrap_or_default().trim();
    media.is_empty()
        || media.eq_ignore_ascii_case("application/json")
        || media.to_ascii_lowercase().ends_with("+json")
}

/// The whole body, up to the app's limit.
pub(super) async fn whole(request: Request) -> Result<Bytes, Error> {
    let limit = Context::of(request.extensions()).map_or(crate::app::DEFAULT_MAX_BODY, Context::max_body);
    let body: Body = request.into_body();
    body.collect(limit).await.map_err(|error| match error {
        outrigger_transport::Error::TooLarge { limit } => Error::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "PAYLOAD_TOO_LARGE",
            format!("the body has more than {limit} bytes"),
        ),
        error => Error::bad_request(format!(
            "the body could not be read: {}",
            outrigger_base_std::chain(&error)
        )),
    })
}

impl FromRequest for Bytes {
    async fn from_request(request: Request) -> Result<Self, Error> {
        whole(request).await
    }
}

impl FromRequest for String {
    async fn from_request(request: Request) -> Result<Self, Error> {
        let body = whole(request).await?;
        Self::from_utf8(body.into())
            .map_err(|error| Error::bad_request(format!("the body is no text: {error}")))
    }
}

impl FromRequest for Request {
    async fn from_request(request: Request) -> Result<Self, Error> {
        Ok(request)
    }
}
