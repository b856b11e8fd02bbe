//! The trace that an operation belongs to.

use http::{HeaderMap, HeaderValue};
use outrigger_base_telemetry::trace::TraceContext;
use outrigger_wire_names::headers;

/// A W3C trace context as it came.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    parent: HeaderValue,
    state: Option<HeaderValue>,
}

impl Trace {
    /// The trace that a request belongs to.
    pub(super) fn of(map: &HeaderMap) -> Option<Self> {
        Some(Self {
            parent: map.get(headers::TRACEPARENT)?.clone(),
            state: map.get(headers::TRACESTATE).cloned(),
        })
    }

    /// Puts it into the headers of a request that has none of its own.
    pub(super) fn add_to(&self, map: &mut HeaderMap) {
        if map.contains_key(headers::TRACEPARENT) {
            return;
        }
        map.insert(headers::TRACEPARENT, self.parent.clone());
        if let Some(state) = &self.state {
            map.insert(headers::TRACESTATE, state.clone());
        }
    }

    /// As the runtime takes it; `None` when it cannot be read.
    pub(super) fn context(&self) -> Option<TraceContext> {
        let state = self.state.as_ref().and_then(|state| state.to_str().ok());
        TraceContext::from_headers(self.parent.to_str().ok()?, state)
    }
}
