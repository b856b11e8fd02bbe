//! From finished spans to exporters: a bounded queue and the task that empties it.
//!
//! ```text
//! SpanHandle dropped → SpanSink (bounded; full: drop and count) → Worker: batches → every exporter
//! ```
//!
//! The worker is a future that the instance runs on a task it owns; nothing is spawned here, and nothing at all exists
//! when tracing is off. A span of its own is never made while exporting.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{export::SpanExporter, span::SpanData, tracer::SpanSink};

/// Spans that wait at most; more are dropped. OpenTelemetry's default for batch processors.
pub const QUEUE_CAPACITY: usize = 2_048;

/// Spans in one request to a receiver. OpenTelemetry's default.
const MAX_BATCH: usize = 512;

/// How long the first span of a batch waits for others. Shorter than OpenTelemetry's five seconds: what is not sent is
/// lost when the process is killed.
const BATCH_DELAY: Duration = Duration::from_secs(1);

/// How often a batch is sent again after a failure that may pass, and how long to wait before the first of these; each
/// later wait is twice as long. Together 7 s, in which the queue fills at 300 spans a second.
const RETRIES: u32 = 3;
const FIRST_RETRY_AFTER: Duration = Duration::from_secs(1);

/// A sink for a tracer and the worker that sends to `exporters` what the sink takes.
pub fn pipeline(exporters: Vec<Box<dyn SpanExporter>>) -> (SpanSink, Worker) {
    let (sink, queue) = SpanSink::bounded(QUEUE_CAPACITY);
    let stats = PipelineStats::default();
    let worker = Worker {
        queue,
        exporters,
        stats,
    };
    (sink, worker)
}

/// Empties the queue. See [`Worker::run`].
#[derive(Debug)]
pub struct Worker {
    queue: mpsc::Receiver<SpanData>,
    exporters: Vec<Box<dyn SpanExporter>>,
    stats: PipelineStats,
}

/// What became of spans; shared with the worker. A span counts once per exporter.
#[derive(Debug, Clone, Default)]
pub struct PipelineStats(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    exported: AtomicU64,
    failed: AtomicU64,
}

impl PipelineStats {
    /// Spans that an exporter handed over.
    pub fn exported(&self) -> u64 {
        self.0.exported.load(Ordering::Relaxed)
    }

    /// Spans that an exporter gave up on.
    pub fn failed(&self) -> u64 {
        self.0.failed.load(Ordering::Relaxed)
    }
}

impl Worker {
    /// What became of spans so far, to keep while the worker runs.
    pub fn stats(&self) -> PipelineStats {
        self.stats.clone()
    }

    /// Sends spans until `stop` completes, or until the tracer and all its handles are gone; then what waits, for at
    /// most `flush_within`.
    pub async fn run(self, stop: impl Future<Output = ()>, flush_within: Duration) {
        let closing = Notify::new();
        let mut work = std::pin::pin!(self.work(&closing));
        tokio::select! {
            () = &mut work => return,
            () = stop => closing.notify_one(),
        }
        // A batch on its way is not broken off: it would have to be sent twice.
        if timeout(flush_within, work).await.is_err() {
            tracing::warn!(
                deadline_ms = flush_within.as_millis() as u64,
                "spans were left unsent at the end: the receiver did not take them in time"
            );
        }
    }

    async fn work(mut self, closing: &Notify) {
        let mut batch = Vec::new();
        let mut healthy = vec![true; self.exporters.len()];
        let mut closed = false;
        loop {
            let first = tokio::select! {
                biased;
                first = self.queue.recv_many(&mut batch, MAX_BATCH) => first,
                () = closing.notified(), if !closed => {
                    self.queue.close();
                    closed = true;
                    continue;
                }
            };
            if first == 0 {
                return;
            }
            if !closed {
                closed = self.fill(&mut batch, closing).await;
            }
            self.export(&batch, &mut healthy).await;
            batch.clear();
            // An idle runtime keeps no memory for a burst that has passed.
            batch.shrink_to(0);
        }
    }

    /// Waits for more spans to fill the batch. Returns whether the end was announced meanwhile.
    async fn fill(&mut self, batch: &mut Vec<SpanData>, closing: &Notify) -> bool {
        let until = Instant::now() + BATCH_DELAY;
        while batch.len() < MAX_BATCH {
            let room = MAX_BATCH - batch.len();
            tokio::select! {
                biased;
                () = closing.notified() => {
                    self.queue.close();
                    return true;
                }
                more = timeout_at(until, self.queue.recv_many(batch, room)) => {
                    if !matches!(more, Ok(1..)) {
                        break;
                    }
                }
            }
        }
        false
    }

    /// Sends a batch to all exporters at the same time, so that a slow one does not delay another's retries.
    async fn export(&self, batch: &[SpanData], healthy: &mut [bool]) {
        let each = self.exporters.iter().zip(healthy);
        join_all(each.map(|(exporter, healthy)| self.export_to(&**exporter, batch, healthy))).await;
    }

    /// Sends with retries. The log hears of the first failure after a success and of the first success after a failure.
    async fn export_to(&self, exporter: &dyn SpanExporter, batch: &[SpanData], healthy: &mut bool) {
        let name = exporter.name();
        let mut wait = FIRST_RETRY_AFTER;
        for attempt in 0.. {
            let Err(error) = exporter.export(batch).await else {
                self.stats
                    .0
                    .exported
                    .fetch_add(batch.len() as u64, Ordering::Relaxed);
                if !std::mem::replace(healthy, true) {
                    tracing::info!(exporter = name, "spans are exported again");
                }
                return;
            };
            if std::mem::replace(healthy, false) {
                let error: &(dyn std::error::Error + 'static) = &error;
                tracing::warn!(exporter = name, error, "spans could not be exported");
            }
            if !error.retryable() || attempt == RETRIES {
                self.stats
                    .0
                    .failed
                    .fetch_add(batch.len() as u64, Ordering::Relaxed);
                return;
            }
            sleep(wait).await;
            wait *= 2;
        }
    }
}
