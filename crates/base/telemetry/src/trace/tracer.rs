//! Starts spans.

use std::{
    borrow::Cow,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use outrigger_base_clock::{Clock, Entropy, Timestamp};
use tokio::sync::mpsc;

use super::{
    context::{SpanId, TraceContext, TraceId},
    sampler::Sampler,
    span::{Event, SpanData, SpanKind, Status, Value},
};

/// Makes the trace context of each hop, and spans of the sampled ones. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tracer(Mode);

#[derive(Debug, Clone)]
enum Mode {
    Disabled,
    PassOn,
    On(Arc<Shared>),
}

#[derive(Debug)]
struct Shared {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    sampler: Sampler,
    sink: Option<SpanSink>,
}

impl Tracer {
    /// Passes contexts on and makes none: nobody has asked for traces.
    pub fn off() -> Self {
        Self(Mode::PassOn)
    }

    /// As [`off`](Self::off), and whoever handles requests is told to leave trace headers alone: somebody has asked for
    /// no traces.
    pub fn disabled() -> Self {
        Self(Mode::Disabled)
    }

    /// Whether trace headers of requests are to be looked at.
    pub fn is_enabled(&self) -> bool {
        !matches!(self.0, Mode::Disabled)
    }

    /// Makes contexts; records spans when there is a sink for them.
    pub fn new(
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        sampler: Sampler,
        sink: Option<SpanSink>,
    ) -> Self {
        Self(Mode::On(Arc::new(Shared {
            clock,
            entropy,
            sampler,
            sink,
        })))
    }

    /// Starts a span under `parent`, or a new trace without one (an invalid parent is none). `name` is called only if
    /// the span is recorded. The span ends when the handle is dropped.
    pub fn start(
        &self,
        name: impl FnOnce() -> Cow<'static, str>,
        parent: Option<&TraceContext>,
        kind: SpanKind,
    ) -> SpanHandle {
        let parent = parent.filter(|parent| parent.is_valid());
        let Mode::On(shared) = &self.0 else {
            return SpanHandle {
                context: parent.cloned().unwrap_or_default(),
                recording: None,
            };
        };
        let context = shared.next_context(parent);
        let parent_span = parent.map(|parent| parent.span_id);
        shared.record(context, parent_span, kind, None, name)
    }

    /// Goes on with a span whose identity was decided and stored before, such as that of a workflow which outlives
    /// processes. Recorded if `context` is sampled.
    pub fn resume(
        &self,
        name: impl FnOnce() -> Cow<'static, str>,
        context: TraceContext,
        parent: Option<SpanId>,
        kind: SpanKind,
        start: Timestamp,
    ) -> SpanHandle {
        match &self.0 {
            Mode::On(shared) => shared.record(context, parent, kind, Some(start), name),
            Mode::PassOn | Mode::Disabled => SpanHandle {
                context,
                recording: None,
            },
        }
    }
}

impl Shared {
    fn next_context(&self, parent: Option<&TraceContext>) -> TraceContext {
        let entropy = &*self.entropy;
        let (trace_id, flags, state) = match parent {
            Some(parent) => (parent.trace_id, parent.flags, parent.state.clone()),
            None => (TraceId::random(entropy), 0, Default::default()),
        };
        let sampled = match self.sampler.decide(trace_id, parent) {
            true => TraceContext::SAMPLED,
            false => 0,
        };
        TraceContext {
            trace_id,
            span_id: SpanId::random(entropy),
            flags: flags & !TraceContext::SAMPLED | sampled,
            state,
        }
    }

    fn record(
        self: &Arc<Self>,
        context: TraceContext,
        parent: Option<SpanId>,
        kind: SpanKind,
        start: Option<Timestamp>,
        name: impl FnOnce() -> Cow<'static, str>,
    ) -> SpanHandle {
        let recorded = self.sink.is_some() && context.is_sampled() && context.is_valid();
        let recording = recorded.then(|| {
            let start = start.unwrap_or_else(|| self.clock.now());
            Box::new(Recording {
                shared: self.clone(),
                span: Some(SpanData {
                    context: context.clone(),
                    parent,
                    name: name(),
                    kind,
                    start,
                    end: start,
                    attributes: Vec::new(),
                    events: Vec::new(),
                    status: Status::Unset,
                }),
            })
        });
        SpanHandle { context, recording }
    }
}

/// A span that runs. Dropping it ends it.
#[must_use = "the span ends when the handle is dropped"]
pub struct SpanHandle {
    context: TraceContext,
    recording: Option<Box<Recording>>,
}

struct Recording {
    shared: Arc<Shared>,
    /// `None` once it was sent.
    span: Option<SpanData>,
}

impl SpanHandle {
    /// The identity to hand to whatever is called within this span.
    pub fn context(&self) -> &TraceContext {
        &self.context
    }

    /// Whether anything given to this handle is kept. Ask before preparing what a closure cannot.
    pub fn is_recording(&self) -> bool {
        self.recording.is_some()
    }

    /// Renames the span, for when its operation is known only after routing.
    pub fn rename(&mut self, name: impl FnOnce() -> Cow<'static, str>) {
        self.change(|span| span.name = name());
    }

    /// Sets an attribute, replacing one of the same key.
    pub fn attribute<V: Into<Value>>(
        &mut self,
        key: impl Into<Cow<'static, str>>,
        value: impl FnOnce() -> V,
    ) {
        self.change(|span| span.set(key.into(), value().into()));
    }

    /// Says how the span ended.
    pub fn status(&mut self, status: impl FnOnce() -> Status) {
        self.change(|span| span.status = status());
    }

    /// Notes that something happened now.
    pub fn event(&mut self, name: impl FnOnce() -> Cow<'static, str>) {
        let Some(recording) = &mut self.recording else {
            return;
        };
        let time = recording.shared.clock.now();
        self.change(|span| {
            span.events.push(Event {
                name: name(),
                time,
                attributes: Vec::new(),
            });
        });
    }

    /// Ends the span now.
    pub fn end(self) {}

    fn change(&mut self, change: impl FnOnce(&mut SpanData)) {
        if let Some(span) = self
            .recording
            .as_mut()
            .and_then(|recording| recording.span.as_mut())
        {
            change(span);
        }
    }
}

impl fmt::Debug for SpanHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanHandle")
            .field("context", &self.context)
            .field("recording", &self.is_recording())
            .finish()
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if let (Some(mut span), Some(sink)) = (self.span.take(), &self.shared.sink) {
            // A clock that was set back must not make a span of negative length.
            span.end = self.shared.clock.now().max(span.start);
            sink.send(span);
        }
    }
}

/// Takes finished spans: a bounded queue that drops what does not fit and counts what it dropped. It never makes a
/// request wait.
#[derive(Debug, Clone)]
pub struct SpanSink {
    queue: mpsc::Sender<SpanData>,
    dropped: Arc<AtomicU64>,
}

impl SpanSink {
    /// A sink and the end that receives. `capacity` is the number of spans that wait at most.
    pub fn bounded(capacity: usize) -> (Self, mpsc::Receiver<SpanData>) {
        let (queue, receiver) = mpsc::channel(capacity.max(1));
        let dropped = Arc::default();
        (Self { queue, dropped }, receiver)
    }

    /// Hands over a span, or drops it when the queue is full or its receiver gone.
    pub fn send(&self, span: SpanData) {
        if self.queue.try_send(span).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many spans were dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
