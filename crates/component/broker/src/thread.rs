//! A named thread with an owner and an end that can be awaited.

use std::{
    io,
    sync::{Mutex, PoisonError},
    thread::{Builder, JoinHandle},
};

use outrigger_base_task::StopSignal;

/// A thread that runs a body once. It ends by what its body reads from, not by this handle.
#[derive(Debug)]
pub(crate) struct Thread {
    handle: Mutex<Option<JoinHandle<()>>>,
    ended: StopSignal,
}

/// Sets the signal off when the body is over, also when it panicked.
struct AtEnd(StopSignal);

impl Thread {
    /// Starts a thread.
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
        // The body is over: the join waits for the thread's last instructions only.
        self.join();
    }

    /// Waits for the end on a thread that may block.
    pub(crate) fn join(&self) {
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner).take();
        if handle.is_some_and(|handle| handle.join().is_err()) {
            tracing::error!("a thread of the embedded broker panicked");
        }
    }
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.0.stop();
    }
}
