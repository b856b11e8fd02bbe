//! A named thread with an owner and an end that can be awaited.

use std::{
    io,
    sync::{Mutex, PoisonError},
    thread::{Builder, JoinHandle},
};

use outrigger_base_task::StopSignal;

/// A thread that runs `body` once. It is told to end by whatever it reads from, not by this handle.
#[derive(Debug)]
pub(crate) struct Thread {
    handle: Mutex<Option<JoinHandle<()>>>,
    ended: StopSignal,
}

impl Thread {
    /// Starts a thread. `name` is a literal: what comes from outside may hold bytes that a thread name must not.
    pub(crate) fn spawn(name: &'static str, body: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let ended = StopSignal::default();
        let at_end = AtEnd(ended.clone());
        let handle = Builder::new().name(name.to_owned()).spawn(move || {
            let _at_end = at_end;
            body();
        })?;
        Ok(Self {
            handle: Mutex::new(Some(handle)),
            ended,
        })
    }

    /// Waits until the body has returned, then joins the thread. May be called more than once.
    pub(crate) async fn ended(&self) {
        self.ended.stopped().await;
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The body is over, so the join waits for the last instructions of the thread only.
        if let Some(handle) = handle
            && handle.join().is_err()
        {
            tracing::error!("a thread of the sqlite component panicked");
        }
    }
}

/// Sets the signal off when the body is over, also when it panicked.
struct AtEnd(StopSignal);

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.0.stop();
    }
}
