//! Clients that behave.

use std::{io, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{task::JoinSet, time::timeout};

use super::{PATIENCE, Place, Sidecar};

/// An answer, whole.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// A connection that is kept open between calls.
#[derive(Debug)]
pub(crate) struct Client {
    sender: http1::SendRequest<Full<Bytes>>,
    _connection: JoinSet<()>,
}

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The status, and the `errorCode` of an error of the sidecar's own.
    pub(crate) fn code(&self) -> (u16, String) {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        (
            self.status,
            body["errorCode"].as_str().unwrap_or_default().to_owned(),
        )
    }

    /// Asserts that it went well.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert!(
            (200..300).contains(&self.status),
            "{} {}",
            self.status,
            self.text()
        );
        self
    }
}

impl Client {
    /// Connects.
    pub(crate) async fn connect(place: &Place, port: u16) -> io::Result<Self> {
        let stream = place.connect(port).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // The exchange reports the error.
            let _ = connection.await;
        });
        Ok(Self {
            sender,
            _connection: tasks,
        })
    }

    /// Sends a request and gives the answer as it comes in.
    pub(crate) async fn begin(&mut self, request: Request<Full<Bytes>>) -> io::Result<Response<Incoming>> {
        self.sender.ready().await.map_err(io::Error::other)?;
        self.sender.send_request(request).await.map_err(io::Error::other)
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn call(&mut self, request: Request<Full<Bytes>>) -> io::Result<Answer> {
        let (head, body) = self.begin(request).await?.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        Ok(Answer {
            status: head.status.as_u16(),
            body,
        })
    }
}

/// A request for a path of loopback.
pub(crate) fn request(method: Method, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Full::new(body.into()))
        .unwrap()
}

/// One call over a connection of its own.
pub(crate) async fn call(sidecar: &Sidecar, request: Request<Full<Bytes>>) -> io::Result<Answer> {
    try_call(&sidecar.place, sidecar.http, request, PATIENCE).await
}

/// One call of any port, with a limit of time.
pub(crate) async fn try_call(
    place: &Place,
    port: u16,
    request: Request<Full<Bytes>>,
    limit: Duration,
) -> io::Result<Answer> {
    let exchange = async { Client::connect(place, port).await?.call(request).await };
    timeout(limit, exchange)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// `GET`, which must be answered.
pub(crate) async fn get(sidecar: &Sidecar, path: &str) -> Answer {
    call(sidecar, request(Method::GET, path, "")).await.unwrap()
}

/// `POST`, which must be answered.
pub(crate) async fn post(sidecar: &Sidecar, path: &str, body: impl Into<Bytes>) -> Answer {
    call(sidecar, request(Method::POST, path, body)).await.unwrap()
}
