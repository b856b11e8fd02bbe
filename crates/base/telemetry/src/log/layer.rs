//! The `tracing` layer.

use std::{
    borrow::Cow,
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::tz::TimeZone;
use outrigger_base_clock::Clock;
use tracing::{
    Event, Metadata, Subscriber,
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_subscriber::{
    Layer,
    layer::Context,
    registry::{LookupSpan, Scope},
};

use super::{
    level::Level,
    line::{Line, SpanFields},
    output::{Output, OutputError, Outputs},
    rotate::Rotation,
    scope::Scopes,
};
use crate::go::Layout;

/// The field that holds the scope.
const KEY_SCOPE: &str = "scope";
/// The field that tells log lines from other lines, and its value unless an event says otherwise.
const KEY_TYPE: &str = "type";
const TYPE_LOG: &str = "log";

/// Foreign events below this are not written, whatever the level.
const FOREIGN_LEVEL: Level = Level::Warn;

/// What the log of a program looks like.
#[derive(Debug)]
pub struct Config {
    /// Lines below this are not written.
    pub level: Level,
    /// JSON instead of text.
    pub json: bool,
    /// Where lines go.
    pub outputs: Vec<Output>,
    /// What happens to files among the outputs.
    pub rotation: Rotation,
    /// How the time is written.
    pub timestamp: Layout,
    /// Where the time is seen from.
    pub zone: TimeZone,
    /// Fields of every line, such as the host and the version.
    pub context: Vec<(Cow<'static, str>, String)>,
    /// Which scope a line is of.
    pub scopes: Scopes,
}

impl Default for Config {
    /// Text to the standard output, from *info*, in UTC.
    fn default() -> Self {
        Self {
            level: Level::Info,
            json: false,
            outputs: vec![Output::Stdout],
            rotation: Rotation::default(),
            timestamp: Layout::rfc3339_nano(),
            zone: TimeZone::UTC,
            context: Vec::new(),
            scopes: Scopes::default(),
        }
    }
}

/// Writes events as log lines. See [the module](super) for the form.
#[derive(Debug)]
pub struct LogLayer {
    level: Level,
    json: bool,
    timestamp: Layout,
    zone: TimeZone,
    context: Vec<(Cow<'static, str>, String)>,
    scopes: Scopes,
    outputs: Outputs,
    clock: Arc<dyn Clock>,
}

/// What became of lines; shared with the layer.
#[derive(Debug, Clone, Default)]
pub struct LogStats(Arc<AtomicU64>);

impl LogStats {
    /// Lines that an output did not take: a full disk, a closed pipe.
    pub fn lost(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl LogLayer {
    /// Opens the outputs.
    pub fn open(config: Config, clock: Arc<dyn Clock>) -> Result<(Self, LogStats), OutputError> {
        let stats = LogStats::default();
        let layer = Self {
            outputs: Outputs::open(config.outputs, &config.rotation, &clock, stats.0.clone())?,
            level: config.level,
            json: config.json,
            timestamp: config.timestamp,
            zone: config.zone,
            context: config.context,
            scopes: config.scopes,
            clock,
        };
        Ok((layer, stats))
    }

    /// Whether anything of this origin is ever written. Fixed per call site, so `tracing` asks once.
    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        if *metadata.level() > self.level.filter() {
            return false;
        }
        let (_, ours) = self.scopes.of(metadata);
        ours || Level::of(*metadata.level()).is_some_and(|level| level >= FOREIGN_LEVEL)
    }

    fn write<S>(&self, line: &mut Line, event: &Event<'_>, spans: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Some(level) = Level::of(*event.metadata().level()) else {
            return;
        };
        line.clear();
        line.text(KEY_TYPE, TYPE_LOG);
        for (key, value) in &self.context {
            line.text(key, value);
        }
        line.text(KEY_SCOPE, self.scopes.of(event.metadata()).0);
        for span in spans.event_scope(event).into_iter().flat_map(Scope::from_root) {
            if let Some(fields) = span.extensions().get::<SpanFields>() {
                line.extend(fields);
            }
        }
        event.record(line);
        let level = match level {
            Level::Error if line.fatal => Level::Fatal,
            level => level,
        };
        if level < self.level {
            return;
        }
        let now = self.clock.now();
        self.outputs.write(match self.json {
            true => line.json_line(|out| self.timestamp.write(out, now, &self.zone), level),
            false => line.text_line(|out| self.timestamp.write(out, now, &self.zone), level),
        });
    }
}

impl<S> Layer<S> for LogLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match self.wants(metadata) {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level.filter())
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, spans: Context<'_, S>) {
        let Some(span) = spans.span(id) else {
            return;
        };
        let mut fields = SpanFields::default();
        with_line(|line| {
            line.clear();
            attributes.record(line);
            fields.absorb(line);
        });
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, spans: Context<'_, S>) {
        let Some(span) = spans.span(id) else {
            return;
        };
        with_line(|line| {
            line.clear();
            record.record(line);
            if let Some(fields) = span.extensions_mut().get_mut::<SpanFields>() {
                fields.absorb(line);
            }
        });
    }

    fn on_event(&self, event: &Event<'_>, spans: Context<'_, S>) {
        with_line(|line| self.write(line, event, &spans));
    }
}

/// Lends this thread's buffer, or a new one when it is lent already: a `Debug` that logs runs while a line is built.
fn with_line(work: impl FnOnce(&mut Line)) {
    thread_local! {
        static LINE: RefCell<Line> = RefCell::default();
    }
    let mut work = Some(work);
    // At the end of a thread its buffer is gone; then as well a new one does.
    let _ = LINE.try_with(|line| {
        if let Ok(mut line) = line.try_borrow_mut()
            && let Some(work) = work.take()
        {
            work(&mut line);
        }
    });
    if let Some(work) = work {
        work(&mut Line::default());
    }
}
