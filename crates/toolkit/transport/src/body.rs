//! One body type.

mod adapters;
mod inner;

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use outrigger_base_std::BoxError;

use crate::{
    Error,
    client::{LeasedBody, PooledBody},
    server::Received,
};
use adapters::{Holding, Limited};
use inner::Inner;

/// Tells by their names which trailers go on.
pub type TrailerFilter = fn(&HeaderName) -> bool;

/// A request or response body: empty, bytes in memory, coming in from a connection, or anything else in a box.
///
/// It is forwarded frame by frame and ends with its trailers; nothing is collected unless [`Body::collect`] is called.
#[derive(Default)]
pub struct Body {
    inner: Inner,
    /// Which trailers are let through; all, where nobody asked.
    passes: Option<TrailerFilter>,
    /// The head announces trailers: the length is not told, because HTTP/1.1 has trailers behind chunks only.
    announced: bool,
    /// Set when the body turns out to be cut, where somebody wants to know.
    cut: Option<Arc<AtomicBool>>,
}

impl Body {
    /// A body without a byte.
    pub const fn empty() -> Self {
        Self::new(Inner::Empty)
    }

    /// Any body in a box. Its errors count as a body cut by its sender.
    pub fn boxed<B>(body: B) -> Self
    where
        B: HttpBody + Send + 'static,
        B::Data: Buf + Send,
        B::Error: Into<BoxError>,
    {
        let bytes = body.map_frame(|frame| frame.map_data(|mut data| data.copy_to_bytes(data.remaining())));
        Self::from_frames(bytes.map_err(|error| Error::Body(error.into())))
    }

    /// A body that yields our own errors as they are.
    pub fn from_frames<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes, Error = Error> + Send + 'static,
    {
        Self::new(Inner::Boxed(Box::pin(body)))
    }

    const fn new(inner: Inner) -> Self {
        Self {
            inner,
            passes: None,
            announced: false,
            cut: None,
        }
    }

    /// A request's body on a connection that is to know when it has ended.
    pub(crate) fn received(body: Received) -> Self {
        Self::new(Inner::Received(body))
    }

    /// The bytes, when the whole body already is in memory.
    pub fn as_bytes(&self) -> Option<Bytes> {
        match &self.inner {
            Inner::Empty => Some(Bytes::new()),
            Inner::Bytes(bytes) => Some(bytes.clone()),
            Inner::Incoming(_)
            | Inner::Received(_)
            | Inner::Pooled(_)
            | Inner::Leased(_)
            | Inner::Boxed(_) => None,
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

    /// Lets only those trailers through that `passes` names, of those that earlier filters let through.
    pub fn filter_trailers(&mut self, passes: TrailerFilter) {
        let may_have_trailers = !matches!(self.inner, Inner::Empty | Inner::Bytes(_));
        if self.passes.is_some() && may_have_trailers {
            // The earlier filter stays with the body inside.
            *self = Self::from_frames(std::mem::take(self));
        }
        self.passes = Some(passes);
    }

    /// Sends the body without telling its length, so that trailers can follow it over HTTP/1.1 as well.
    pub(crate) fn announce_trailers(&mut self) {
        self.announced = true;
    }

    /// Tells, at any later time, whether the body turned out to be cut; `None` for one in memory, which cannot be.
    pub(crate) fn watch_for_cut(&mut self) -> Option<Arc<AtomicBool>> {
        match &self.inner {
            Inner::Empty | Inner::Bytes(_) => None,
            Inner::Incoming(_)
            | Inner::Received(_)
            | Inner::Pooled(_)
            | Inner::Leased(_)
            | Inner::Boxed(_) => Some(self.cut.get_or_insert_default().clone()),
        }
    }

    /// Trailers as they go on; `None`, the end of the body, where none may.
    fn pass(&self, mut trailers: HeaderMap) -> Option<HeaderMap> {
        let Some(passes) = self.passes else {
            return Some(trailers);
        };
        let kept_back: Vec<HeaderName> = trailers.keys().filter(|name| !passes(name)).cloned().collect();
        for name in kept_back {
            trailers.remove(name);
        }
        (!trailers.is_empty()).then_some(trailers)
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.inner).poll_frame(cx));
        Poll::Ready(match frame {
            Some(Ok(frame)) if frame.is_trailers() => match frame.into_trailers() {
                Ok(trailers) => this.pass(trailers).map(|trailers| Ok(Frame::trailers(trailers))),
                Err(frame) => Some(Ok(frame)),
            },
            Some(Err(error)) => {
                if let Some(cut) = &this.cut {
                    cut.store(true, Ordering::Release);
                }
                Some(Err(error))
            }
            frame => frame,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let told = self.inner.size_hint();
        if !self.announced || self.is_end_stream() {
            return told;
        }
        let mut at_least = SizeHint::new();
        at_least.set_lower(told.lower());
        at_least
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({})", self.inner.kind())
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::new(if bytes.is_empty() {
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
        Self::new(if body.is_end_stream() {
            Inner::Empty
        } else {
            Inner::Incoming(body)
        })
    }
}

impl From<LeasedBody> for Body {
    fn from(body: LeasedBody) -> Self {
        Self::new(if body.has_ended() {
            Inner::Empty
        } else {
            Inner::Leased(body)
        })
    }
}

impl From<PooledBody> for Body {
    fn from(body: PooledBody) -> Self {
        Self::new(Inner::Pooled(body))
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
        let guard = Arc::new(());
        let mut body = chunks(&["a"]).holding(guard.clone());
        assert_eq!(Arc::strong_count(&guard), 2);
        while body.frame().await.is_some() {}
        assert_eq!(Arc::strong_count(&guard), 1);
    }

    /// A body of two bytes with trailers of these names.
    fn with_trailers(names: &[&'static str]) -> Body {
        let trailers = names
            .iter()
            .map(|name| (HeaderName::from_static(name), http::HeaderValue::from_static("1")));
        let frames = [
            Frame::data(Bytes::from_static(b"ab")),
            Frame::trailers(trailers.collect()),
        ];
        Body::boxed(StreamBody::new(stream::iter(frames.map(Ok::<_, BoxError>))))
    }

    #[tokio::test]
    async fn only_trailers_that_may_go_on_do() {
        let names = |trailers: Option<&HeaderMap>| -> Vec<String> {
            let keys = trailers.into_iter().flat_map(HeaderMap::keys);
            keys.map(ToString::to_string).collect()
        };
        let all = BodyExt::collect(with_trailers(&["x-a", "x-b"])).await.unwrap();
        assert_eq!(names(all.trailers()), ["x-a", "x-b"]);
        for (sent, left) in [(&["x-a", "x-b"][..], &["x-a"][..]), (&["x-b"], &[])] {
            let mut body = with_trailers(sent);
            body.filter_trailers(|name| name == "x-a");
            let body = BodyExt::collect(body).await.unwrap();
            assert_eq!(names(body.trailers()), left);
            assert_eq!(body.to_bytes(), "ab");
        }
    }

    #[tokio::test]
    async fn each_filter_of_trailers_holds() {
        let filters: [TrailerFilter; 2] = [|name| name != "x-a", |name| name != "x-b"];
        for filters in [filters, [filters[1], filters[0]]] {
            let mut body = with_trailers(&["x-a", "x-b", "x-c"]);
            for passes in filters {
                body.filter_trailers(passes);
            }
            let body = BodyExt::collect(body).await.unwrap();
            let names: Vec<_> = body.trailers().unwrap().keys().collect();
            assert_eq!(names, ["x-c"]);
        }
        // One in memory stays there.
        let mut body = Body::from("abc");
        for passes in filters {
            body.filter_trailers(passes);
        }
        assert_eq!(body.as_bytes().unwrap(), "abc");
    }

    #[tokio::test]
    async fn a_body_tells_that_it_was_cut() {
        let frames = [
            Ok::<_, BoxError>(Frame::data(Bytes::from_static(b"a"))),
            Err("cut".into()),
        ];
        let mut body = Body::boxed(StreamBody::new(stream::iter(frames)));
        let cut = body.watch_for_cut().unwrap();
        assert!(body.frame().await.unwrap().is_ok() && !cut.load(Ordering::Acquire));
        assert!(body.frame().await.unwrap().is_err() && cut.load(Ordering::Acquire));
        assert!(Body::from("in memory").watch_for_cut().is_none());
    }
}
