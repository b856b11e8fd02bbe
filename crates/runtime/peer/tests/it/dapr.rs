//! Sidecars of Dapr's.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use http::{Request, Response};
use outrigger_base_std::chain;
use outrigger_base_task::TaskSet;
use outrigger_transport::{Body, server::Options};
use outrigger_wire_proto::{
    common::StreamPayload,
    internals::{
        InternalInvokeRequestStream, InternalInvokeResponse, InternalInvokeResponseStream,
        Status as AppStatus,
        service_invocation_server::{ServiceInvocation, ServiceInvocationServer},
    },
};
use tokio::sync::{Notify, watch};
use tonic::{Status, Streaming};
use tower_service::Service;

use crate::rig::{APP, Directory, cut_after, frames, request, serve};

/// A sidecar that gives bodies back as Dapr's does, for an HTTP app.
#[derive(Debug, Default)]
struct Sidecar {
    /// Told of every chunk.
    came: Arc<Notify>,
    /// Whether each body was whole.
    whole: watch::Sender<Vec<bool>>,
}

/// Notes a body that ends, and one that nobody waits for any more.
struct Ending<'a> {
    whole: bool,
    sidecar: &'a Sidecar,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.sidecar.whole.send_modify(|bodies| bodies.push(self.whole));
    }
}

type Answers = Pin<Box<dyn Stream<Item = Result<InternalInvokeResponseStream, Status>> + Send>>;

#[tonic::async_trait]
impl ServiceInvocation for Sidecar {
    async fn call_local_stream(
        &self,
        call: tonic::Request<Streaming<InternalInvokeRequestStream>>,
    ) -> Result<tonic::Response<Answers>, Status> {
        let mut ending = Ending {
            whole: false,
            sidecar: self,
        };
        let mut messages = call.into_inner();
        let mut data = BytesMut::new();
        while let Some(message) = messages.message().await? {
            if let Some(payload) = message.payload {
                data.extend_from_slice(&payload.data);
                self.came.notify_one();
            }
        }
        ending.whole = true;
        Ok(tonic::Response::new(Box::pin(stream::iter(
            answer(data.freeze()).map(Ok),
        ))))
    }
}

fn answer(data: Bytes) -> [InternalInvokeResponseStream; 2] {
    let head = InternalInvokeResponse {
        status: Some(AppStatus {
            code: 200,
            ..AppStatus::default()
        }),
        ..InternalInvokeResponse::default()
    };
    [
        InternalInvokeResponseStream {
            response: Some(head),
            payload: None,
        },
        InternalInvokeResponseStream {
            response: None,
            payload: Some(StreamPayload { data, seq: 0 }),
        },
    ]
}

/// The service with our body.
#[derive(Clone)]
struct Boxed(ServiceInvocationServer<Sidecar>);

impl Service<Request<Body>> for Boxed {
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let call = self.0.call(request);
        Box::pin(async move { Ok(call.await?.map(Body::boxed)) })
    }
}

#[tokio::test]
async fn an_upload_that_is_cut_is_not_whole_for_a_sidecar_of_daprs() {
    let (tasks, directory) = (TaskSet::new("test"), Directory::default());
    let sidecar = Sidecar::default();
    let (came, mut whole) = (sidecar.came.clone(), sidecar.whole.subscribe());
    // As Dapr's, it knows no HTTP/1.1.
    let options = Options {
        http1: false,
        ..Options::default()
    };
    directory.set([serve(
        Boxed(ServiceInvocationServer::new(sidecar)),
        options,
        &tasks,
    )]);
    let peers = directory.peers(&tasks);

    let body = frames(stream::iter([Ok("a"), Ok("b")]));
    let answer = peers.invoke(APP, request(body)).await.unwrap();
    assert_eq!(answer.into_body().collect(10).await.unwrap(), "ab");
    assert_eq!(*whole.borrow(), [true]);

    // Two chunks have come by now.
    came.notified().await;
    let cut = cut_after("a", async move { came.notified().await });
    let error = peers.invoke(APP, request(cut)).await.unwrap_err();
    assert!(
        chain(&error).contains("the client went away"),
        "{}",
        chain(&error)
    );
    whole.wait_for(|bodies| bodies.len() == 2).await.unwrap();
    assert_eq!(*whole.borrow(), [true, false]);

    // One that is too large for us is cut as well, and says so.
    let large = frames(stream::iter([Ok("a"), Ok("b")])).limited(1);
    let error = peers.invoke(APP, request(large)).await.unwrap_err();
    assert!(chain(&error).contains("too large"), "{}", chain(&error));
}
