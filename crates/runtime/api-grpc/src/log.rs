//! A line in the log for each call (dapr-runtime.md §2.1).

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header::USER_AGENT};
use http_body::{Body as HttpBody, Frame, SizeHint};
use outrigger_transport::{Body, Error};
use outrigger_wire_names::{headers, messages};
use tokio::time::Instant;
use tonic::Code;

/// A call that will be logged when its answer has ended.
pub(crate) struct Call {
    method: String,
    user_agent: String,
    start: Instant,
    code: Option<i32>,
}

impl Call {
    pub(crate) fn begin(request: &Request<Body>) -> Self {
        let user_agent = request.headers().get(USER_AGENT);
        Self {
            method: request.uri().path().to_owned(),
            user_agent: user_agent
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
            start: Instant::now(),
            code: None,
        }
    }

    /// Watches the answer to its end, where its status stands.
    pub(crate) fn end(mut self, response: Response<Body>) -> Response<Body> {
        self.see(response.headers());
        response.map(|body| Body::from_frames(Watched { body, call: self }))
    }

    fn see(&mut self, map: &HeaderMap) {
        let code = map
            .get(headers::GRPC_STATUS)
            .and_then(|value| value.to_str().ok());
        self.code = code.and_then(|code| code.parse().ok()).or(self.code);
    }
}

impl Drop for Call {
    /// A call without a status was given up by its caller.
    fn drop(&mut self) {
        let duration = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            method = self.method,
            code = self.code.unwrap_or(Code::Cancelled as i32),
            duration,
            useragent = self.user_agent,
            "{}",
            messages::GRPC_CALLED
        );
    }
}

struct Watched {
    body: Body,
    call: Call,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(trailers) = frame
            .as_ref()
            .and_then(|frame| frame.as_ref().ok()?.trailers_ref())
        {
            self.call.see(trailers);
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
