//! Uploads that are cut on their way to a sidecar of Dapr's.
//!
//! A client's stream of messages has no place for an error: it can only end, and then the other side takes the part that
//! came for the whole. So the cut is left beside the stream, and the body that the messages become fails with it where
//! it would end: that resets the call.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use outrigger_base_std::{BoxError, chain};
use outrigger_transport::{
    Body, Error,
    client::{Failed, Http2Channel},
};
use tower_service::Service;

/// Where a cut is left.
#[derive(Debug, Clone, Default)]
pub(super) struct Cut(Arc<Mutex<Option<Error>>>);

impl Cut {
    /// Leaves what cut the body.
    pub(super) fn leave(&self, error: Error) {
        *self.slot() = Some(error);
    }

    /// What cut the body, as the error of the call: the peer may have seen the beginning.
    pub(super) fn error(&self) -> Option<Failed> {
        Some(Failed::lost(match self.slot().as_ref()? {
            Error::TooLarge { limit } => Error::TooLarge { limit: *limit },
            Error::Body(cause) => Error::Body(chain(&**cause).into()),
            other => Error::Body(chain(other).into()),
        }))
    }

    fn slot(&self) -> MutexGuard<'_, Option<Error>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A channel whose requests fail where their body was cut.
#[derive(Debug, Clone)]
pub(super) struct Cuttable {
    channel: Http2Channel,
    cut: Cut,
}

impl Cuttable {
    /// `channel`, for the one call whose body leaves its cut in `cut`.
    pub(super) fn new(channel: Http2Channel, cut: Cut) -> Self {
        Self { channel, cut }
    }
}

impl Service<Request<tonic::body::Body>> for Cuttable {
    type Response = Response<Body>;
    type Error = Error;
    type Future = <Http2Channel as Service<Request<CutBody>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Service::<Request<CutBody>>::poll_ready(&mut self.channel, cx)
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        let cut = self.cut.clone();
        self.channel.call(request.map(|body| CutBody { body, cut }))
    }
}

/// A body that fails in place of its end, where it was cut.
pub(super) struct CutBody {
    body: tonic::body::Body,
    cut: Cut,
}

impl HttpBody for CutBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(match frame {
            Some(frame) => Some(frame.map_err(Into::into)),
            None => self.cut.slot().as_ref().map(|cut| Err(chain(cut).into())),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream() && self.cut.slot().is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
