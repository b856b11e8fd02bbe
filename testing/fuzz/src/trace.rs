//! Trace contexts and baggage.

use outrigger_base_telemetry::trace::{Baggage, MAX_TRACESTATE_LEN, TraceContext, TraceState};

/// The first line is a trace parent, the rest a trace state; all of it baggage, and a context in binary form.
pub fn run(data: &[u8]) {
    let (parent, state) = crate::first_line(data);
    let (parent, state) = (crate::text(parent), crate::text(state));
    if let Some(context) = TraceContext::parse(&parent) {
        let written = context.traceparent();
        let again = TraceContext::parse(written.as_str()).expect("what was written can be read");
        assert_eq!(again.traceparent().as_str(), written.as_str());
        let again = TraceContext::from_binary(&context.binary()).expect("what was written can be read");
        assert_eq!(again.traceparent().as_str(), written.as_str());
    }
    let _ = TraceContext::from_headers(&parent, Some(&state));
    let _ = TraceContext::from_binary(data);
    if let Some(state) = TraceState::parse(&state) {
        assert!(
            state.as_str().len() <= MAX_TRACESTATE_LEN,
            "{} bytes",
            state.as_str().len()
        );
    }
    let text = crate::text(data);
    if let Ok(baggage) = Baggage::parse(&text) {
        let written = baggage.as_str().to_owned();
        let again = Baggage::parse(&written).expect("what was written can be read");
        assert_eq!(again.as_str(), written);
    }
}
