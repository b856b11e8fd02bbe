//! From HTTP/1.1 to HTTP/2 on one connection (RFC 7540, section 3.2): `Upgrade: h2c`.
//!
//! After the upgrade the request that asked for it is answered on stream 1, which no client ever opens. So the request
//! is put into the stream of bytes once more, as the frame that a client would have sent, behind the client's settings:
//! the HTTP/2 side sees an ordinary stream. Header fields are written without a reference to any table, so that the
//! client's compression state is not touched.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::{BufMut, Bytes, BytesMut};
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode,
    header::{CONNECTION, HOST, UPGRADE},
};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::io::AsyncReadExt;

use super::{
    HEAD_TICKS,
    io::{Io, PREFACE},
    pings::{FRAME_HEAD, HEADERS},
    signals::Signals,
};
use crate::{Body, hop};

/// The protocol, as `Upgrade` names it.
const H2C: &str = "h2c";
/// The settings of HTTP/2, which the real ones of the client repeat.
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

/// Payload that every receiver takes (RFC 9113, section 4.2).
const MAX_PAYLOAD: usize = 16_384;
/// The flags of a frame of header fields that nothing follows.
const END_STREAM_END_HEADERS: u8 = 1 | 4;

/// Where a connection leaves the request that asked for an upgrade, as a frame.
#[derive(Clone, Default)]
pub(super) struct Slot(Arc<Mutex<Option<Bytes>>>);

impl Slot {
    /// The answer to a request that asks for an upgrade, and can have it; every other request is to be answered as ever.
    pub(super) fn upgrade(&self, request: &Request<Incoming>) -> Option<Response<Body>> {
        // Most requests have no such header: that look-up is all that they pay.
        if !request.headers().contains_key(UPGRADE) || !asks(request) {
            return None;
        }
        let first = frame(request)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(first);
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let map = response.headers_mut();
        map.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        map.insert(UPGRADE, HeaderValue::from_static(H2C));
        Some(response)
    }

    /// Takes the request, where there was one.
    pub(super) fn take(&self) -> Option<Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Whether a request asks for HTTP/2 as the protocol wants it. One with a body is answered as it is: the body would have
/// to be taken into memory first.
fn asks(request: &Request<Incoming>) -> bool {
    let map = request.headers();
    let nominated = |name: &str| names(map, &CONNECTION, name);
    names(map, &UPGRADE, H2C)
        && nominated(UPGRADE.as_str())
        && nominated(HTTP2_SETTINGS.as_str())
        && map.get_all(&HTTP2_SETTINGS).iter().count() == 1
        && request.body().is_end_stream()
}

/// Whether a list of tokens in a header holds `token`.
fn names(map: &HeaderMap, header: &HeaderName, token: &str) -> bool {
    let values = map.get_all(header).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|one| one.trim().eq_ignore_ascii_case(token))
}

/// A request without a body as a frame on stream 1; `None` when it does not fit into one.
fn frame<B>(request: &Request<B>) -> Option<Bytes> {
    let mut map = request.headers().clone();
    let authority = map.remove(HOST);
    hop::strip(&mut map);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let mut block = BytesMut::with_capacity(512);
    put(&mut block, b":method", request.method().as_str().as_bytes());
    put(&mut block, b":scheme", b"http");
    if let Some(authority) = &authority {
        put(&mut block, b":authority", authority.as_bytes());
    }
    put(&mut block, b":path", path.as_bytes());
    for (name, value) in &map {
        put(&mut block, name.as_str().as_bytes(), value.as_bytes());
    }
    let length = u32::try_from(block.len()).ok()?;
    if block.len() > MAX_PAYLOAD {
        return None;
    }
    let mut frame = BytesMut::with_capacity(FRAME_HEAD + block.len());
    frame.put_uint(length.into(), 3);
    frame.put_u8(HEADERS);
    frame.put_u8(END_STREAM_END_HEADERS);
    frame.put_u32(1);
    frame.put(block);
    Some(frame.freeze())
}

/// A header field, literally and without indexing (RFC 7541, section 6.2.2).
fn put(block: &mut BytesMut, name: &[u8], value: &[u8]) {
    block.put_u8(0);
    for text in [name, value] {
        put_length(block, text.len());
        block.put_slice(text);
    }
}

/// A length with a prefix of seven bits (RFC 7541, section 5.1).
fn put_length(block: &mut BytesMut, length: usize) {
    const PREFIX_MAX: usize = 127;
    if length < PREFIX_MAX {
        block.put_u8(length as u8);
        return;
    }
    block.put_u8(PREFIX_MAX as u8);
    let mut rest = length - PREFIX_MAX;
    while rest >= 128 {
        block.put_u8((rest % 128 + 128) as u8);
        rest /= 128;
    }
    block.put_u8(rest as u8);
}

/// Reads how the client begins, its settings included, and puts the request behind that. `None` when the client does not
/// begin in time or not as it should.
pub(super) async fn splice(mut io: Io, first: Bytes, signals: Pin<&mut Signals<'_>>) -> Option<Io> {
    let begin = signals.within(HEAD_TICKS, begin(&mut io)).await;
    match begin? {
        Ok(mut bytes) => {
            bytes.extend_from_slice(&first);
            io.put_back(bytes.freeze());
            Some(io)
        }
        Err(error) => {
            tracing::debug!(%error, "an upgraded connection does not begin like HTTP/2");
            None
        }
    }
}

/// Reads the preface and the first frame.
async fn begin(io: &mut Io) -> io::Result<BytesMut> {
    let mut bytes = BytesMut::zeroed(PREFACE.len() + FRAME_HEAD);
    io.read_exact(&mut bytes).await?;
    let [a, b, c] = [0, 1, 2].map(|at| bytes[PREFACE.len() + at]);
    let length = u32::from_be_bytes([0, a, b, c]) as usize;
    if length > MAX_PAYLOAD {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the first frame is too large",
        ));
    }
    let head = bytes.len();
    bytes.resize(head + length, 0);
    io.read_exact(&mut bytes[head..]).await?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
