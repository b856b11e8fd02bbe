//! What is told of each request: a span, metrics, a line in the log (dapr-runtime.md §1.1, §3.9, §6.3, §6.4).

mod log;
mod span;

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header::CONTENT_LENGTH};
use http_body::{Body as HttpBody, Frame, SizeHint};
use outrigger_base_telemetry::trace::BaggageError;
use outrigger_runtime_api::{Api, Exchange, trace};
use outrigger_transport::{Body, Error};
use outrigger_wire_names::{headers, messages, routes};
use tokio::time::Instant;

use crate::answer;
pub use log::CallLog;
use log::Line;
use span::Span;

/// A request that is being answered.
pub(crate) struct Call {
    method: Method,
    uri: Uri,
    start: Instant,
    /// Bytes of the request's body, as it says.
    sent: u64,
    span: Span,
    baggage: Option<HeaderValue>,
    line: Option<Line>,
}

impl Call {
    /// Begins with a request, whose headers tell of its span from then on.
    ///
    /// # Errors
    /// When its baggage is malformed; [`refused`] is the answer to that.
    pub(crate) fn begin(
        api: &Api,
        request: &mut Request<Body>,
        log: Option<CallLog>,
    ) -> Result<Self, BaggageError> {
        let traced = api.tracer().is_enabled() && !request.uri().path().contains(routes::HEALTHZ);
        let baggage = match traced {
            true => trace::baggage(request.headers())?,
            false => None,
        };
        Ok(Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            start: Instant::now(),
            sent: content_length(request.headers()),
            line: log.and_then(|log| Line::begin(log, request)),
            span: match traced {
                true => Span::begin(api.tracer(), request),
                false => Span::none(),
            },
            baggage,
        })
    }

    /// Ends with the head of the answer, or with its body where its length is not known before.
    pub(crate) fn end(mut self, api: &std::sync::Arc<Api>, mut response: Response<Body>) -> Response<Body> {
        let status = response.status();
        if let Some(baggage) = self.baggage.take() {
            response.headers_mut().insert(headers::BAGGAGE, baggage);
        }
        self.span.end(&mut response);
        if api.telemetry().http.is_none() && self.line.is_none() {
            return response;
        }
        if let Some(size) = response.body().size_hint().exact() {
            self.record(api, status, size);
            return response;
        }
        let watched = Watched {
            size: 0,
            status,
            api: api.clone(),
            call: self,
        };
        response.map(|body| Body::from_frames(WatchedBody { body, watched }))
    }

    fn record(&self, api: &Api, status: StatusCode, received: u64) {
        let elapsed: Duration = self.start.elapsed();
        if let Some(metrics) = &api.telemetry().http {
            metrics.served(Exchange {
                method: &self.method,
                path: self.uri.path(),
                status,
                elapsed,
                sent: self.sent,
                received,
            });
        }
        if let Some(line) = &self.line {
            line.write(&self.method, self.uri.path(), status, elapsed, received);
        }
    }
}

/// The answer to malformed baggage.
pub(crate) fn refused(error: &BaggageError) -> Response<Body> {
    let text = format!("{}{error}\n", messages::INVALID_BAGGAGE);
    answer::text(StatusCode::BAD_REQUEST, text)
}

fn content_length(map: &HeaderMap) -> u64 {
    let length = map.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

/// An answer whose length is known at its end.
struct Watched {
    size: u64,
    status: StatusCode,
    api: std::sync::Arc<Api>,
    call: Call,
}

/// A body that is given up counts with what went out.
impl Drop for Watched {
    fn drop(&mut self) {
        self.call.record(&self.api, self.status, self.size);
    }
}

struct WatchedBody {
    body: Body,
    watched: Watched,
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.watched.size += data.len() as u64;
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
