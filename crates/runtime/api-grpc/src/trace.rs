//! Trace contexts in metadata: text or binary in, binary out (dapr-runtime.md §2.1).

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, HeaderValue, Request};
use outrigger_base_telemetry::trace::{SpanHandle, SpanKind, TraceContext, Tracer};
use outrigger_transport::Body;
use outrigger_wire_names::headers;

/// Base64 of binary metadata: written without padding, read with or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Starts the span of a call, and makes it the one that the request belongs to.
pub(crate) fn begin(tracer: &Tracer, request: &mut Request<Body>) -> SpanHandle {
    let parent = of(request.headers());
    let path = request.uri().path();
    let span = tracer.start(|| path.to_owned().into(), parent.as_ref(), SpanKind::Server);
    set(span.context(), request.headers_mut());
    span
}

/// The trace that a request belongs to: that of its own span.
pub(crate) fn of_request<M>(request: &tonic::Request<M>) -> TraceContext {
    of(request.metadata().as_ref()).unwrap_or_default()
}

/// The trace that headers tell of.
fn of(map: &HeaderMap) -> Option<TraceContext> {
    let text = |name| map.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if let Some(parent) = text(headers::TRACEPARENT) {
        return TraceContext::from_headers(parent, text(headers::TRACESTATE));
    }
    let bytes = BASE64.decode(map.get(headers::GRPC_TRACE_BIN)?.as_bytes()).ok()?;
    TraceContext::from_binary(&bytes)
}

fn set(context: &TraceContext, map: &mut HeaderMap) {
    if !context.is_valid() {
        return;
    }
    // The text form is the one that is read; both would have to agree.
    map.remove(headers::GRPC_TRACE_BIN);
    if let Ok(value) = HeaderValue::from_str(context.traceparent().as_str()) {
        map.insert(headers::TRACEPARENT, value);
    }
    if let Some(Ok(value)) = context.tracestate().map(HeaderValue::from_str) {
        map.insert(headers::TRACESTATE, value);
    }
}

/// Tells the caller which span it was.
pub(crate) fn answer(context: &TraceContext, map: &mut HeaderMap) {
    let binary = context.to_binary().map(|bytes| BASE64.encode(bytes));
    if let Some(Ok(value)) = binary.map(HeaderValue::try_from) {
        map.insert(headers::GRPC_TRACE_BIN, value);
    }
}
