//! Apps and clients that hold HTTP/2 to its word, with a sidecar of each kind between them.
//!
//! A stream whose data is longer or shorter than its `content-length` is malformed (RFC 9113, section 8.1.1). The length of
//! a call over HTTP is not that of the message that it becomes, so it must not come through to either.

use std::convert::Infallible;

use http::Method;
use hyper::{server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use outrigger_testing_harness::{Folder, NamespacePair, eventually};
use outrigger_wire_proto::{
    common::{InvokeRequest, InvokeResponse},
    runtime::app_callback_server::{AppCallback, AppCallbackServer},
};
use tokio::task::JoinSet;
use tonic::{Request, Response, Status};
use tower::Service;

use super::theirs;
use crate::rig::{
    App, Kind, PATIENCE, Place, Plan, call,
    grpc::invoke_service,
    http::{request, try_call},
};

/// A gRPC app that gives the data of each call back, behind the length that it was told of it.
#[derive(Debug)]
struct Strict;

#[tonic::async_trait]
impl AppCallback for Strict {
    async fn on_invoke(&self, call: Request<InvokeRequest>) -> Result<Response<InvokeResponse>, Status> {
        let told = call.metadata().get("dapr-content-length");
        let told = told.map_or("", |value| value.to_str().unwrap()).to_owned();
        let mut data = call.into_inner().data.unwrap_or_default();
        let text = format!("{told} {}", String::from_utf8_lossy(&data.value));
        data.value = text.into();
        Ok(Response::new(InvokeResponse {
            data: Some(data),
            content_type: "text/plain".to_owned(),
        }))
    }
}

/// Serves the app; its port and what holds it.
fn strict(place: &Place) -> (u16, JoinSet<()>) {
    let listener = place.listen();
    let port = listener.local_addr().unwrap().port();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let mut server = JoinSet::new();
    server.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(async move {
                let service = service_fn(|request| async move {
                    Ok::<_, Infallible>(AppCallbackServer::new(Strict).call(request).await.unwrap())
                });
                // A sidecar that goes away is the end of its connection and nothing more.
                let builder = http2::Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (port, server)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_length_of_a_call_breaks_no_stream() {
    let kind = theirs().unwrap_or(Kind::Ours);
    let pair = NamespacePair::new().unwrap();
    let (left, right) = (Place::of(&pair.left), Place::of(&pair.right));
    let folders = [Folder::new("left").unwrap(), Folder::new("right").unwrap()];
    let app = App::at("left", &left);
    let (port, _server) = strict(&right);
    let ours = Plan::new("left", folders[0].path())
        .at(&left)
        .app(app.port, "http");
    let theirs = Plan::new("right", folders[1].path()).kind(&kind).at(&right);
    let (ours, theirs) = (ours.start().await, theirs.app(port, "grpc").start().await);

    // To the app: as Dapr's own callers do, ours tell the length by another name.
    let asked = || request(Method::POST, "/v1.0/invoke/right/method/echo", "hello");
    eventually(PATIENCE, || async {
        match try_call(&ours.place, ours.http, asked(), PATIENCE).await {
            Ok(answer) if answer.status == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert_eq!(call(&ours, asked()).await.unwrap().ok().text(), "5 hello");

    // To the client: the app's answer has a length.
    eventually(PATIENCE, || async {
        invoke_service(&theirs, "left", "sink", "hello")
            .await
            .map(|said| assert_eq!(said, "5"))
    })
    .await;
}
