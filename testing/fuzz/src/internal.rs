//! Messages between sidecars, in Dapr's protocol.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use outrigger_runtime_peer::{Callee, InternalService};
use outrigger_transport::Body;
use outrigger_wire_proto::internals::{
    InternalInvokeRequest, InternalInvokeRequestStream, InternalInvokeResponse,
};
use prost::Message;
use tokio::runtime::{Builder, Runtime};
use tower_service::Service;

/// Bytes that a message may have.
const MAX_MESSAGE: usize = 1 << 20;
/// Bytes of an answer that are read.
const MAX_ANSWER: u64 = 1 << 22;

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
}

/// An app that sends back what it is sent.
#[derive(Debug)]
struct Echo;

#[async_trait]
impl Callee for Echo {
    async fn call(&self, request: Request<Body>) -> Response<Body> {
        assert!(request.uri().path().starts_with('/'), "{}", request.uri());
        let (head, body) = request.into_parts();
        let mut response = Response::new(body);
        *response.headers_mut() = head.headers;
        response
    }

    async fn proxy(&self, request: Request<Body>) -> Response<Body> {
        let mut response = Response::new(request.into_body());
        *response.status_mut() = StatusCode::OK;
        response
    }
}

/// The first byte chooses between one message, a stream of messages, and the frames as they are; the rest is those.
pub fn run(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else {
        return;
    };
    if let Ok(message) = InternalInvokeRequest::decode(rest) {
        let again = InternalInvokeRequest::decode(&*message.encode_to_vec());
        assert_eq!(again.expect("what was encoded can be decoded"), message);
    }
    let _ = InternalInvokeRequestStream::decode(rest);
    let _ = InternalInvokeResponse::decode(rest);
    let (method, body) = match choice % 4 {
        0 => ("CallLocal", frame(rest)),
        1 => ("CallLocalStream", frames(rest)),
        2 => ("CallLocal", Bytes::copy_from_slice(rest)),
        _ => ("CallLocalStream", Bytes::copy_from_slice(rest)),
    };
    RUNTIME.with(|runtime| runtime.block_on(call(method, body)));
}

async fn call(method: &str, body: Bytes) {
    let mut service = InternalService::new(Arc::new(Echo), "app".into(), MAX_MESSAGE);
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = Method::POST;
    *request.version_mut() = Version::HTTP_2;
    let path = format!("http://app/dapr.proto.internals.v1.ServiceInvocation/{method}");
    *request.uri_mut() = path.parse().expect("a path");
    let headers = request.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/grpc"));
    headers.insert("te", HeaderValue::from_static("trailers"));
    let response = service.call(request).await.unwrap_or_else(|never| match never {});
    assert_eq!(
        response.status(),
        StatusCode::OK,
        "gRPC tells failures in its own status"
    );
    let _ = response.into_body().collect(MAX_ANSWER).await;
}

/// One message in a frame.
fn frame(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    framed.freeze()
}

/// Messages that end with lines, each in a frame.
fn frames(messages: &[u8]) -> Bytes {
    let framed = messages.split(|byte| *byte == b'\n').map(frame);
    framed
        .fold(BytesMut::new(), |mut all, one| {
            all.put_slice(&one);
            all
        })
        .freeze()
}
