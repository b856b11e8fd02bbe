//! Calling other apps.

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use outrigger_client::Answer;
use outrigger_transport::Body;
use outrigger_wire_names::content;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    Backend, Handle,
    name::{self, given},
};
use crate::{Error, Request, Response};

/// Bytes of an answer that is read into a type: the 4 MiB that an app's request may have by default, and more for lists.
/// Larger ones stream through [`Handle::request`].
const ANSWER_LIMIT: u64 = 16 * 1024 * 1024;

impl Handle {
    /// Calls a method of an app with a value as JSON (POST), and reads its answer as JSON; an empty one reads as `null`.
    ///
    /// `app` is an app id, `app-id.namespace`, the name of an HTTP endpoint resource or an absolute URL. `method` is the
    /// path of the method, with a query where it takes one; what is no text of a path must be percent-encoded.
    ///
    /// # Errors
    /// [`Error::Refused`] when the app cannot be called, [`Error::Answered`] when it answers with an error,
    /// [`Error::Decode`] when its answer is no `R`, [`Error::Encode`] and [`Error::Input`] when there is nothing to send.
    pub async fn invoke<T, R>(&self, app: &str, method: &str, argument: &T) -> Result<R, Error>
    where
        T: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        let body = serde_json::to_vec(argument).map_err(|error| Error::Encode {
            what: format!("the argument of {method}").into(),
            source: error.into(),
        })?;
        self.invoke_with(app, Method::POST, method, Some(body.into()))
            .await
    }

    /// Calls a method of an app without an argument (GET), and reads its answer as JSON.
    ///
    /// # Errors
    /// As [`Handle::invoke`].
    pub async fn fetch<R: DeserializeOwned>(&self, app: &str, method: &str) -> Result<R, Error> {
        self.invoke_with(app, Method::GET, method, None).await
    }

    async fn invoke_with<R: DeserializeOwned>(
        &self,
        app: &str,
        verb: Method,
        method: &str,
        body: Option<Bytes>,
    ) -> Result<R, Error> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = verb;
        *request.uri_mut() = format!("/{}", method.trim_start_matches('/'))
            .parse()
            .map_err(|error| Error::Input(format!("{method:?} is no path of a method: {error}")))?;
        if let Some(body) = body {
            *request.body_mut() = body.into();
            let kind = HeaderValue::from_static(content::JSON);
            request.headers_mut().insert(CONTENT_TYPE, kind);
        }
        let response = self.request(app, request).await?;
        let (head, body) = response.into_parts();
        let body = body.collect(ANSWER_LIMIT).await.map_err(|error| Error::Decode {
            what: format!("the answer of {app} to {method}").into(),
            source: error.into(),
        })?;
        if !head.status.is_success() {
            return Err(answered(app, method, head.status, body));
        }
        let text: &[u8] = if body.is_empty() { b"null" } else { &body };
        serde_json::from_slice(text).map_err(|error| Error::Decode {
            what: format!("the answer of {app} to {method}").into(),
            source: error.into(),
        })
    }

    /// Sends a request to an app: its path and query are the method. Whatever the app answers is `Ok`. Both bodies
    /// stream. Trailers that the head names in `Trailer` go along; those of the answer where the request says
    /// `TE: trailers`.
    ///
    /// # Errors
    /// [`Error::Refused`] when the app cannot be called, [`Error::Input`] when its id is empty; beside a sidecar also
    /// [`Error::Unreachable`].
    pub async fn request(&self, app: &str, request: Request) -> Result<Response, Error> {
        given(name::APP, app)?;
        match &self.backend {
            Backend::Embedded(local) => local.invoke(app, request).await,
            Backend::Sidecar(client, _) => client.invoke(app, request).await,
        }
    }
}

/// An error that an app answered, with the code and the message in its body where they are of the common form.
fn answered(app: &str, method: &str, status: StatusCode, body: Bytes) -> Error {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    #[derive(Default)]
    struct Common {
        error_code: Option<String>,
        message: Option<String>,
    }
    let common: Common = serde_json::from_slice(&body).unwrap_or_default();
    Error::Answered(Box::new(Answer {
        app: app.to_owned(),
        method: method.to_owned(),
        status,
        code: common.error_code,
        message: common.message,
        body,
    }))
}
