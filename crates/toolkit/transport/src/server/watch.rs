//! What is known of the exchanges on a connection: enough to tell a connection at rest from one that is waited for.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use pin_project_lite::pin_project;

use crate::{Body, Error};

/// A request is being answered.
const ANSWERING: u16 = 1;
/// The body of the last request has not ended.
const UPLOADING: u16 = 2;
/// Nobody reads the rest of the last request's body.
const CUT: u16 = 4;
/// Bytes have come that belong to no exchange: the next head has begun.
const HEAD: u16 = 8;
/// A head has come since the last look, or bytes that had waited have gone.
const FRESH: u16 = 16;
/// The other side says no more.
const OVER: u16 = 32;
/// hyper has not yet had the turn in which it deals with what nobody reads.
const DRAIN: u16 = 64;
/// hyper has that turn.
const DRAINING: u16 = 128;
/// Bytes of an answer wait for the other side to take them.
const UNSENT: u16 = 256;

/// What a connection over HTTP/1.1 is at. It is told by the connection's bytes, its requests and its answers.
///
/// The flags are no more than what they say: nothing else is published with them, so `Relaxed` is enough.
#[derive(Debug, Clone, Default)]
pub(super) struct Watch(Arc<AtomicU16>);

/// What a look at a connection finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// It is in use.
    Busy,
    /// A head has begun and is not whole.
    Head,
    /// Nothing has happened since the last look.
    Quiet,
}

impl Watch {
    /// A request has come. The guard is to live until its answer has ended.
    pub(super) fn begin(&self) -> Answering {
        self.0
            .fetch_and(!(HEAD | CUT | DRAIN | DRAINING), Ordering::Relaxed);
        self.0.fetch_or(ANSWERING | FRESH, Ordering::Relaxed);
        Answering(self.clone())
    }

    /// The body of the request that has come.
    pub(super) fn upload(&self, body: Incoming) -> Body {
        if body.is_end_stream() {
            return Body::empty();
        }
        self.0.fetch_or(UPLOADING, Ordering::Relaxed);
        Body::received(Received {
            body,
            upload: Upload {
                has_ended: false,
                watch: self.clone(),
            },
        })
    }

    /// Bytes have come. Empty lines are no head: some clients send one after a body (RFC 9112, section 2.2).
    pub(super) fn note_read(&self, bytes: &[u8]) {
        let belongs_to_another = ANSWERING | UPLOADING | HEAD | DRAIN | DRAINING;
        if self.0.load(Ordering::Relaxed) & belongs_to_another == 0 && !bytes.iter().all(is_line_end) {
            self.0.fetch_or(HEAD, Ordering::Relaxed);
        }
    }

    /// Bytes have gone, or wait for the other side to take those that went before.
    pub(super) fn note_write(&self, waits: bool) {
        let waited = self.0.load(Ordering::Relaxed) & UNSENT != 0;
        if waits && !waited {
            self.0.fetch_or(UNSENT, Ordering::Relaxed);
        } else if waited && !waits {
            self.0.fetch_or(FRESH, Ordering::Relaxed);
            self.0.fetch_and(!UNSENT, Ordering::Relaxed);
        }
    }

    /// hyper gets a turn. What it reads there may be the rest of a body that nobody reads: it looks once, and takes the
    /// rest when it is there and gives the connection up when it is not. Whether that is so, and
    /// [`Watch::end_drain`] is to follow.
    pub(super) fn begin_drain(&self) -> bool {
        if !self.is_to_drain() {
            return false;
        }
        self.0.fetch_or(DRAINING, Ordering::Relaxed);
        self.0.fetch_and(!DRAIN, Ordering::Relaxed);
        true
    }

    /// Whether hyper is to have such a turn.
    pub(super) fn is_to_drain(&self) -> bool {
        self.0.load(Ordering::Relaxed) & DRAIN != 0
    }

    /// The turn has ended. Should another body have been dropped in it, that one's is still to come.
    pub(super) fn end_drain(&self) {
        self.0.fetch_and(!DRAINING, Ordering::Relaxed);
    }

    /// The other side says no more.
    pub(super) fn note_end(&self) {
        self.0.fetch_or(OVER, Ordering::Relaxed);
    }

    /// What the connection is at.
    pub(super) fn look(&self) -> Look {
        let seen = self.0.fetch_and(!FRESH, Ordering::Relaxed);
        if seen & (ANSWERING | UPLOADING | FRESH | UNSENT) != 0 {
            Look::Busy
        } else if seen & HEAD != 0 {
            Look::Head
        } else if seen & CUT != 0 {
            // Only the next head shows that the connection has got over it.
            Look::Busy
        } else {
            Look::Quiet
        }
    }

    /// Whether another exchange can follow: nothing is left of the last one, and the other side is there.
    pub(super) fn may_go_on(&self) -> bool {
        self.0.load(Ordering::Relaxed) & (ANSWERING | UPLOADING | CUT | OVER | UNSENT) == 0
    }

    /// Whether the other side may be sending what nobody reads.
    pub(super) fn is_cut(&self) -> bool {
        self.0.load(Ordering::Relaxed) & (UPLOADING | CUT) != 0
    }
}

/// Whether a byte is of an empty line.
pub(super) fn is_line_end(byte: &u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// Stands for an answer that is on its way.
#[derive(Debug)]
pub(super) struct Answering(Watch);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.0.fetch_and(!ANSWERING, Ordering::Relaxed);
    }
}

/// The body of a request as it comes in.
#[derive(Debug)]
pub(crate) struct Received {
    body: Incoming,
    // Dropped after the body: what hyper reads meanwhile counts as part of the upload.
    upload: Upload,
}

/// Stands for a body that is coming in.
#[derive(Debug)]
struct Upload {
    has_ended: bool,
    watch: Watch,
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let is_last = match &frame {
            None => true,
            Some(Ok(frame)) => frame.is_trailers() || self.body.is_end_stream(),
            Some(Err(_)) => false,
        };
        if is_last && !self.upload.has_ended {
            self.upload.has_ended = true;
            self.upload.watch.0.fetch_and(!UPLOADING, Ordering::Relaxed);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Error::body)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.has_ended {
            self.watch.0.fetch_or(CUT | DRAIN, Ordering::Relaxed);
            self.watch.0.fetch_and(!UPLOADING, Ordering::Relaxed);
        }
    }
}

/// The exchanges of a connection over HTTP/2, where there are many at a time.
#[derive(Debug, Clone, Default)]
pub(super) struct Exchanges(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    open: AtomicUsize,
    /// Whether there was one since the last look.
    any: AtomicBool,
}

impl Exchanges {
    /// A request has come. The guard is to live until its answer has ended.
    pub(super) fn begin(&self) -> OpenExchange {
        self.0.open.fetch_add(1, Ordering::Relaxed);
        self.0.any.store(true, Ordering::Relaxed);
        OpenExchange(self.clone())
    }

    /// Whether there is none, and has been none since the last look.
    pub(super) fn are_quiet(&self) -> bool {
        !self.0.any.swap(false, Ordering::Relaxed) && self.0.open.load(Ordering::Relaxed) == 0
    }
}

/// Stands for an exchange whose answer has not ended.
#[derive(Debug)]
pub(super) struct OpenExchange(Exchanges);

impl Drop for OpenExchange {
    fn drop(&mut self) {
        self.0.0.any.store(true, Ordering::Relaxed);
        self.0.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

pin_project! {
    /// An answer that holds a guard until it has ended or is given up.
    pub(super) struct Answer<F, G> {
        #[pin]
        inner: F,
        guard: Option<G>,
    }
}

impl<F, G> Answer<F, G> {
    pub(super) fn new(inner: F, guard: G) -> Self {
        Self {
            inner,
            guard: Some(guard),
        }
    }
}

impl<F, G> Future for Answer<F, G>
where
    F: Future<Output = Result<Response<Body>, Infallible>>,
{
    type Output = Result<Response<Sent<G>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.inner.poll(cx));
        let guard = this.guard.take();
        Poll::Ready(answer.map(|response| response.map(|body| Sent { body, _guard: guard })))
    }
}

/// The body of an answer, with what is to live as long.
pub(super) struct Sent<G> {
    body: Body,
    _guard: Option<G>,
}

impl<G: Unpin> HttpBody for Sent<G> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
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
    use super::*;

    #[test]
    fn a_connection_is_quiet_when_nothing_has_happened_since_the_last_look() {
        let watch = Watch::default();
        assert_eq!(watch.look(), Look::Quiet);
        watch.note_read(b"\r\n");
        assert_eq!(watch.look(), Look::Quiet);
        watch.note_read(b"\r\nG");
        assert_eq!((watch.look(), watch.look()), (Look::Head, Look::Head));
        let answering = watch.begin();
        assert_eq!((watch.look(), watch.look()), (Look::Busy, Look::Busy));
        // What comes while an answer is on its way is no head that is waited for.
        watch.note_read(b"G");
        assert!(!watch.may_go_on());
        drop(answering);
        assert!(watch.may_go_on());
        assert_eq!(watch.look(), Look::Quiet);
        drop(watch.begin());
        assert_eq!((watch.look(), watch.look()), (Look::Busy, Look::Quiet));
    }

    #[test]
    fn what_hyper_reads_of_a_cut_body_is_no_head_and_what_comes_later_is() {
        let watch = Watch::default();
        let cut = || {
            drop(Upload {
                has_ended: false,
                watch: watch.clone(),
            });
        };
        drop(watch.begin());
        cut();
        assert!(watch.begin_drain());
        // However many parts it has, and though another is cut in the same turn.
        watch.note_read(b"bo");
        watch.note_read(b"dy");
        drop(watch.begin());
        cut();
        watch.end_drain();
        assert_eq!((watch.look(), watch.look()), (Look::Busy, Look::Busy));
        assert!(watch.begin_drain());
        watch.note_read(b"body");
        watch.end_drain();
        assert!(!watch.begin_drain());
        assert_eq!(watch.look(), Look::Busy);
        watch.note_read(b"G");
        assert_eq!(watch.look(), Look::Head);
        assert!(watch.is_cut() && !watch.may_go_on());
    }

    #[test]
    fn a_head_has_its_time_from_when_the_last_answer_has_gone() {
        let watch = Watch::default();
        drop(watch.begin());
        watch.note_read(b"G");
        watch.note_write(true);
        assert_eq!((watch.look(), watch.look()), (Look::Busy, Look::Busy));
        assert!(!watch.may_go_on());
        watch.note_write(false);
        assert_eq!((watch.look(), watch.look()), (Look::Busy, Look::Head));
    }

    #[test]
    fn exchanges_are_quiet_after_a_look_without_any() {
        let exchanges = Exchanges::default();
        assert!(exchanges.are_quiet());
        let one = exchanges.begin();
        assert!(!exchanges.are_quiet() && !exchanges.are_quiet());
        drop(one);
        assert!(!exchanges.are_quiet());
        assert!(exchanges.are_quiet());
    }
}
