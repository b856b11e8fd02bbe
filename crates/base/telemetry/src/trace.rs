//! Traces of one runtime instance.
//!
//! A [`TraceContext`] travels with every request, sampled or not. A [`Tracer`] makes the context of each hop and, for
//! sampled requests only, records a span.
//!
//! Kinds of tracer:
//!
//! | made by | contexts | spans |
//! |---|---|---|
//! | [`Tracer::off`] | the parent's is passed on untouched; without a parent there is none | none |
//! | [`Tracer::disabled`] | the same, and request handlers leave trace headers alone | none |
//! | [`Tracer::new`] without a sink | a child of the parent, or a new trace | none |
//! | [`Tracer::new`] with a [`SpanSink`] | the same | recorded when sampled, and sent to the exporters |
//!
//! A name, an attribute or a status is given as a closure, which is not called unless the span is recorded: an
//! unsampled request allocates nothing here.
//!
//! How an instance puts it together:
//!
//! ```no_run
//! # use std::{error::Error, sync::Arc, time::Duration};
//! # use outrigger_base_clock::{Clock, Entropy};
//! # use outrigger_base_telemetry::trace::*;
//! # fn assemble(
//! #     configured: TraceSettings, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, http: Arc<dyn HttpPost>,
//! #     env: impl Fn(&str) -> Option<String>, tasks: &outrigger_base_task::TaskSet,
//! # ) -> Result<Tracer, Box<dyn Error>> {
//! let settings = configured.with_env(&env)?;
//! let (resource, ignored) = Resource::new("app-id").with_env(&env);
//! let mut exporters = Vec::new();
//! if let Some(otlp) = settings.otlp()? {
//!     exporters.push(otlp_exporter(&otlp, resource, "who-makes-spans", &http)?);
//! }
//! let (sink, worker) = pipeline(exporters); // Only if there are exporters: a tracer without a sink makes ids only.
//! let stop = tasks.signal().clone(); // Of the set of tasks that the instance owns.
//! tasks.spawn("traces", async move { worker.run(stop.stopped(), Duration::from_secs(5)).await });
//! let sampler = Sampler::parse(&settings.sampling_rate)?;
//! # Ok(
//! Tracer::new(clock, entropy, sampler, Some(sink))
//! # )
//! # }
//! ```

mod baggage;
mod binary;
mod context;
mod export;
mod otlp;
mod pipeline;
mod resource;
mod sampler;
mod settings;
mod span;
mod state;
mod stdout;
mod tracer;
mod zipkin;

pub use baggage::{Baggage, BaggageError};
pub use context::{SpanId, TraceContext, TraceId, Traceparent};
pub use export::{BoxFuture, ExportError, HttpPost, SpanExporter};
pub use otlp::{OtlpConfig, OtlpConfigError, Protocol, otlp_exporter};
pub use pipeline::{PipelineStats, QUEUE_CAPACITY, Worker, pipeline};
pub use resource::Resource;
pub use sampler::{RateError, Sampler};
pub use settings::{SettingsError, TraceSettings};
pub use span::{Event, SpanData, SpanKind, Status, Value};
pub use state::{MAX_TRACESTATE_LEN, TraceState};
pub use stdout::StdoutExporter;
pub use tracer::{SpanHandle, SpanSink, Tracer};
pub use zipkin::{ZipkinEndpointError, ZipkinExporter};
