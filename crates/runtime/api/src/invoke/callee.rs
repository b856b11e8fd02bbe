//! The callee's side: from the internal port to the app.

use async_trait::async_trait;
use http::{HeaderValue, Request, Response, StatusCode, header::HOST};
use outrigger_base_std::chain;
use outrigger_base_telemetry::trace::{SpanHandle, SpanKind};
use outrigger_runtime_peer::{Callee, status};
use outrigger_transport::{Body, hop};
use outrigger_wire_names::{headers, messages, trace as names};

use super::{app_status, counted::Counted, forward::may_trail, invoke_error};
use crate::{Api, Error, trace};

/// What a runtime without an app answers.
pub(super) const NO_CHANNEL: &str = "app channel is not initialized";

/// Bytes of a peer's error text that are read.
const ERROR_LIMIT: u64 = 64 * 1024;

#[async_trait]
impl Callee for Api {
    async fn call(&self, mut request: Request<Body>) -> Response<Body> {
        let takes_trailers = hop::forward_request(&mut request, may_trail);
        // It named this sidecar; the app has a name of its own.
        request.headers_mut().remove(HOST);
        // Sidecars tell each other; Dapr's keep it from their apps.
        request.headers_mut().remove(headers::DESTINATION_APP_ID);
        let _span = self.begin_call(&mut request);
        let failed = |kind, text: String| peer_error(StatusCode::INTERNAL_SERVER_ERROR, kind, text);
        let Some(channel) = self.channel() else {
            return failed("no-channel", NO_CHANNEL.to_owned());
        };
        if !self.parts().app_health.is_well() {
            return failed("unhealthy", messages::APP_UNHEALTHY.to_owned());
        }
        match channel.invoke(request).await {
            Ok(mut response) => {
                hop::forward_response(&mut response, takes_trailers, may_trail);
                response.headers_mut().remove(headers::PEER_ERROR);
                app_status::send(&mut response);
                response
            }
            Err(error) => failed(
                "channel",
                format!("error invoking app channel: {}", chain(&error)),
            ),
        }
    }

    async fn proxy(&self, mut request: Request<Body>) -> Response<Body> {
        let uri = request.uri().clone();
        let name = || uri.path().to_owned().into();
        let span = trace::begin(self.tracer(), request.headers_mut(), name, SpanKind::Server);
        let counted = Counted::begin(&self.parts().telemetry, &request);
        let response = self.proxy_to_app(request).await;
        span.end();
        match counted {
            Some(counted) => counted.end(response),
            None => response,
        }
    }
}

impl Api {
    /// Starts the span of a call that a peer makes.
    fn begin_call(&self, request: &mut Request<Body>) -> SpanHandle {
        let uri = request.uri().clone();
        let method = || uri.path().trim_start_matches('/').to_owned();
        let name = || {
            format!(
                "{}{}/{}",
                names::CALL_LOCAL,
                self.host().identity.app_id,
                method()
            )
            .into()
        };
        let mut span = trace::begin(self.tracer(), request.headers_mut(), name, SpanKind::Server);
        span.attribute(names::RPC_SERVICE, || names::SERVICE_INVOCATION);
        span.attribute(names::PROTOCOL, || names::PROTOCOL_GRPC);
        span.attribute(names::INVOKE_METHOD, method);
        span
    }
}

/// An answer of this sidecar's own, marked so that the caller does not take it for the app's.
fn peer_error(status: StatusCode, kind: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(headers::PEER_ERROR, HeaderValue::from_static(kind));
    response
}

/// Turns a marked answer of the peer's sidecar into an error; an app's answer goes on as it is.
pub(super) async fn own_error(id: &str, response: Response<Body>) -> Result<Response<Body>, Error> {
    if !response.headers().contains_key(headers::PEER_ERROR) {
        return Ok(app_status::receive(response));
    }
    let http = response.status();
    let text = response
        .into_body()
        .collect(ERROR_LIMIT)
        .await
        .unwrap_or_default();
    let mut error = invoke_error(id, &String::from_utf8_lossy(&text));
    if http == StatusCode::FORBIDDEN {
        error.http = http;
        error.grpc = status::grpc_of_http(http);
    }
    Err(error)
}
