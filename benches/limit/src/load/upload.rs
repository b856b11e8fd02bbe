//! One large streamed upload, of a length that the receiver is not told.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use http::{Method, StatusCode};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::{ClientError, Target};

/// Bytes of one frame.
const CHUNK: usize = 64 * 1024;

/// Sends `length` bytes in chunks and answers how long it took and what came back.
///
/// # Errors
/// When the connection breaks or the answer is no success.
pub async fn upload(target: &Target, length: u64) -> Result<Value, ClientError> {
    let stream = TcpStream::connect(target.addr())
        .await
        .map_err(ClientError::Connect)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut request = target
        .head(0)
        .ok_or(ClientError::Path)?
        .map(|()| Chunks::new(length));
    *request.method_mut() = Method::POST;
    let start = Instant::now();
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    let seconds = start.elapsed().as_secs_f64();
    connection.abort();
    let body = String::from_utf8_lossy(&body).into_owned();
    if status != StatusCode::OK {
        return Err(ClientError::Status { status, body });
    }
    Ok(json!({ "seconds": seconds, "megabytes_per_second": length as f64 / 1e6 / seconds, "answer": body }))
}

struct Chunks {
    chunk: Bytes,
    left: u64,
}

impl Chunks {
    fn new(length: u64) -> Self {
        Self {
            chunk: Bytes::from(vec![b'x'; CHUNK]),
            left: length,
        }
    }
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let length = self.left.min(CHUNK as u64) as usize;
        self.left -= length as u64;
        Poll::Ready(Some(Ok(Frame::data(self.chunk.slice(..length)))))
    }
}
