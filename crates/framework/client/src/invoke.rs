//! Calling apps.

use bytes::Bytes;
use http::{Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body::Body as _;
use outrigger_transport::{Body, hop};
use outrigger_wire_names::{content, errors, routes};

use crate::{
    Client, Error, Refusal,
    exchange::{Failure, refusal},
    path::PathBuilder,
};

/// Bytes of an answer that are looked at to tell a refusal of the sidecar from an answer of the app.
const REFUSAL_LIMIT: u64 = 64 * 1024;

impl Client {
    /// Calls an app: the path and query of `request` are the method, the rest goes to the app as it is. `app` is an app
    /// id, `app-id.namespace`, the name of an HTTP endpoint or an absolute URL. Both bodies stream, and their trailers go
    /// along: those that the head names in `Trailer`, and those of the answer where the request says `TE: trailers`.
    ///
    /// Whatever the app answers is `Ok`. On this wire a refusal of the sidecar looks like an answer of an app with the
    /// same status and body; an answer with the sidecar's own code for a failed invocation counts as a refusal.
    ///
    /// # Errors
    /// [`Error::Refused`] when the sidecar could not call the app; [`Error::Unreachable`] when it is not there.
    pub async fn invoke(&self, app: &str, mut request: Request<Body>) -> Result<Response<Body>, Error> {
        let mut path = PathBuilder::new(&[routes::V1, routes::INVOKE])
            .segment(app)
            .into_string();
        path.push_str(routes::METHOD_MARKER);
        let method = request.uri().path_and_query().map_or("", |path| path.as_str());
        path.push_str(method.trim_start_matches('/'));
        *request.uri_mut() = path
            .parse()
            .map_err(|error| Error::Input(format!("{path:?} is not a path: {error}")))?;
        let takes_trailers = hop::forward_request(&mut request, hop::may_trail);
        let attempted = format!("call {app}");
        let mut response = self.send(request, attempted.clone()).await?;
        hop::forward_response(&mut response, takes_trailers, hop::may_trail);
        if !may_be_refusal(&response) {
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        let body = body.collect(REFUSAL_LIMIT).await;
        let body = body.map_err(|error| Error::unreachable(attempted, error))?;
        match own_refusal(head.status, &body) {
            Some(refusal) => Err(Error::Refused(Box::new(refusal))),
            None => Ok(Response::from_parts(head, body.into())),
        }
    }
}

/// A short JSON body with an error status. Its length must be known: a stream is never held up.
fn may_be_refusal(response: &Response<Body>) -> bool {
    let is_error = matches!(
        response.status(),
        StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::BAD_REQUEST
    );
    let kind = response.headers().get(CONTENT_TYPE);
    let is_json = kind.is_some_and(|kind| kind.as_bytes().starts_with(content::JSON.as_bytes()));
    let length = response.body().size_hint().exact();
    is_error && is_json && length.is_some_and(|length| length <= REFUSAL_LIMIT)
}

fn own_refusal(status: StatusCode, body: &Bytes) -> Option<Refusal> {
    let failure: Failure = serde_json::from_slice(body).ok()?;
    let own = [errors::DIRECT_INVOKE.name, errors::BODY_READ.name];
    own.contains(&failure.error_code.as_str())
        .then(|| refusal(status, body))
}
