//! Apps that are called by message: one that speaks gRPC, one that speaks HTTP.

use std::{convert::Infallible, future::Ready, net::SocketAddr};

use http::{Request, Response};
use outrigger_base_task::TaskSet;
use outrigger_transport::Body;
use outrigger_wire_proto::{
    Any,
    common::{InvokeRequest, InvokeResponse},
    rpc,
    runtime::app_callback_server::{AppCallback, AppCallbackServer},
};
use prost::Message;
use tonic::{Code, Status, metadata::MetadataMap};
use tower_service::Service;

use crate::rig::serve;

/// An app that answers with what it was asked.
#[derive(Debug, Clone, Copy)]
struct GrpcApp;

/// The details of its error.
pub(crate) fn details() -> Vec<u8> {
    let info = rpc::ErrorInfo {
        reason: "GONE".to_owned(),
        ..rpc::ErrorInfo::default()
    };
    let status = rpc::Status {
        code: 5,
        message: "no such thing".to_owned(),
        details: vec![Any::pack(&info)],
    };
    status.encode_to_vec()
}

#[tonic::async_trait]
impl AppCallback for GrpcApp {
    async fn on_invoke(
        &self,
        request: tonic::Request<InvokeRequest>,
    ) -> Result<tonic::Response<InvokeResponse>, Status> {
        let mut metadata = MetadataMap::new();
        metadata.insert("x-app", "1".parse().unwrap());
        let header = |name: &str| {
            let value = request.metadata().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or("-").to_owned()
        };
        let callers = [
            header("x-mine"),
            header("dapr-caller-app-id"),
            header("dapr-api-token"),
        ]
        .join(" ");
        let asked = request.into_inner();
        if asked.method == "fail" {
            let details = details().into();
            let status =
                Status::with_details_and_metadata(Code::NotFound, "no such thing", details, metadata);
            return Err(status);
        }
        let data = asked.data.unwrap_or_default();
        let query = asked.http_extension.unwrap_or_default().querystring;
        let said = String::from_utf8_lossy(&data.value).into_owned();
        let mut response = tonic::Response::new(InvokeResponse {
            data: Some(Any {
                type_url: data.type_url,
                value: format!("{} {query} {said} {callers}", asked.method).into(),
            }),
            content_type: asked.content_type,
        });
        *response.metadata_mut() = metadata;
        Ok(response)
    }
}

/// The gRPC app's port.
pub(crate) fn grpc(tasks: &TaskSet) -> u16 {
    let server = AppCallbackServer::new(GrpcApp);
    serve(Boxed(server), tasks).port()
}

/// A generated server with our bodies.
#[derive(Clone)]
pub(crate) struct Boxed<S>(pub(crate) S);

impl<S> Service<Request<Body>> for Boxed<S>
where
    S: Service<Request<Body>, Response = Response<tonic::body::Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answer = self.0.call(request);
        Box::pin(async move { answer.await.map(|response| response.map(Body::boxed)) })
    }
}

/// Headers that sidecars set on an invocation.
const TOLD: [&str; 7] = [
    "dapr-caller-app-id",
    "dapr-caller-namespace",
    "dapr-callee-app-id",
    "destination-app-id",
    "x-forwarded-for",
    "x-forwarded-host",
    "forwarded",
];

/// An HTTP app: the status is the last part of the path, and `told` answers with what sidecars said of the caller.
#[derive(Debug, Clone, Copy)]
struct HttpApp;

impl Service<Request<Body>> for HttpApp {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let path = request.uri().path_and_query().unwrap().as_str();
        let status: u16 = request
            .uri()
            .path()
            .rsplit('/')
            .next()
            .unwrap()
            .parse()
            .unwrap_or(200);
        let mine = request
            .headers()
            .get("x-mine")
            .map_or("-", |value| value.to_str().unwrap());
        let said = if request.uri().path().ends_with("/told") {
            told(request.headers())
        } else {
            format!("{} {path} {mine}", request.method())
        };
        let response = Response::builder()
            .status(status)
            .header("content-type", "text/plain")
            .header("x-app", "1")
            .header(
                "x-takes-trailers",
                request.headers().contains_key("te").to_string(),
            )
            .header("via", "v");
        std::future::ready(Ok(response.body(Body::from(said)).unwrap()))
    }
}

/// What sidecars said, a line for each header.
fn told(map: &http::HeaderMap) -> String {
    let lines = TOLD.iter().flat_map(|name| {
        let values = map.get_all(*name).iter();
        values.map(move |value| format!("{name}: {}\n", value.to_str().unwrap()))
    });
    lines.collect()
}

/// The HTTP app's port.
pub(crate) fn http(tasks: &TaskSet) -> u16 {
    let address: SocketAddr = serve(HttpApp, tasks);
    address.port()
}
