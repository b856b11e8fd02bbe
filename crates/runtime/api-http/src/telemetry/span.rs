//! The span of a request.

use std::borrow::Cow;

use http::{Request, Response, StatusCode};
use outrigger_base_telemetry::trace::{SpanHandle, SpanKind, Status, Tracer};
use outrigger_runtime_api::trace;
use outrigger_transport::Body;
use outrigger_wire_names::{headers, pubsub, trace as names};

use crate::{
    invoke, query,
    route::{self, Route},
};

/// The span of a request; there is none where nobody looks at traces.
pub(super) struct Span(Option<SpanHandle>);

impl Span {
    /// No span.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Starts the span of a request.
    pub(super) fn begin(tracer: &Tracer, request: &mut Request<Body>) -> Self {
        let uri = request.uri().clone();
        let name = || uri.path().to_owned().into();
        let mut span = trace::begin(tracer, request.headers_mut(), name, SpanKind::Client);
        if span.is_recording() {
            describe(&mut span, request);
        }
        Self(Some(span))
    }

    /// Ends it with the head of the answer, which tells of it unless the app has told of one.
    pub(super) fn end(&mut self, response: &mut Response<Body>) {
        let Some(mut span) = self.0.take() else { return };
        let status = response.status();
        span.attribute(names::STATUS_CODE, || status.as_str().to_owned());
        if status.as_u16() >= StatusCode::BAD_REQUEST.as_u16() {
            span.status(|| Status::Error(failed(status)));
        }
        if !response.headers().contains_key(headers::TRACEPARENT) {
            trace::tell(span.context(), response.headers_mut());
        }
    }
}

/// A failed status, as traces have it.
fn failed(status: StatusCode) -> Cow<'static, str> {
    let text = status.canonical_reason().unwrap_or("Unknown");
    format!("Code({}): {text}", status.as_u16()).into()
}

fn describe(span: &mut SpanHandle, request: &Request<Body>) {
    let (method, uri) = (request.method(), request.uri());
    let operation = || format!("{method} {}", uri.path());
    span.attribute(names::API, operation);
    span.attribute(names::PROTOCOL, || names::PROTOCOL_HTTP);
    span.attribute(names::HTTP_METHOD, || method.as_str().to_owned());
    span.attribute(names::URL, || uri.to_string());
    let mut stored = |system: &'static str, name: &str| {
        span.attribute(names::DB_SYSTEM, || system);
        span.attribute(names::DB_CONNECTION, || system);
        span.attribute(names::DB_STATEMENT, operation);
        span.attribute(names::DB_NAME, || query::unescape(name).into_owned());
    };
    match route::find(method, uri.path()) {
        Route::GetState { store, .. }
        | Route::SaveState { store }
        | Route::DeleteState { store, .. }
        | Route::BulkGetState { store }
        | Route::TransactState { store }
        | Route::QueryState { store } => stored(names::STATE, store),
        Route::GetSecret { store, .. } | Route::BulkSecrets { store } => stored(names::SECRETS, store),
        Route::Publish { topic, .. } | Route::BulkPublish { topic, .. } => {
            span.attribute(pubsub::SPAN_SYSTEM, || pubsub::SPAN_SYSTEM_PUBSUB);
            span.attribute(pubsub::SPAN_DESTINATION, || query::unescape(topic).into_owned());
        }
        Route::Invoke => invoked(span, request),
        Route::Metadata
        | Route::SetMetadata { .. }
        | Route::Health
        | Route::OutboundHealth
        | Route::Shutdown
        | Route::Unbuilt(_) => {}
    }
}

/// An invocation is named by app and method.
fn invoked(span: &mut SpanHandle, request: &Request<Body>) {
    let Some((id, method)) = invoke::target(request.uri(), request.headers()) else {
        return;
    };
    let method = method.path().trim_start_matches('/').to_owned();
    span.rename(|| format!("{}{id}/{method}", names::CALL_LOCAL).into());
    span.attribute(names::RPC_SERVICE, || names::SERVICE_INVOCATION);
    span.attribute(names::PEER_NAME, || id);
}
