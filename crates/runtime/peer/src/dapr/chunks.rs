//! Bodies in numbered chunks.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::Stream;
use http_body::{Body as HttpBody, Frame};
use outrigger_transport::{Body, Error};
use outrigger_wire_proto::common::StreamPayload;

/// The messages of a body: `first` without a chunk, then one for each frame of data. A body that is cut ends the stream
/// with an error, so that the other side does not take a part for the whole.
pub(super) struct Outgoing<M, F> {
    first: Option<M>,
    body: Body,
    next_seq: u64,
    /// Makes the message of a chunk.
    message: F,
}

impl<M, F> Outgoing<M, F> {
    pub(super) fn new(first: M, body: Body, message: F) -> Self {
        Self {
            first: Some(first),
            body,
            next_seq: 0,
            message,
        }
    }
}

impl<M: Unpin, F: Fn(StreamPayload) -> M + Unpin> Stream for Outgoing<M, F> {
    type Item = Result<M, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<M, Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        loop {
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)) else {
                return Poll::Ready(None);
            };
            let data = match frame.map(Frame::into_data) {
                Err(error) => {
                    // A cut is the end: asked again, this has nothing more to say, whatever the body would.
                    self.body = Body::empty();
                    return Poll::Ready(Some(Err(error)));
                }
                // Trailers have no place in these messages.
                Ok(Err(_)) => continue,
                Ok(Ok(data)) if data.is_empty() => continue,
                Ok(Ok(data)) => data,
            };
            let payload = StreamPayload {
                data,
                seq: self.next_seq,
            };
            self.next_seq += 1;
            let message = (self.message)(payload);
            return Poll::Ready(Some(Ok(message)));
        }
    }
}

/// The body that a stream of chunks makes. Chunks out of order cut it.
pub(super) struct Incoming<S> {
    chunks: S,
    expected_seq: u64,
}

impl<S> Incoming<S> {
    pub(super) fn new(chunks: S) -> Self {
        Self {
            chunks,
            expected_seq: 0,
        }
    }
}

impl<S> HttpBody for Incoming<S>
where
    S: Stream<Item = Result<Option<StreamPayload>, tonic::Status>> + Unpin,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        loop {
            match ready!(Pin::new(&mut self.chunks).poll_next(cx)) {
                None => return Poll::Ready(None),
                Some(Err(status)) => return Poll::Ready(Some(Err(Error::Body(status.into())))),
                Some(Ok(None)) => {}
                Some(Ok(Some(payload))) => return Poll::Ready(Some(self.take(payload))),
            }
        }
    }
}

impl<S> Incoming<S> {
    fn take(&mut self, payload: StreamPayload) -> Result<Frame<Bytes>, Error> {
        if payload.seq != self.expected_seq {
            let reason = format!(
                "invalid sequence number received: {} (expected: {})",
                payload.seq, self.expected_seq
            );
            return Err(Error::Body(reason.into()));
        }
        self.expected_seq += 1;
        Ok(Frame::data(payload.data))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};

    use super::*;

    fn payload(seq: u64, data: &'static str) -> Result<Option<StreamPayload>, tonic::Status> {
        Ok(Some(StreamPayload {
            data: Bytes::from_static(data.as_bytes()),
            seq,
        }))
    }

    #[tokio::test]
    async fn chunks_are_numbered_from_zero_after_the_first_message() {
        let outgoing = Outgoing::new(None, Body::from("abc"), Some);
        let messages: Vec<_> = outgoing.map(Result::unwrap).collect().await;
        assert_eq!(messages.len(), 2);
        assert_eq!(messages[0], None);
        assert_eq!(messages[1].as_ref().map(|payload| payload.seq), Some(0));
    }

    #[tokio::test]
    async fn a_cut_ends_the_messages() {
        let cut = || Err(tonic::Status::aborted("cut"));
        // A body that would tell of its cut for ever.
        let body = Body::from_frames(Incoming::new(stream::repeat_with(cut)));
        let messages: Vec<_> = Outgoing::new(None, body, Some).take(10).collect().await;
        assert_eq!(messages.len(), 2);
        assert!(messages[0].is_ok() && messages[1].is_err());
    }

    #[tokio::test]
    async fn a_gap_cuts_the_body() {
        let whole = Incoming::new(stream::iter([payload(0, "a"), Ok(None), payload(1, "b")]));
        assert_eq!(Body::from_frames(whole).collect(10).await.unwrap(), "ab");
        let gap = Incoming::new(stream::iter([payload(0, "a"), payload(2, "b")]));
        assert!(Body::from_frames(gap).collect(10).await.is_err());
    }
}
