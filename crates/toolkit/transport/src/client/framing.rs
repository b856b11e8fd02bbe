//! What a request needs on the wire of HTTP/1.1 that hyper does not add.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request,
    header::{CONNECTION, TE, TRANSFER_ENCODING},
};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;

use super::Failed;
use crate::{Body, Error, hop};

/// Makes a request complete for HTTP/1.1.
pub(super) async fn complete(request: &mut Request<Body>) -> Result<(), Failed> {
    if request.headers().contains_key(TE) {
        nominate_te(request.headers_mut());
    }
    if may_lose_its_body(request) {
        keep_its_body(request).await?;
    }
    Ok(())
}

/// Says that `TE` is for the next one only (RFC 9110, section 10.1.4), once: a request may be tried twice.
fn nominate_te(headers: &mut HeaderMap) {
    if !hop::tokens(headers, CONNECTION).any(|option| option.eq_ignore_ascii_case("te")) {
        headers.append(CONNECTION, HeaderValue::from_static("te"));
    }
}

/// hyper sends no body with these methods unless its length or its encoding is told.
fn may_lose_its_body(request: &Request<Body>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
        && !request.body().is_end_stream()
        && request.body().size_hint().exact().is_none()
        && !request.headers().contains_key(TRANSFER_ENCODING)
}

/// Looks for the beginning of the body: the encoding is told where there is one, since a request without a body must
/// not look as if it had one.
async fn keep_its_body(request: &mut Request<Body>) -> Result<(), Failed> {
    let first = request.body_mut().frame().await;
    let body = match first {
        None => Body::empty(),
        Some(Err(error)) => return Err(Failed::lost(error)),
        Some(Ok(first)) => {
            let encoding = HeaderValue::from_static("chunked");
            request.headers_mut().insert(TRANSFER_ENCODING, encoding);
            Body::from_frames(Begun {
                first: Some(first),
                rest: std::mem::take(request.body_mut()),
            })
        }
    };
    *request.body_mut() = body;
    Ok(())
}

/// A body whose first frame has been taken out.
struct Begun {
    first: Option<Frame<Bytes>>,
    rest: Body,
}

impl HttpBody for Begun {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(Ok(first))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // Asked for a body whose length is not known; the encoding is chunked.
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn te_is_named_beside_what_else_belongs_to_the_hop() {
        for (given, expected) in [
            (&[][..], &["te"][..]),
            (&["close"], &["close", "te"]),
            (&["close, TE"], &["close, TE"]),
        ] {
            let mut request = Request::builder().header("te", "trailers");
            for value in given {
                request = request.header("connection", *value);
            }
            let mut request = request.body(Body::empty()).unwrap();
            // A request that found no kept connection comes here again.
            for _ in 0..2 {
                assert!(complete(&mut request).await.is_ok());
                let options: Vec<_> = request.headers().get_all("connection").iter().collect();
                assert_eq!(options, expected);
            }
        }
    }
}
