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
    task::{Context, Poll, ready},
};

use bytes::{BufMut, Bytes, BytesMut};
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode,
    header::{CONNECTION, HOST, UPGRADE},
};
use http_body::Body as _;
use hyper::{body::Incoming, upgrade::OnUpgrade};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{Body, hop};

/// The protocol, as `Upgrade` names it.
const H2C: &str = "h2c";
/// The settings of HTTP/2, which the real ones of the client repeat.
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

/// Bytes that a client begins with.
const PREFACE: usize = 24;
/// Bytes in front of a frame's payload.
const FRAME_HEAD: usize = 9;
/// Payload that every receiver takes (RFC 9113, section 4.2).
const MAX_PAYLOAD: usize = 16_384;
/// The type of a frame of header fields, and the flags that nothing follows it.
const HEADERS: u8 = 1;
const END_STREAM_END_HEADERS: u8 = 1 | 4;

/// Where a connection leaves the request that asked for an upgrade.
#[derive(Clone, Default)]
pub(super) struct Slot(Arc<Mutex<Option<Upgrade>>>);

/// An upgrade under way.
pub(super) struct Upgrade {
    pub(super) on: OnUpgrade,
    /// The request as a frame.
    pub(super) first: Bytes,
}

impl Slot {
    /// The answer to a request that asks for an upgrade, and can have it; every other request is to be answered as ever.
    pub(super) fn upgrade(&self, request: &mut Request<Incoming>) -> Option<Response<Body>> {
        // Most requests have no such header: that look-up is all that they pay.
        if !request.headers().contains_key(UPGRADE) || !asks(request) {
            return None;
        }
        let first = frame(request)?;
        let on = hyper::upgrade::on(&mut *request);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Upgrade { on, first });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let map = response.headers_mut();
        map.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        map.insert(UPGRADE, HeaderValue::from_static(H2C));
        Some(response)
    }

    /// Takes the upgrade, where there was one.
    pub(super) fn take(&self) -> Option<Upgrade> {
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

/// A connection into which a frame is put behind the client's first one, which holds its settings.
pub(super) struct Joined<I> {
    io: I,
    stage: Stage,
    first: Bytes,
}

/// How far the client's bytes have been read.
enum Stage {
    /// This many bytes before the first frame are missing.
    Preface(usize),
    /// The first frame's head, as far as it has come.
    Head { bytes: [u8; FRAME_HEAD], count: usize },
    /// This many bytes of the first frame's payload are missing.
    Payload(usize),
    /// What is to be put in comes next.
    First,
    /// Everything that follows is the client's.
    Open,
}

impl<I> Joined<I> {
    /// `io` with `first` in it.
    pub(super) fn new(io: I, first: Bytes) -> Self {
        Self {
            io,
            stage: Stage::Preface(PREFACE),
            first,
        }
    }
}

impl<I: AsyncRead + Unpin> Joined<I> {
    /// Reads at most `most` bytes of the client's, of those which are looked at.
    fn read_some<'t>(
        &mut self,
        cx: &mut Context<'_>,
        most: usize,
        scratch: &'t mut [u8],
    ) -> Poll<io::Result<&'t [u8]>> {
        let most = most.min(scratch.len());
        let mut part = ReadBuf::new(&mut scratch[..most]);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut part))?;
        let count = part.filled().len();
        Poll::Ready(Ok(&scratch[..count]))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Joined<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let missing = match &this.stage {
            Stage::Open => return Pin::new(&mut this.io).poll_read(cx, buf),
            Stage::First => {
                let part = this.first.split_to(this.first.len().min(buf.remaining()));
                buf.put_slice(&part);
                if this.first.is_empty() {
                    this.stage = Stage::Open;
                }
                return Poll::Ready(Ok(()));
            }
            Stage::Preface(missing) | Stage::Payload(missing) => *missing,
            Stage::Head { count, .. } => FRAME_HEAD - count,
        };
        let mut scratch = [0u8; 256];
        let read = ready!(this.read_some(cx, missing.min(buf.remaining()), &mut scratch))?;
        buf.put_slice(read);
        this.stage.go_on(read);
        Poll::Ready(Ok(()))
    }
}

impl Stage {
    fn go_on(&mut self, read: &[u8]) {
        match self {
            Self::Preface(missing) => {
                *missing -= read.len();
                if *missing == 0 {
                    *self = Self::Head {
                        bytes: [0; FRAME_HEAD],
                        count: 0,
                    };
                }
            }
            Self::Head { bytes, count } => {
                bytes[*count..*count + read.len()].copy_from_slice(read);
                *count += read.len();
                if *count == FRAME_HEAD {
                    let length = [0, bytes[0], bytes[1], bytes[2]];
                    *self = match u32::from_be_bytes(length) {
                        0 => Self::First,
                        length => Self::Payload(length as usize),
                    };
                }
            }
            Self::Payload(missing) => {
                *missing -= read.len();
                if *missing == 0 {
                    *self = Self::First;
                }
            }
            Self::First | Self::Open => {}
        }
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Joined<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests;
