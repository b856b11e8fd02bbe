//! Bodies whose length was told before they came.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use outrigger_transport::Error;

/// A body of so many bytes: one that is shorter or longer is cut before its end, so that nobody takes it for a whole one.
pub(super) struct Exact<B> {
    body: B,
    length: u64,
    /// Bytes that are still to come.
    missing: u64,
    /// What came last: it is let go once nothing has followed it.
    held: Option<Bytes>,
    has_ended: bool,
}

impl<B> Exact<B> {
    /// `body`, of `length` bytes.
    pub(super) fn new(body: B, length: u64) -> Self {
        Self {
            body,
            length,
            missing: length,
            held: None,
            has_ended: false,
        }
    }

    /// Takes what came in. Gives on what is not the last of it.
    fn take(&mut self, data: Bytes) -> Result<Option<Bytes>, Error> {
        let Some(missing) = self.missing.checked_sub(data.len() as u64) else {
            return Err(self.cut(format!(
                "longer than the {} bytes that it was to have",
                self.length
            )));
        };
        self.missing = missing;
        if missing > 0 {
            return Ok(Some(data));
        }
        self.held = Some(data);
        Ok(None)
    }

    /// The end of the body: whatever was held, or what it lacks.
    fn end(&mut self) -> Option<Result<Bytes, Error>> {
        self.has_ended = true;
        if self.missing == 0 {
            return self.held.take().map(Ok);
        }
        let came = self.length - self.missing;
        Some(Err(self.cut(format!("{came} bytes long and not {}", self.length))))
    }

    fn cut(&mut self, what: String) -> Error {
        self.has_ended = true;
        self.missing = 0;
        self.held = None;
        Error::Body(format!("the body is {what}").into())
    }
}

impl<B: HttpBody<Data = Bytes, Error = Error> + Unpin> HttpBody for Exact<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        while !self.has_ended {
            let data = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                None => return Poll::Ready(self.end().map(|data| data.map(Frame::data))),
                Some(Err(error)) => {
                    self.has_ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
                // Messages have no trailers.
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            };
            if data.is_empty() {
                continue;
            }
            match self.take(data) {
                Ok(None) => {}
                Ok(Some(data)) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.has_ended
    }

    fn size_hint(&self) -> SizeHint {
        let held = self.held.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(self.missing + held as u64)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::{BodyExt, StreamBody};
    use outrigger_transport::Body;

    use super::*;

    /// A body of these pieces that was to have `length` bytes.
    fn body(length: u64, pieces: &'static [&'static str]) -> Body {
        let pieces = pieces
            .iter()
            .map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))));
        Body::from_frames(Exact::new(StreamBody::new(stream::iter(pieces)), length))
    }

    #[tokio::test]
    async fn one_that_keeps_its_word_comes_whole_and_tells_its_length() {
        for pieces in [&["abc"][..], &["a", "", "bc", ""], &["a", "b", "c"]] {
            let body = body(3, pieces);
            assert_eq!(body.size_hint().exact(), Some(3));
            assert_eq!(body.collect(10).await.unwrap(), "abc", "{pieces:?}");
        }
        let none = body(0, &[]);
        assert_eq!(none.size_hint().exact(), Some(0));
        assert_eq!(none.collect(10).await.unwrap(), "");
    }

    #[tokio::test]
    async fn one_that_does_not_is_cut_before_its_end() {
        for (pieces, reason) in [
            (&["a", "b"][..], "2 bytes long and not 3"),
            (&[], "0 bytes long and not 3"),
            (&["a", "bcd"], "longer than the 3 bytes"),
            // The last of what was told must not go out before more is known to follow.
            (&["a", "bc", "d"], "longer than the 3 bytes"),
        ] {
            let mut body = body(3, pieces);
            let mut came = 0;
            let error = loop {
                match body.frame().await.unwrap() {
                    Ok(frame) => came += frame.into_data().unwrap().len(),
                    Err(error) => break outrigger_base_std::chain(&error),
                }
            };
            assert!(came < 3 && error.contains(reason), "{pieces:?}: {came} {error}");
            assert!(body.frame().await.is_none());
        }
    }
}
