//! Spans in the log.

use super::{
    context::SpanId,
    export::{BoxFuture, ExportError, SpanExporter},
    span::SpanData,
};

/// Writes each span as a line of the log, at *info*. Its scope is that of this module
/// (`outrigger_base_telemetry::trace::stdout`) in the program's [`Scopes`](crate::log::Scopes).
#[derive(Debug, Clone, Copy, Default)]
pub struct StdoutExporter;

impl SpanExporter for StdoutExporter {
    fn name(&self) -> &'static str {
        "stdout"
    }

    fn export<'a>(&'a self, batch: &'a [SpanData]) -> BoxFuture<'a, Result<(), ExportError>> {
        batch.iter().for_each(write);
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The words of the system we replace, which people grep for.
fn write(span: &SpanData) {
    let events: Vec<&str> = span.events.iter().map(|event| &*event.name).collect();
    tracing::info!(
        "[{}] Trace: {} Span: {}/{} Time: [{} ->  {}] Annotations: {events:?}",
        span.name,
        span.context.trace_id,
        span.parent.unwrap_or(SpanId([0; 8])),
        span.context.span_id,
        span.start,
        span.end,
    );
}
