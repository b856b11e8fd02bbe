//! Load: calls one after another by several workers, each of them noted.

use std::{sync::Arc, time::Duration};

use http::Method;
use outrigger_testing_harness::eventually;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{Client, PATIENCE, Place, http::request};

/// Workers at a time.
pub(crate) const WORKERS: usize = 4;
/// A worker's pause after a call: some hundred calls a second altogether, which a debug build on a busy machine keeps up
/// with.
const PAUSE: Duration = Duration::from_millis(5);
/// Calls that a worker makes at most; the load is bounded whatever the test does.
const CALLS: usize = 20_000;

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) begun: Instant,
    pub(crate) ended: Instant,
    /// Why it failed.
    pub(crate) failure: Option<String>,
}

/// Load that goes on.
#[derive(Debug)]
pub(crate) struct Load {
    stop: watch::Sender<bool>,
    samples: watch::Receiver<usize>,
    workers: JoinSet<Vec<Sample>>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Report(pub(crate) Vec<Sample>);

impl Load {
    /// `GET`s of `path` at the HTTP API on `port`; each must be answered 200 with `expected`.
    pub(crate) fn start(place: &Place, port: u16, path: &str, expected: &str) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (good, samples) = watch::channel(0);
        let (good, path, expected) = (Arc::new(good), Arc::<str>::from(path), Arc::<str>::from(expected));
        let mut workers = JoinSet::new();
        for _ in 0..WORKERS {
            let worker = Worker {
                place: place.clone(),
                port,
                path: path.clone(),
                expected: expected.clone(),
                good: good.clone(),
                stopped: stopped.clone(),
            };
            workers.spawn(worker.run());
        }
        Self {
            stop,
            samples,
            workers,
        }
    }

    /// Waits until so many more calls went well.
    pub(crate) async fn more(&self, count: usize) {
        let before = *self.samples.borrow();
        eventually(PATIENCE, || async { *self.samples.borrow() >= before + count }).await;
    }

    /// Ends it.
    pub(crate) async fn end(self) -> Report {
        self.stop.send_replace(true);
        let mut samples: Vec<Sample> = self.workers.join_all().await.into_iter().flatten().collect();
        samples.sort_by_key(|sample| sample.begun);
        Report(samples)
    }
}

impl Report {
    pub(crate) fn failures(&self) -> impl Iterator<Item = &Sample> {
        self.0.iter().filter(|sample| sample.failure.is_some())
    }

    /// The share of calls that failed.
    #[allow(clippy::cast_precision_loss, reason = "counts of calls")]
    pub(crate) fn error_rate(&self) -> f64 {
        self.failures().count() as f64 / self.0.len().max(1) as f64
    }

    /// The calls that ended before `end`.
    pub(crate) fn until(&self, end: Instant) -> Self {
        Self(
            self.0
                .iter()
                .filter(|sample| sample.ended < end)
                .cloned()
                .collect(),
        )
    }

    /// How long after `ready` calls went on to fail: until the end of the last failure, or the first success where none
    /// failed that late.
    pub(crate) fn recovery(&self, ready: Instant) -> Duration {
        let last_failure = self
            .failures()
            .map(|sample| sample.ended)
            .filter(|ended| *ended > ready)
            .max();
        let first_success = self
            .0
            .iter()
            .filter(|sample| sample.failure.is_none() && sample.ended > ready);
        let recovered = last_failure.or_else(|| first_success.map(|sample| sample.ended).min());
        recovered.expect("nothing was asked after the recovery") - ready
    }
}

struct Worker {
    place: Place,
    port: u16,
    path: Arc<str>,
    expected: Arc<str>,
    good: Arc<watch::Sender<usize>>,
    stopped: watch::Receiver<bool>,
}

impl Worker {
    async fn run(self) -> Vec<Sample> {
        let mut client = None;
        let mut samples = Vec::new();
        while !*self.stopped.borrow() && samples.len() < CALLS {
            let begun = Instant::now();
            let call = timeout(PATIENCE, self.call(&mut client));
            let failure = call.await.unwrap_or_else(|_| Err("no answer".to_owned())).err();
            if failure.is_none() {
                self.good.send_modify(|count| *count += 1);
            }
            samples.push(Sample {
                begun,
                ended: Instant::now(),
                failure,
            });
            sleep(PAUSE).await;
        }
        samples
    }

    async fn call(&self, client: &mut Option<Client>) -> Result<(), String> {
        let mut kept = match client.take() {
            Some(kept) => kept,
            None => Client::connect(&self.place, self.port)
                .await
                .map_err(|error| error.to_string())?,
        };
        let asked = request(Method::GET, &self.path, "");
        let answer = kept.call(asked).await.map_err(|error| error.to_string())?;
        *client = Some(kept);
        if answer.status == 200 && answer.body == self.expected.as_bytes() {
            return Ok(());
        }
        Err(format!("{} {}", answer.status, answer.text()))
    }
}
