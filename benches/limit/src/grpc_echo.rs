//! The app as a gRPC service: every method of every service answers with the messages that it was sent.
//!
//! It works on the frames and never looks into a message, so it echoes unary calls and streams of any type. That also
//! makes it an acceptable callback app: a sidecar that asks for its subscriptions sends an empty message and gets one.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header::CONTENT_TYPE};
use http_body::{Body, Frame};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::serve::Server;

/// The content type of every answer.
pub(crate) const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
/// The trailer that carries a call's result; 0 is success.
pub(crate) const GRPC_STATUS: &str = "grpc-status";

/// Starts the app.
///
/// # Errors
/// When the address cannot be bound.
pub fn start(addr: SocketAddr, threads: usize) -> io::Result<Server> {
    Server::start(addr, threads, || connection)
}

async fn connection(stream: TcpStream) {
    let service = service_fn(|request| async move { Ok::<_, Infallible>(echo(request)) });
    // A client that goes away is the end of its connection and nothing more.
    let _ = http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

fn echo(request: Request<Incoming>) -> Response<Echo> {
    let mut response = Response::new(Echo {
        body: Some(request.into_body()),
    });
    response.headers_mut().insert(CONTENT_TYPE, GRPC);
    response
}

/// The request's data frames, then the trailers of a call that went well.
struct Echo {
    body: Option<Incoming>,
}

impl Body for Echo {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        loop {
            let Some(body) = self.body.as_mut() else {
                return Poll::Ready(None);
            };
            match ready!(Pin::new(body).poll_frame(cx)) {
                Some(Ok(frame)) if frame.is_data() => return Poll::Ready(Some(Ok(frame))),
                // A client's trailers mean nothing in gRPC.
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    self.body = None;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    self.body = None;
                    let mut trailers = HeaderMap::with_capacity(1);
                    trailers.insert(GRPC_STATUS, HeaderValue::from_static("0"));
                    return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
                }
            }
        }
    }
}
