//! A gRPC app with a service of its own, which no sidecar knows: one method of each kind.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Stream, StreamExt, stream};
use http::{Request, Response};
use outrigger_base_task::{StopSignal, TaskSet};
use outrigger_transport::Body;
use outrigger_wire_proto::common::StreamPayload;
use tonic::{
    Status, Streaming,
    server::{ClientStreamingService, Grpc, ServerStreamingService, StreamingService, UnaryService},
};
use tonic_prost::ProstCodec;

use crate::rig::serve;

type Payloads = Pin<Box<dyn Stream<Item = Result<StreamPayload, Status>> + Send>>;
type Answer<T> = Pin<Box<dyn Future<Output = Result<tonic::Response<T>, Status>> + Send>>;

/// The app. `gone` goes off when a call of `/echo.Echo/Endless` was dropped by its caller.
#[derive(Debug, Clone, Default)]
pub(crate) struct Echo {
    pub(crate) gone: StopSignal,
}

impl Echo {
    pub(crate) fn serve(self, tasks: &TaskSet) -> u16 {
        serve(self, tasks).port()
    }
}

fn with_metadata<T>(metadata: &tonic::metadata::MetadataMap, message: T) -> tonic::Response<T> {
    let mut response = tonic::Response::new(message);
    for name in [
        "x-mine",
        "dapr-api-token",
        "dapr-caller-app-id",
        "dapr-callee-app-id",
    ] {
        if let Some(value) = metadata.get(name) {
            response.metadata_mut().insert(name, value.clone());
        }
    }
    response
}

impl UnaryService<StreamPayload> for Echo {
    type Response = StreamPayload;
    type Future = Answer<StreamPayload>;

    fn call(&mut self, request: tonic::Request<StreamPayload>) -> Self::Future {
        Box::pin(async move {
            if request.get_ref().seq == 99 {
                return Err(Status::with_details(
                    tonic::Code::DataLoss,
                    "lost",
                    vec![8, 15].into(),
                ));
            }
            let metadata = request.metadata().clone();
            Ok(with_metadata(&metadata, request.into_inner()))
        })
    }
}

impl ClientStreamingService<StreamPayload> for Echo {
    type Response = StreamPayload;
    type Future = Answer<StreamPayload>;

    fn call(&mut self, request: tonic::Request<Streaming<StreamPayload>>) -> Self::Future {
        Box::pin(async move {
            let mut sum = StreamPayload::default();
            let mut messages = request.into_inner();
            while let Some(message) = messages.message().await? {
                sum.seq += message.seq;
            }
            Ok(tonic::Response::new(sum))
        })
    }
}

impl ServerStreamingService<StreamPayload> for Echo {
    type Response = StreamPayload;
    type ResponseStream = Payloads;
    type Future = Answer<Payloads>;

    fn call(&mut self, request: tonic::Request<StreamPayload>) -> Self::Future {
        let count = request.get_ref().seq;
        let numbers = stream::iter(0..count).map(|seq| Ok(payload(seq)));
        let answers: Payloads = match count {
            0 => endless(self.gone.clone()),
            // Some messages, then an error in the trailers.
            3 => Box::pin(numbers.chain(stream::iter([Err(Status::aborted("enough"))]))),
            _ => Box::pin(numbers),
        };
        Box::pin(async move { Ok(tonic::Response::new(answers)) })
    }
}

impl StreamingService<StreamPayload> for Echo {
    type Response = StreamPayload;
    type ResponseStream = Payloads;
    type Future = Answer<Payloads>;

    fn call(&mut self, request: tonic::Request<Streaming<StreamPayload>>) -> Self::Future {
        let answers: Payloads = Box::pin(request.into_inner());
        Box::pin(async move { Ok(tonic::Response::new(answers)) })
    }
}

pub(crate) fn payload(seq: u64) -> StreamPayload {
    StreamPayload {
        data: "x".into(),
        seq,
    }
}

/// One message, then none for ever; the signal goes off when it is dropped.
fn endless(gone: StopSignal) -> Payloads {
    struct Guard(StopSignal);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.stop();
        }
    }
    let guard = Guard(gone);
    let first = stream::iter([Ok(payload(0))]);
    Box::pin(first.chain(stream::pending()).map(move |message| {
        let _held = &guard;
        message
    }))
}

impl tower_service::Service<Request<Body>> for Echo {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let app = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<StreamPayload, StreamPayload>::default());
            let response = match request.uri().path() {
                "/echo.Echo/Unary" => grpc.unary(app, request).await,
                "/echo.Echo/Sum" => grpc.client_streaming(app, request).await,
                "/echo.Echo/Count" => grpc.server_streaming(app, request).await,
                "/echo.Echo/Chat" => grpc.streaming(app, request).await,
                _ => Status::unimplemented("no such method").into_http(),
            };
            Ok(response.map(Body::boxed))
        })
    }
}
