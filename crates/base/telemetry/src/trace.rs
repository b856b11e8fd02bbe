//! Traces of one runtime instance.
//!
//! A [`TraceContext`] travels with every request, sampled or not. A [`Tracer`] makes the context of each hop and, for
//! sampled requests only, records a span.
//!
//! Three kinds of tracer:
//!
//! | made by | contexts | spans |
//! |---|---|---|
//! | [`Tracer::off`] | the parent's is passed on untouched; without a parent there is none | none |
//! | [`Tracer::new`] without a sink | a child of the parent, or a new trace | none |
//! | [`Tracer::new`] with a [`SpanSink`] | the same | recorded when sampled, and sent to the exporters |
//!
//! A name, an attribute or a status is given as a closure, which is not called unless the span is recorded: an
//! unsampled request allocates nothing here.

mod baggage;
mod binary;
mod context;
mod sampler;
mod span;
mod state;
mod tracer;

pub use baggage::{Baggage, BaggageError};
pub use context::{SpanId, TraceContext, TraceId, Traceparent};
pub use sampler::{RateError, Sampler};
pub use span::{Event, SpanData, SpanKind, Status, Value};
pub use state::{MAX_TRACESTATE_LEN, TraceState};
pub use tracer::{SpanHandle, SpanSink, Tracer};
