//! The background tasks of this crate: each ends when its owner is dropped.

use std::future::Future;

use outrigger_base_task::TaskSet;

/// A task that is told to end when this is dropped.
#[derive(Debug)]
pub(crate) struct Owned(TaskSet);

/// Runs `future` on the current runtime until it ends or its owner drops the handle.
pub(crate) fn spawn(name: &'static str, future: impl Future<Output = ()> + Send + 'static) -> Owned {
    let tasks = TaskSet::new("discovery");
    let signal = tasks.signal().clone();
    tasks.spawn(name, async move {
        signal.run_until(future).await;
    });
    Owned(tasks)
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.stop();
    }
}
