//! Where a body comes from.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;

use crate::{
    Error,
    client::{LeasedBody, PooledBody},
    server::Received,
};

#[derive(Default)]
pub(super) enum Inner {
    #[default]
    Empty,
    Bytes(Bytes),
    Incoming(Incoming),
    Received(Received),
    Pooled(PooledBody),
    Leased(LeasedBody),
    Boxed(Pin<Box<dyn HttpBody<Data = Bytes, Error = Error> + Send>>),
}

impl Inner {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Bytes(_) => "bytes",
            Self::Incoming(_) | Self::Received(_) => "incoming",
            Self::Pooled(_) => "pooled",
            Self::Leased(_) => "leased",
            Self::Boxed(_) => "boxed",
        }
    }
}

impl HttpBody for Inner {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let inner = self.get_mut();
        match inner {
            Self::Empty => Poll::Ready(None),
            Self::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                *inner = Self::Empty;
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Self::Incoming(body) => Pin::new(body).poll_frame(cx).map_err(Error::body),
            Self::Received(body) => Pin::new(body).poll_frame(cx),
            Self::Pooled(body) => Pin::new(body).poll_frame(cx),
            Self::Leased(body) => Pin::new(body).poll_frame(cx),
            Self::Boxed(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::Incoming(body) => body.is_end_stream(),
            Self::Received(body) => body.is_end_stream(),
            Self::Pooled(body) => body.is_end_stream(),
            Self::Leased(body) => body.is_end_stream(),
            Self::Boxed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Incoming(body) => body.size_hint(),
            Self::Received(body) => body.size_hint(),
            Self::Pooled(body) => body.size_hint(),
            Self::Leased(body) => body.size_hint(),
            Self::Boxed(body) => body.size_hint(),
        }
    }
}
