//! The internal port.

use std::{convert::Infallible, pin::Pin, sync::Arc, task::Poll};

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use outrigger_transport::Body;
use outrigger_wire_names::{headers, routes};
use tower_service::Service;

use crate::{Callee, dapr, probe};

/// Serves the internal port: pass-through over HTTP/1.1, gRPC over HTTP/2.
#[derive(Debug, Clone)]
pub struct InternalService {
    callee: Arc<dyn Callee>,
    grpc: dapr::Server,
    app_id: Arc<str>,
}

impl InternalService {
    /// A service that hands over to `callee`. gRPC messages may have `max_message` bytes.
    pub fn new(callee: Arc<dyn Callee>, app_id: Arc<str>, max_message: usize) -> Self {
        Self {
            grpc: dapr::Server::new(callee.clone(), max_message),
            callee,
            app_id,
        }
    }

    async fn serve(self, request: Request<Body>) -> Response<Body> {
        if request.version() == Version::HTTP_2 {
            return self.serve_grpc(request).await;
        }
        let is_for_us = self.is_named_by(&request);
        if request.method() == Method::OPTIONS && request.headers().contains_key(headers::PEER) {
            return answer_probe(is_for_us != Some(false));
        }
        if is_for_us != Some(true) {
            return misdirected();
        }
        self.callee.call(request).await
    }

    async fn serve_grpc(self, mut request: Request<Body>) -> Response<Body> {
        if request.uri().path().starts_with(routes::GRPC_INTERNAL) {
            return self.grpc.call(request).await;
        }
        keep_what_the_peer_says(request.headers_mut());
        if self.is_named_by(&request) == Some(false) {
            return misdirected_grpc();
        }
        let mut response = self.callee.proxy(request).await;
        // Only a sidecar says this: an app that does would have its own address forgotten.
        response.headers_mut().remove(headers::PEER_ERROR);
        response
    }

    /// Whether a request names this app as its callee, where it names one. A port may be taken over by the sidecar of
    /// another app while a peer still has the old address.
    fn is_named_by(&self, request: &Request<Body>) -> Option<bool> {
        let id = request.headers().get(headers::CALLEE_APP_ID)?;
        Some(id.as_bytes() == self.app_id.as_bytes())
    }
}

/// Leaves the last value of each header that a sidecar sets on a call that is passed through. Dapr's sidecars before 1.19
/// append theirs to those that their app sent, so that what comes first is the app's word.
fn keep_what_the_peer_says(map: &mut HeaderMap) {
    for name in [
        headers::CALLER_APP_ID,
        headers::CALLER_NAMESPACE,
        headers::CALLEE_APP_ID,
    ] {
        let mut values = map.get_all(&name).iter();
        let last = values.next_back();
        if let (Some(last), Some(_)) = (last, values.next()) {
            let last = last.clone();
            map.insert(name, last);
        }
    }
}

/// What a caller is told that meant another app.
const OF_ANOTHER_APP: &str = "this sidecar belongs to another app";

fn answer_probe(is_for_us: bool) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let map = response.headers_mut();
    map.insert(headers::PEER, HeaderValue::from_static(probe::PROTOCOL));
    if !is_for_us {
        mark_misdirected(map);
    }
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn misdirected() -> Response<Body> {
    let mut response = Response::new(Body::from(OF_ANOTHER_APP));
    *response.status_mut() = StatusCode::MISDIRECTED_REQUEST;
    mark_misdirected(response.headers_mut());
    response
}

fn misdirected_grpc() -> Response<Body> {
    let mut response = tonic::Status::unavailable(OF_ANOTHER_APP).into_http();
    mark_misdirected(response.headers_mut());
    response
}

fn mark_misdirected(map: &mut HeaderMap) {
    map.insert(headers::PEER_ERROR, HeaderValue::from_static(probe::MISDIRECTED));
}

impl Service<Request<Body>> for InternalService {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.serve(request).await) })
    }
}
