//! The traces that requests belong to: text or binary in headers, baggage beside them (dapr-runtime.md §1.1, §2.1, §3.9).

use std::borrow::Cow;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, HeaderValue};
use outrigger_base_telemetry::trace::{Baggage, BaggageError, SpanHandle, SpanKind, TraceContext, Tracer};
use outrigger_wire_names::{headers, trace as names};

/// Base64 of binary metadata: written without padding, read with or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Starts the span of a request. Its headers tell of that span where the trace is sampled; where it is not, they go on
/// with what they told of, or tell that there is no trace.
///
/// A request without a trace costs a look-up and a constant header; one with a trace that nobody records, two look-ups.
pub fn begin(
    tracer: &Tracer,
    map: &mut HeaderMap,
    name: impl FnOnce() -> Cow<'static, str>,
    kind: SpanKind,
) -> SpanHandle {
    let parent = tracer.is_enabled().then(|| of(map)).flatten();
    let mut span = tracer.start(name, parent.as_ref(), kind);
    if !tracer.is_enabled() {
        return span;
    }
    let context = span.context();
    let is_new = context.is_sampled() && parent.as_ref() != Some(context);
    if is_new || parent.is_none() || !map.contains_key(headers::TRACEPARENT) {
        set(span.context(), map);
    }
    if span.is_recording() {
        add_headers(&mut span, map);
    }
    span
}

/// The trace that headers tell of: as text, or as the binary form of gRPC.
pub fn of(map: &HeaderMap) -> Option<TraceContext> {
    let text = |name| map.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if let Some(parent) = text(headers::TRACEPARENT) {
        return TraceContext::from_headers(parent, text(headers::TRACESTATE));
    }
    let bytes = BASE64.decode(map.get(headers::GRPC_TRACE_BIN)?.as_bytes()).ok()?;
    TraceContext::from_binary(&bytes)
}

fn set(context: &TraceContext, map: &mut HeaderMap) {
    // The text form is the one that is read; both would have to agree.
    map.remove(headers::GRPC_TRACE_BIN);
    if !context.is_valid() {
        map.remove(headers::TRACESTATE);
        map.insert(
            headers::TRACEPARENT,
            HeaderValue::from_static(TraceContext::NO_TRACEPARENT),
        );
        return;
    }
    tell(context, map);
}

/// Tells of a span in headers. There is nothing to tell of a trace that there is not.
pub fn tell(context: &TraceContext, map: &mut HeaderMap) {
    if !context.is_valid() {
        return;
    }
    if let Ok(value) = HeaderValue::from_str(context.traceparent().as_str()) {
        map.insert(headers::TRACEPARENT, value);
    }
    match context.tracestate().map(HeaderValue::from_str) {
        Some(Ok(value)) => {
            map.insert(headers::TRACESTATE, value);
        }
        _ => {
            map.remove(headers::TRACESTATE);
        }
    }
}

/// Tells of a span as gRPC answers do.
pub fn tell_binary(context: &TraceContext, map: &mut HeaderMap) {
    let binary = context.to_binary().map(|bytes| BASE64.encode(bytes));
    if let Some(Ok(value)) = binary.map(HeaderValue::try_from) {
        map.insert(headers::GRPC_TRACE_BIN, value);
    }
}

/// The baggage of a request, unchanged, as one header; `None` where there is none.
///
/// # Errors
/// When it is malformed.
pub fn baggage(map: &HeaderMap) -> Result<Option<HeaderValue>, BaggageError> {
    let mut values = map.get_all(headers::BAGGAGE).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    let mut text = Cow::Borrowed(first.to_str().unwrap_or_default());
    for value in values {
        text = Cow::Owned(format!("{text},{}", value.to_str().unwrap_or_default()));
    }
    Baggage::parse(&text)?;
    Ok(HeaderValue::from_str(&text)
        .ok()
        .filter(|value| !value.is_empty()))
}

/// Headers that users name so become attributes.
fn add_headers(span: &mut SpanHandle, map: &HeaderMap) {
    for (name, value) in map {
        if let (true, Ok(value)) = (name.as_str().starts_with(names::HEADER_PREFIX), value.to_str())
            && *name != headers::API_TOKEN
        {
            let value = value.to_owned();
            span.attribute(name.as_str().to_owned(), || value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use outrigger_base_clock::{BufferedEntropy, SystemClock};
    use outrigger_base_telemetry::trace::{Sampler, SpanSink};

    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn map(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (http::HeaderName::from_static(name), value.parse().unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    fn after(tracer: &Tracer, pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = map(pairs);
        begin(tracer, &mut map, || "x".into(), SpanKind::Client).end();
        map
    }

    fn tracer(rate: &str, sink: Option<SpanSink>) -> Tracer {
        let sampler = Sampler::parse(rate).unwrap();
        Tracer::new(
            Arc::new(SystemClock),
            Arc::new(BufferedEntropy::default()),
            sampler,
            sink,
        )
    }

    #[test]
    fn nobody_traces_and_headers_go_on() {
        assert_eq!(after(&Tracer::disabled(), &[]), map(&[]));
        assert_eq!(
            after(&Tracer::off(), &[("traceparent", PARENT)])["traceparent"],
            PARENT
        );
        let none = "00-00000000000000000000000000000000-0000000000000000-00";
        assert_eq!(after(&Tracer::off(), &[])["traceparent"], none);
        assert_eq!(
            after(
                &Tracer::off(),
                &[("traceparent", "nonsense"), ("tracestate", "a=b")]
            ),
            map(&[("traceparent", none)])
        );
    }

    #[test]
    fn a_binary_trace_becomes_text() {
        let mut binary = HeaderMap::new();
        tell_binary(&TraceContext::parse(PARENT).unwrap(), &mut binary);
        let seen = after(
            &Tracer::off(),
            &[("grpc-trace-bin", binary["grpc-trace-bin"].to_str().unwrap())],
        );
        assert_eq!(seen, map(&[("traceparent", PARENT)]));
    }

    #[test]
    fn a_recorded_span_is_the_one_that_headers_tell_of() {
        let (sink, mut spans) = SpanSink::bounded(4);
        let seen = after(
            &tracer("0.5", Some(sink)),
            &[
                ("traceparent", PARENT),
                ("tracestate", "a=b"),
                ("dapr-x", "1"),
                ("dapr-api-token", "s"),
            ],
        );
        let span = spans.try_recv().unwrap();
        assert_eq!(seen["traceparent"], span.context.traceparent().as_str());
        assert_ne!(seen["traceparent"], PARENT);
        assert_eq!(seen["tracestate"], "a=b");
        assert_eq!(span.attributes.len(), 1);
        assert_eq!(span.attributes[0].0, "dapr-x");
    }

    #[test]
    fn a_trace_that_is_not_sampled_is_begun_and_then_kept() {
        let tracer = tracer("0", None);
        let begun = after(&tracer, &[]);
        let parent = begun["traceparent"].to_str().unwrap();
        assert!(TraceContext::parse(parent).is_some_and(|context| !context.is_sampled()));
        assert_eq!(after(&tracer, &[("traceparent", parent)])["traceparent"], parent);
    }

    #[test]
    fn baggage_is_joined_and_checked() {
        let mut both = map(&[("baggage", "a=1")]);
        both.append("baggage", "b=2".parse().unwrap());
        assert_eq!(baggage(&both).unwrap().unwrap(), "a=1,b=2");
        assert_eq!(baggage(&HeaderMap::new()), Ok(None));
        assert!(baggage(&map(&[("baggage", "invalid-baggage")])).is_err());
    }
}
