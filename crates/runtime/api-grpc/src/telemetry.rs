//! What is told of each call: a span, metrics, a line in the log (dapr-runtime.md §2.1, §3.9, §6.3).

mod metered;

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, Uri, header::USER_AGENT};
use http_body::{Body as HttpBody, Frame, SizeHint};
use outrigger_base_telemetry::trace::{SpanHandle, SpanKind, Status as SpanStatus};
use outrigger_runtime_api::{Api, Code, trace};
use outrigger_transport::{Body, Error};
use outrigger_wire_names::{grpc, headers, messages, routes, trace as names};
use tokio::time::Instant;
use tonic::Status;

use crate::face::names_app;
use metered::Metered;

/// Bytes in front of each message on the wire, which are not counted.
const MESSAGE_HEAD: u64 = 5;

/// A call that is being answered.
pub(crate) struct Call {
    api: Arc<Api>,
    uri: Uri,
    start: Instant,
    kind: Kind,
    code: Option<i32>,
    sent: u64,
    span: Option<SpanHandle>,
    baggage: Option<HeaderValue>,
    /// Where the call is logged: who makes it.
    user_agent: Option<Option<HeaderValue>>,
}

/// What a call is, which decides what is told of it.
enum Kind {
    /// A call of the API, with the bytes that have come.
    Unary(Arc<AtomicU64>),
    /// A stream of the API. It is not counted, as it may never end.
    Stream,
    /// A call that is passed through.
    PassedThrough,
    /// Health and reflection.
    Other,
}

impl Call {
    /// Begins with a call, whose metadata tells of its span from then on.
    ///
    /// # Errors
    /// When its baggage is malformed.
    pub(crate) fn begin(
        api: &Arc<Api>,
        mut request: Request<Body>,
        is_logged: bool,
    ) -> Result<(Self, Request<Body>), Status> {
        let kind = Kind::of(&request);
        let traced = api.tracer().is_enabled() && !matches!(kind, Kind::Other);
        let baggage = match traced {
            true => trace::baggage(request.headers()).map_err(invalid_baggage)?,
            false => None,
        };
        let uri = request.uri().clone();
        let span = traced.then(|| begin_span(api, &uri, &kind, &mut request));
        let user_agent = is_logged.then(|| request.headers().get(USER_AGENT).cloned());
        let request = match &kind {
            Kind::Unary(bytes) if api.telemetry().grpc.is_some() => {
                request.map(|body| Body::from_frames(Metered::new(body, bytes.clone())))
            }
            _ => request,
        };
        let call = Self {
            api: api.clone(),
            uri,
            start: Instant::now(),
            kind,
            code: None,
            sent: 0,
            span,
            baggage,
            user_agent,
        };
        Ok((call, request))
    }

    /// Watches the answer to its end, where its status stands.
    pub(crate) fn end(mut self, mut response: Response<Body>) -> Response<Body> {
        if let Some(baggage) = self.baggage.take() {
            response.headers_mut().insert(headers::BAGGAGE, baggage);
        }
        if let (Some(span), true) = (&self.span, self.tells_of_its_span()) {
            trace::tell_binary(span.context(), response.headers_mut());
        }
        let is_recorded = self.span.as_ref().is_some_and(SpanHandle::is_recording);
        let is_watched = self.api.telemetry().grpc.is_some() || self.user_agent.is_some() || is_recorded;
        if !is_watched {
            return response;
        }
        self.see(response.headers());
        response.map(|body| Body::from_frames(Watched { body, call: self }))
    }

    /// An invocation's answer is the app's, which may tell of spans of its own.
    fn tells_of_its_span(&self) -> bool {
        match self.kind {
            Kind::Unary(_) | Kind::Stream => !self.uri.path().ends_with(grpc::INVOKE_SERVICE),
            Kind::PassedThrough | Kind::Other => false,
        }
    }

    fn see(&mut self, map: &HeaderMap) {
        let Some(code) = map.get(headers::GRPC_STATUS) else {
            return;
        };
        self.code = code
            .to_str()
            .ok()
            .and_then(|code| code.parse().ok())
            .or(self.code);
        if let Some(span) = &mut self.span
            && self.code != Some(Code::Ok as i32)
        {
            let status = || Status::from_header_map(map).map(|status| status.message().to_owned());
            span.status(|| SpanStatus::Error(status().unwrap_or_default().into()));
        }
    }

    fn count(&self, code: i32) {
        let Some(metrics) = &self.api.telemetry().grpc else {
            return;
        };
        let (method, elapsed) = (self.uri.path(), self.start.elapsed());
        match &self.kind {
            Kind::Unary(received) => {
                let without_head = |bytes: u64| bytes.saturating_sub(MESSAGE_HEAD);
                let bytes = [received.load(Ordering::Relaxed), self.sent].map(without_head);
                metrics.served(method, code, elapsed, Some(bytes));
            }
            Kind::PassedThrough => metrics.served(method, code, elapsed, None),
            Kind::Stream | Kind::Other => {}
        }
    }

    fn log(&self, code: i32) {
        let Some(user_agent) = &self.user_agent else {
            return;
        };
        let user_agent = user_agent.as_ref().and_then(|value| value.to_str().ok());
        tracing::info!(
            target: "dapr.runtime.grpc.api-info",
            method = self.uri.path(),
            code,
            duration = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX),
            useragent = user_agent.unwrap_or_default(),
            "{}",
            messages::GRPC_CALLED
        );
    }
}

impl Kind {
    fn of(request: &Request<Body>) -> Self {
        match request.uri().path().strip_prefix(routes::GRPC_DAPR) {
            Some(grpc::SUBSCRIBE_STREAM) => Self::Stream,
            Some(_) => Self::Unary(Arc::default()),
            None if names_app(request.headers()) => Self::PassedThrough,
            None => Self::Other,
        }
    }
}

fn begin_span(api: &Api, uri: &Uri, kind: &Kind, request: &mut Request<Body>) -> SpanHandle {
    let name = || uri.path().to_owned().into();
    let mut span = trace::begin(api.tracer(), request.headers_mut(), name, SpanKind::Client);
    span.attribute(names::PROTOCOL, || names::PROTOCOL_GRPC);
    span.attribute(names::API, || uri.path().to_owned());
    if matches!(kind, Kind::Unary(_) | Kind::Stream) {
        span.attribute(names::RPC_SERVICE, || names::SERVICE_DAPR);
    }
    span
}

fn invalid_baggage(error: impl std::fmt::Display) -> Status {
    Status::invalid_argument(format!("{}{error}", messages::INVALID_BAGGAGE))
}

/// The end of an answer, or of the wait for it: a call without a status was given up by its caller.
impl Drop for Call {
    fn drop(&mut self) {
        let code = self.code.unwrap_or(Code::Cancelled as i32);
        self.count(code);
        self.log(code);
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
        if let Some(Ok(frame)) = &frame {
            if let Some(data) = frame.data_ref() {
                self.call.sent += data.len() as u64;
            } else if let Some(trailers) = frame.trailers_ref() {
                self.call.see(trailers);
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
