//! gRPC calls that are passed through as they are (dapr-runtime.md §2.7).

use http::{HeaderMap, HeaderValue, Request, Response, header::CONTENT_TYPE};
use outrigger_base_std::chain;
use outrigger_runtime_peer::AppTarget;
use outrigger_transport::Body;
use outrigger_wire_names::{content, headers};
use tonic::{Code, Status};

use super::{Attempt, BUILT_IN, callee, path_and_query, repeatable};
use crate::Api;

impl Api {
    /// Passes a gRPC call of the app on to the app that its metadata names. Nothing is decoded; a reset on either side
    /// resets the other.
    pub async fn proxy_grpc(&self, mut request: Request<Body>) -> Response<Body> {
        let Some(id) = callee_of(request.headers()) else {
            let text = format!(
                "failed to proxy request: required metadata {} or {} not found",
                headers::CALLEE_APP_ID,
                headers::APP_ID
            );
            return status(&Status::failed_precondition(text));
        };
        let app = AppTarget::parse(&id);
        self.parts().outside.headers().grpc_caller(&mut request, app.id);
        if self.is_self(app) {
            return self.proxy_to_app(request).await;
        }
        let app = self.in_own_namespace(app);
        let attempt = |attempt: Attempt| async move {
            let answer = self.parts().peers.proxy(app, attempt.request).await;
            answer.map_err(|error| repeatable(error, attempt.is_repeat))
        };
        match BUILT_IN.run(Attempt::first(request), attempt).await {
            Ok(response) => response,
            Err(error) => status(&Status::unavailable(chain(&error))),
        }
    }

    /// Passes a gRPC call on to the app of this runtime.
    pub(super) async fn proxy_to_app(&self, mut request: Request<Body>) -> Response<Body> {
        let Some(app) = self.channel().and_then(|channel| channel.grpc_passthrough()) else {
            return status(&Status::internal(callee::NO_CHANNEL));
        };
        let path = path_and_query(request.uri()).to_owned();
        match app.absolute(&path) {
            Ok(uri) => *request.uri_mut() = uri,
            Err(error) => return status(&Status::invalid_argument(error.to_string())),
        }
        if let Some(token) = self.channel().and_then(|channel| channel.app_token()) {
            request.headers_mut().insert(headers::API_TOKEN, token.clone());
        }
        match app.send(request).await {
            Ok(response) => response,
            Err(failed) => status(&Status::unavailable(chain(&failed.error))),
        }
    }
}

/// The app that the metadata of a call names.
fn callee_of(map: &HeaderMap) -> Option<String> {
    let value = map
        .get(headers::CALLEE_APP_ID)
        .or_else(|| map.get(headers::APP_ID))?;
    value.to_str().ok().filter(|id| !id.is_empty()).map(str::to_owned)
}

/// A gRPC answer that is only a status.
fn status(status: &Status) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let map = response.headers_mut();
    map.insert(CONTENT_TYPE, HeaderValue::from_static(content::GRPC));
    if status.add_header(map).is_err() {
        map.insert(headers::GRPC_STATUS, HeaderValue::from(Code::Internal as i32));
    }
    response
}
