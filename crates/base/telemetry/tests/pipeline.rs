//! The queue between spans and exporters: batches, retries, the end.
#![allow(clippy::disallowed_methods, reason = "a test awaits or aborts what it spawns")]

use std::{
    collections::VecDeque,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use outrigger_base_clock::{ManualClock, SeededEntropy, Timestamp};
use outrigger_base_telemetry::trace::{
    BoxFuture, ExportError, QUEUE_CAPACITY, Sampler, SpanData, SpanExporter, SpanKind, SpanSink, Tracer,
    pipeline,
};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout},
};

/// What an exporter shall do with its next batch.
#[derive(Debug, Clone, Copy)]
enum Act {
    Fail { retryable: bool },
    Hang,
    Take(Duration),
}

/// Follows a script, then takes everything; tells when it was given how many spans.
#[derive(Debug, Clone)]
struct Scripted {
    script: Arc<Mutex<VecDeque<Act>>>,
    seen: Arc<Mutex<Vec<(u64, usize)>>>,
    born: Instant,
}

impl Scripted {
    fn new(script: &[Act]) -> Self {
        Self {
            script: Arc::new(Mutex::new(script.iter().copied().collect())),
            seen: Arc::default(),
            born: Instant::now(),
        }
    }

    /// Milliseconds since the beginning, and the size of the batch, of each call.
    fn seen(&self) -> Vec<(u64, usize)> {
        self.seen.lock().unwrap().clone()
    }
}

impl SpanExporter for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn export<'a>(&'a self, batch: &'a [SpanData]) -> BoxFuture<'a, Result<(), ExportError>> {
        let at = self.born.elapsed().as_millis() as u64;
        self.seen.lock().unwrap().push((at, batch.len()));
        let act = self.script.lock().unwrap().pop_front();
        let failure = |status: u16| ExportError::Status {
            endpoint: "x".into(),
            status: http::StatusCode::from_u16(status).unwrap(),
        };
        Box::pin(async move {
            match act {
                None => Ok(()),
                Some(Act::Take(after)) => {
                    sleep(after).await;
                    Ok(())
                }
                Some(Act::Hang) => pending().await,
                Some(Act::Fail { retryable }) => Err(failure(if retryable { 503 } else { 400 })),
            }
        })
    }
}

fn tracer(sink: &SpanSink) -> Tracer {
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    Tracer::new(
        clock,
        Arc::new(SeededEntropy::new(1)),
        Sampler::parse("1").unwrap(),
        Some(sink.clone()),
    )
}

fn make(tracer: &Tracer, spans: usize) {
    for _ in 0..spans {
        drop(tracer.start(|| "s".into(), None, SpanKind::Internal));
    }
}

#[tokio::test(start_paused = true)]
async fn spans_are_sent_in_batches_after_a_delay() {
    let exporter = Scripted::new(&[]);
    let (sink, worker) = pipeline(vec![Box::new(exporter.clone())]);
    let stats = worker.stats();
    let work = tokio::spawn(worker.run(pending(), Duration::ZERO));
    let tracer = tracer(&sink);
    make(&tracer, 3);
    sleep(Duration::from_millis(900)).await;
    make(&tracer, 2);
    sleep(Duration::from_millis(200)).await;
    assert_eq!(exporter.seen(), [(1_000, 5)]);
    make(&tracer, 600);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(
        exporter.seen()[1..].iter().map(|(_, n)| *n).collect::<Vec<_>>(),
        [512, 88]
    );
    assert_eq!((stats.exported(), stats.failed(), sink.dropped()), (605, 0, 0));
    // The worker ends when nobody can make spans any more.
    drop((tracer, sink));
    timeout(Duration::from_secs(5), work).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn failures_that_may_pass_are_tried_again_and_others_are_not() {
    let fail = Act::Fail { retryable: true };
    let flaky = Scripted::new(&[fail, fail]);
    let refusing = Scripted::new(&[Act::Fail { retryable: false }]);
    let dead = Scripted::new(&[fail, fail, fail, fail]);
    let (sink, worker) = pipeline(vec![
        Box::new(flaky.clone()),
        Box::new(refusing.clone()),
        Box::new(dead.clone()),
    ]);
    let stats = worker.stats();
    let work = tokio::spawn(worker.run(pending(), Duration::ZERO));
    make(&tracer(&sink), 1);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(flaky.seen(), [(1_000, 1), (2_000, 1), (4_000, 1)]);
    assert_eq!(refusing.seen(), [(1_000, 1)]);
    assert_eq!(dead.seen(), [(1_000, 1), (2_000, 1), (4_000, 1), (8_000, 1)]);
    assert_eq!((stats.exported(), stats.failed()), (1, 2));
    work.abort();
}

#[tokio::test(start_paused = true)]
async fn the_end_flushes_what_waits() {
    let exporter = Scripted::new(&[Act::Take(Duration::from_secs(2))]);
    let (sink, worker) = pipeline(vec![Box::new(exporter.clone())]);
    let stats = worker.stats();
    let (stop, stopped) = oneshot::channel::<()>();
    let work = tokio::spawn(worker.run(async { drop(stopped.await) }, Duration::from_secs(10)));
    let tracer = tracer(&sink);
    make(&tracer, 1);
    // The first batch is on its way when the end is announced.
    sleep(Duration::from_millis(1_500)).await;
    make(&tracer, 700);
    stop.send(()).unwrap();
    timeout(Duration::from_secs(10), work).await.unwrap().unwrap();
    assert_eq!(
        exporter.seen().iter().map(|(_, n)| *n).sum::<usize>(),
        701,
        "nothing twice, nothing lost"
    );
    assert_eq!(stats.exported(), 701);
    make(&tracer, 1);
    assert_eq!(sink.dropped(), 1, "after the end spans are dropped and counted");
}

#[tokio::test(start_paused = true)]
async fn the_end_does_not_wait_for_the_delay_of_a_batch() {
    let exporter = Scripted::new(&[]);
    let (sink, worker) = pipeline(vec![Box::new(exporter.clone())]);
    let (stop, stopped) = oneshot::channel::<()>();
    let work = tokio::spawn(worker.run(async { drop(stopped.await) }, Duration::from_secs(10)));
    make(&tracer(&sink), 1);
    sleep(Duration::from_millis(10)).await;
    stop.send(()).unwrap();
    work.await.unwrap();
    assert_eq!(exporter.seen(), [(10, 1)]);
}

#[tokio::test(start_paused = true)]
async fn the_end_has_a_deadline() {
    let exporter = Scripted::new(&[Act::Hang]);
    let (sink, worker) = pipeline(vec![Box::new(exporter)]);
    let (stop, stopped) = oneshot::channel::<()>();
    let work = tokio::spawn(worker.run(async { drop(stopped.await) }, Duration::from_secs(3)));
    make(&tracer(&sink), 1);
    sleep(Duration::from_secs(2)).await;
    let before = Instant::now();
    stop.send(()).unwrap();
    work.await.unwrap();
    assert_eq!(before.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_stuck_exporter_fills_the_queue_and_the_rest_is_counted() {
    let (sink, worker) = pipeline(vec![Box::new(Scripted::new(&[Act::Hang]))]);
    let work = tokio::spawn(worker.run(pending(), Duration::ZERO));
    let tracer = tracer(&sink);
    make(&tracer, 1);
    sleep(Duration::from_secs(2)).await;
    make(&tracer, QUEUE_CAPACITY + 10);
    assert_eq!(sink.dropped(), 10);
    work.abort();
}
