//! One connection of the load generator.

use std::io;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::{Protocol, Target};
use crate::grpc_echo::GRPC_STATUS;

/// Bytes before a gRPC message: flag and length.
const GRPC_PREFIX: usize = 5;
/// Bytes of an unexpected answer that are kept for the report.
const EXCERPT: usize = 200;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection could be opened.
    #[error("connecting")]
    Connect(#[source] io::Error),
    /// The connection broke, or what came was not HTTP.
    #[error("talking HTTP")]
    Http(#[from] hyper::Error),
    /// The answer was no success.
    #[error("the answer was {status}: {body}")]
    Status {
        /// Its status.
        status: StatusCode,
        /// The beginning of its body.
        body: String,
    },
    /// The call ended, but not well.
    #[error("the call ended with grpc-status {0}")]
    Grpc(String),
    /// An echo gave back something else.
    #[error("the answer has {got} bytes instead of {expected}")]
    Length {
        /// The answer's length.
        got: usize,
        /// The request's length.
        expected: usize,
    },
    /// The template made a path that cannot be sent.
    #[error("the template gives a path that cannot be sent")]
    Path,
}

/// A connection, opened when needed and again after an error.
#[derive(Debug, Default)]
pub struct Client {
    sender: Option<Sender>,
}

#[derive(Debug)]
enum Sender {
    Http(http1::SendRequest<Full<Bytes>>),
    Grpc(http2::SendRequest<Full<Bytes>>),
}

impl Client {
    /// Sends request number `number` and reads the whole answer.
    ///
    /// # Errors
    /// When there is no answer, or it is not what was expected; the connection is opened anew after the former.
    pub async fn call(&mut self, target: &Target, number: u64) -> Result<(), ClientError> {
        let request = target.request(number).ok_or(ClientError::Path)?;
        let expected = http_body::Body::size_hint(request.body()).exact().unwrap_or(0) as usize;
        let mut sender = match self.sender.take() {
            Some(sender) => sender,
            None => connect(target).await?,
        };
        let response = match &mut sender {
            Sender::Http(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Sender::Grpc(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
        };
        let (head, body) = response.into_parts();
        let (body, trailers) = read(body).await?;
        self.sender = Some(sender);
        check(
            target,
            head.status,
            &head.headers,
            trailers.as_ref(),
            &body,
            expected,
        )
    }

    /// Opens the connection ahead of the first request.
    ///
    /// # Errors
    /// When the target does not listen.
    pub async fn connect(&mut self, target: &Target) -> Result<(), ClientError> {
        if self.sender.is_none() {
            self.sender = Some(connect(target).await?);
        }
        Ok(())
    }
}

async fn connect(target: &Target) -> Result<Sender, ClientError> {
    let stream = TcpStream::connect(target.addr())
        .await
        .map_err(ClientError::Connect)?;
    stream.set_nodelay(true).map_err(ClientError::Connect)?;
    let io = TokioIo::new(stream);
    // Each connection's task ends with its sender.
    Ok(match target.protocol() {
        Protocol::Http => {
            let (sender, connection) = http1::handshake(io).await?;
            tokio::spawn(connection);
            Sender::Http(sender)
        }
        Protocol::Grpc => {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
            tokio::spawn(connection);
            Sender::Grpc(sender)
        }
    })
}

/// The body in one piece; most come in one frame, which is then not copied.
async fn read(mut body: Incoming) -> Result<(Bytes, Option<HeaderMap>), hyper::Error> {
    let mut whole = Bytes::new();
    let mut trailers = None;
    while let Some(frame) = body.frame().await {
        match frame?.into_data() {
            Ok(data) if whole.is_empty() => whole = data,
            Ok(data) => whole = [whole, data].concat().into(),
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    Ok((whole, trailers))
}

fn check(
    target: &Target,
    status: StatusCode,
    headers: &HeaderMap,
    trailers: Option<&HeaderMap>,
    body: &Bytes,
    expected: usize,
) -> Result<(), ClientError> {
    if !status.is_success() {
        let body = String::from_utf8_lossy(&body[..body.len().min(EXCERPT)]).into_owned();
        return Err(ClientError::Status { status, body });
    }
    if target.protocol() == Protocol::Grpc {
        // A call that fails at once has its status in the head.
        let status = trailers
            .and_then(|t| t.get(GRPC_STATUS))
            .or_else(|| headers.get(GRPC_STATUS));
        if status.is_none_or(|status| status != "0") {
            return Err(ClientError::Grpc(
                status.map_or_else(|| "(none)".to_owned(), |s| format!("{s:?}")),
            ));
        }
        if body.len() < GRPC_PREFIX {
            return Err(ClientError::Length {
                got: body.len(),
                expected,
            });
        }
    }
    if target.check_echo() && body.len() != expected {
        return Err(ClientError::Length {
            got: body.len(),
            expected,
        });
    }
    Ok(())
}
