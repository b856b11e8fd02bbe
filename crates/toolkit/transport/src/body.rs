//! One body type.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use outrigger_base_std::BoxError;

use crate::{
    Error,
    client::{LeasedBody, PooledBody},
};

/// A request or response body: empty, bytes in memory, coming in from a connection, or anything else in a box.
///
/// It is forwarded frame by frame and ends with its trailers; nothing is collected unless [`Body::collect`] is called.
#[derive(Default)]
pub struct Body(Inner);

#[derive(Default)]
enum Inner {
    #[default]
    Empty,
    Bytes(Bytes),
    Incoming(Incoming),
    Pooled(PooledBody),
    Leased(LeasedBody),
    Boxed(Pin<Box<dyn HttpBody<Data = Bytes, Error = Error> + Send>>),
}

impl Body {
    /// A body without a byte.
    pub const fn empty() -> Self {
        Self(Inner::Empty)
    }

    /// Any body in a box. Its errors count as a body cut by its sender.
    pub fn boxed<B>(body: B) -> Self
    where
        B: HttpBody + Send + 'static,
        B::Data: Buf + Send,
        B::Error: Into<BoxError>,
    {
        let bytes = body.map_frame(|frame| frame.map_data(|mut data| data.copy_to_bytes(data.remaining())));
        Self(Inner::Boxed(Box::pin(
            bytes.map_err(|error| Error::Body(error.into())),
        )))
    }

    /// A body that yields our own errors as they are.
    pub fn from_frames<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes, Error = Error> + Send + 'static,
    {
        Self(Inner::Boxed(Box::pin(body)))
    }

    /// The bytes, when the whole body already is in memory.
    pub fn as_bytes(&self) -> Option<Bytes> {
        match &self.0 {
            Inner::Empty => Some(Bytes::new()),
            Inner::Bytes(bytes) => Some(bytes.clone()),
            Inner::Incoming(_) | Inner::Pooled(_) | Inner::Leased(_) | Inner::Boxed(_) => None,
        }
    }

    /// Takes the whole body into memory, at most `limit` bytes of it; trailers are dropped.
    pub async fn collect(mut self, limit: u64) -> Result<Bytes, Error> {
        if self.size_hint().lower() > limit {
            return Err(Error::TooLarge { limit });
        }
        if let Some(bytes) = self.as_bytes() {
            return Ok(bytes);
        }
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while let Some(frame) = self.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            if (first.len() + rest.len() + data.len()) as u64 > limit {
                return Err(Error::TooLarge { limit });
            }
            if first.is_empty() && rest.is_empty() {
                first = data;
                continue;
            }
            if rest.is_empty() {
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&data);
        }
        Ok(if rest.is_empty() { first } else { rest.freeze() })
    }

    /// Fails with [`Error::TooLarge`] once more than `limit` bytes have come.
    #[must_use]
    pub fn limited(self, limit: u64) -> Self {
        if self.size_hint().upper().is_some_and(|upper| upper <= limit) {
            return self;
        }
        Self::from_frames(Limited {
            body: self,
            left: limit,
            limit,
        })
    }

    /// Holds `guard` until the body has ended or is dropped.
    #[must_use]
    pub fn holding<G: Send + Unpin + 'static>(self, guard: G) -> Self {
        Self::from_frames(Holding {
            body: self,
            guard: Some(guard),
        })
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let inner = &mut self.get_mut().0;
        match inner {
            Inner::Empty => Poll::Ready(None),
            Inner::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                *inner = Inner::Empty;
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Inner::Incoming(body) => Pin::new(body).poll_frame(cx).map_err(Error::body),
            Inner::Pooled(body) => Pin::new(body).poll_frame(cx),
            Inner::Leased(body) => Pin::new(body).poll_frame(cx),
            Inner::Boxed(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Empty => true,
            Inner::Bytes(bytes) => bytes.is_empty(),
            Inner::Incoming(body) => body.is_end_stream(),
            Inner::Pooled(body) => body.is_end_stream(),
            Inner::Leased(body) => body.is_end_stream(),
            Inner::Boxed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Empty => SizeHint::with_exact(0),
            Inner::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Inner::Incoming(body) => body.size_hint(),
            Inner::Pooled(body) => body.size_hint(),
            Inner::Leased(body) => body.size_hint(),
            Inner::Boxed(body) => body.size_hint(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            Inner::Empty => "empty",
            Inner::Bytes(_) => "bytes",
            Inner::Incoming(_) => "incoming",
            Inner::Pooled(_) => "pooled",
            Inner::Leased(_) => "leased",
            Inner::Boxed(_) => "boxed",
        };
        write!(f, "Body({kind})")
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(if bytes.is_empty() {
            Inner::Empty
        } else {
            Inner::Bytes(bytes)
        })
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl From<Incoming> for Body {
    fn from(body: Incoming) -> Self {
        Self(if body.is_end_stream() {
            Inner::Empty
        } else {
            Inner::Incoming(body)
        })
    }
}

impl From<LeasedBody> for Body {
    fn from(body: LeasedBody) -> Self {
        Self(if body.has_ended() {
            Inner::Empty
        } else {
            Inner::Leased(body)
        })
    }
}

impl From<PooledBody> for Body {
    fn from(body: PooledBody) -> Self {
        Self(Inner::Pooled(body))
    }
}

/// A body with a bound.
struct Limited {
    body: Body,
    left: u64,
    limit: u64,
}

impl HttpBody for Limited {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            match self.left.checked_sub(data.len() as u64) {
                Some(left) => self.left = left,
                None => return Poll::Ready(Some(Err(Error::TooLarge { limit: self.limit }))),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that keeps something alive while it lasts.
struct Holding<G> {
    body: Body,
    guard: Option<G>,
}

impl<G: Unpin> HttpBody for Holding<G> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) || self.body.is_end_stream() {
            self.guard = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::StreamBody;

    use super::*;

    fn chunks(parts: &'static [&'static str]) -> Body {
        let frames = parts
            .iter()
            .map(|part| Ok::<_, BoxError>(Frame::data(Bytes::from_static(part.as_bytes()))));
        Body::boxed(StreamBody::new(stream::iter(frames)))
    }

    #[tokio::test]
    async fn collect_joins_chunks_up_to_the_limit() {
        assert_eq!(chunks(&["ab", "cd", "e"]).collect(5).await.unwrap(), "abcde");
        assert_eq!(Body::from("abc").collect(3).await.unwrap(), "abc");
        assert!(matches!(
            chunks(&["ab", "cd"]).collect(3).await,
            Err(Error::TooLarge { limit: 3 })
        ));
        assert!(matches!(
            Body::from("abcd").collect(3).await,
            Err(Error::TooLarge { limit: 3 })
        ));
    }

    #[tokio::test]
    async fn limited_cuts_a_stream_of_unknown_length() {
        assert!(matches!(
            chunks(&["ab", "cd"]).limited(3).collect(100).await,
            Err(Error::TooLarge { limit: 3 })
        ));
        assert_eq!(chunks(&["ab", "c"]).limited(3).collect(100).await.unwrap(), "abc");
    }

    #[tokio::test]
    async fn holding_lets_go_at_the_end() {
        let guard = std::sync::Arc::new(());
        let mut body = chunks(&["a"]).holding(guard.clone());
        assert_eq!(std::sync::Arc::strong_count(&guard), 2);
        while body.frame().await.is_some() {}
        assert_eq!(std::sync::Arc::strong_count(&guard), 1);
    }
}
