//! A set of tasks that one part of the program owns.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{runtime::Handle, task::AbortHandle};
use tokio_util::{
    sync::{CancellationToken, WaitForCancellationFuture},
    task::TaskTracker,
};
use tracing::{Instrument, Span};

/// Tells the tasks of a set that they should come to an end.
#[derive(Debug, Clone, Default)]
pub struct StopSignal(CancellationToken);

impl StopSignal {
    /// Completes when the owner wants its tasks to end; at once if it already does.
    pub fn stopped(&self) -> WaitForCancellationFuture<'_> {
        self.0.cancelled()
    }

    /// Whether the owner wants its tasks to end.
    pub fn is_stopped(&self) -> bool {
        self.0.is_cancelled()
    }

    /// A signal that also goes off when this one does.
    pub fn child(&self) -> Self {
        Self(self.0.child_token())
    }

    /// Sets the signal off.
    pub fn stop(&self) {
        self.0.cancel();
    }

    /// Runs `future` until it ends or the signal goes off; `None` in the second case.
    pub async fn run_until<F: Future>(&self, future: F) -> Option<F::Output> {
        self.0.run_until_cancelled(future).await
    }
}

/// A task that did not end before the deadline and was aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Who owned it.
    pub owner: Arc<str>,
    /// What it was called.
    pub task: Arc<str>,
}

/// The tasks of one owner. Cloning gives another handle to the same set; the tasks end with [`TaskSet::close`].
///
/// The tasks run in the `tracing` span that the set was made in, so that what they log tells whose they are.
#[derive(Debug, Clone)]
pub struct TaskSet(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    owner: Arc<str>,
    signal: StopSignal,
    tracker: TaskTracker,
    /// Where to spawn when the caller's thread has no runtime, or one that ends before the set does.
    home: Option<Handle>,
    /// What log lines of the tasks are in; a runtime that shares its process tells itself apart by it.
    span: Span,
    running: Mutex<Running>,
}

/// The tasks that were spawned and may not have ended.
#[derive(Debug, Default)]
struct Running {
    tasks: Vec<(Arc<str>, AbortHandle)>,
    /// The length at which ended tasks are swept out: twice what was left last time, so that a spawn costs a constant
    /// time on average, however many tasks live.
    sweep_at: usize,
}

/// The shortest list of running tasks that is worth a sweep.
const SWEEP_AT_LEAST: usize = 64;

impl Running {
    fn push(&mut self, name: Arc<str>, abort: AbortHandle) {
        if self.tasks.len() >= self.sweep_at.max(SWEEP_AT_LEAST) {
            self.tasks.retain(|(_, abort)| !abort.is_finished());
            self.sweep_at = self.tasks.len() * 2;
        }
        self.tasks.push((name, abort));
    }
}

impl TaskSet {
    /// An empty set that belongs to `owner` and spawns on the runtime it is called from.
    pub fn new(owner: impl Into<Arc<str>>) -> Self {
        Self::build(owner.into(), StopSignal::default(), None, Span::current())
    }

    /// An empty set whose tasks all run on `home`, from whatever thread they are spawned.
    pub fn on(home: Handle, owner: impl Into<Arc<str>>) -> Self {
        Self::build(owner.into(), StopSignal::default(), Some(home), Span::current())
    }

    /// A set of a part of this owner: it stops when this one does, but is closed by its own owner.
    pub fn child(&self, owner: impl Into<Arc<str>>) -> Self {
        let (signal, home) = (self.0.signal.child(), self.0.home.clone());
        Self::build(owner.into(), signal, home, self.0.span.clone())
    }

    fn build(owner: Arc<str>, signal: StopSignal, home: Option<Handle>, span: Span) -> Self {
        Self(Arc::new(Inner {
            owner,
            signal,
            tracker: TaskTracker::new(),
            home,
            span,
            running: Mutex::default(),
        }))
    }

    /// The signal that this set's tasks watch.
    pub fn signal(&self) -> &StopSignal {
        &self.0.signal
    }

    /// Spawns a task that ends by itself or on the set's signal. A panic in it is logged with its name.
    pub fn spawn<F>(&self, name: impl Into<Arc<str>>, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.spawn_on(self.0.home.as_ref(), name.into(), future);
    }

    /// As [`TaskSet::spawn`], on the runtime of `home`; on the current one without it.
    pub fn spawn_on<F>(&self, home: Option<&Handle>, name: impl Into<Arc<str>>, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let name = name.into();
        let (owner, task) = (self.0.owner.clone(), name.clone());
        let guarded = async move {
            if std::panic::AssertUnwindSafe(future).catch_unwind().await.is_err() {
                tracing::error!(owner = &*owner, task = &*task, "task panicked");
            }
        };
        let tracked = self
            .0
            .tracker
            .track_future(guarded.instrument(self.0.span.clone()));
        #[allow(clippy::disallowed_methods, reason = "this is the one place that may spawn")]
        let handle = match home {
            Some(home) => home.spawn(tracked),
            None => tokio::spawn(tracked),
        };
        self.0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(name, handle.abort_handle());
    }

    /// Waits until every task has ended, without telling any to.
    pub async fn wait(&self) {
        self.0.tracker.close();
        self.0.tracker.wait().await;
    }

    /// Tells every task to stop, without waiting.
    pub fn stop(&self) {
        self.0.signal.stop();
    }

    /// Tells every task to stop and waits for them until `deadline`; what is left is aborted and named.
    pub async fn close(&self, deadline: Duration) -> Vec<Leftover> {
        self.stop();
        self.0.tracker.close();
        if tokio::time::timeout(deadline, self.0.tracker.wait())
            .await
            .is_ok()
        {
            return Vec::new();
        }
        self.abort_rest()
    }

    fn abort_rest(&self) -> Vec<Leftover> {
        let mut running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        running
            .tasks
            .drain(..)
            .filter(|(_, abort)| !abort.is_finished())
            .map(|(task, abort)| {
                abort.abort();
                Leftover {
                    owner: self.0.owner.clone(),
                    task,
                }
            })
            .collect()
    }

    /// How many tasks have not ended.
    pub fn len(&self) -> usize {
        self.0.tracker.len()
    }

    /// Whether every task has ended.
    pub fn is_empty(&self) -> bool {
        self.0.tracker.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn close_waits_for_tasks_that_heed_the_signal() {
        let set = TaskSet::new("owner");
        let signal = set.signal().clone();
        set.spawn("heeds", async move { signal.stopped().await });
        assert_eq!(set.close(Duration::from_secs(1)).await, []);
        assert!(set.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn close_names_and_aborts_what_does_not_end() {
        let set = TaskSet::new("owner");
        set.spawn("deaf", std::future::pending());
        let leftovers = set.close(Duration::from_secs(1)).await;
        assert_eq!(
            leftovers,
            [Leftover {
                owner: "owner".into(),
                task: "deaf".into()
            }]
        );
    }

    #[tokio::test]
    async fn a_panic_ends_the_task_and_not_the_set() {
        let set = TaskSet::new("owner");
        set.spawn("bad", async { panic!("on purpose") });
        assert_eq!(set.close(Duration::from_secs(5)).await, []);
    }

    #[tokio::test]
    async fn a_child_stops_with_its_parent() {
        let parent = TaskSet::new("parent");
        let child = parent.child("child");
        parent.stop();
        assert!(child.signal().is_stopped());
    }
}
