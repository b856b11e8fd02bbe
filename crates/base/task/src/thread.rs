//! A named thread with an owner and an end that can be awaited.

use std::{
    io,
    sync::{Mutex, PoisonError},
    thread::{Builder, JoinHandle},
};

use crate::StopSignal;

/// A thread that runs a body once, for work that blocks as long as its owner lives. It ends by what its body reads
/// from, not by this handle.
#[derive(Debug)]
pub struct Thread {
    name: &'static str,
    handle: Mutex<Option<JoinHandle<()>>>,
    ended: StopSignal,
}

/// Sets the signal off when the body is over, also when it panicked.
struct AtEnd(StopSignal);

impl Thread {
    /// Starts a thread. `name` is a literal: what comes from outside may hold bytes that a thread's name must not.
    ///
    /// # Errors
    /// The operating system has no thread to give.
    pub fn spawn(name: &'static str, body: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let ended = StopSignal::default();
        let at_end = AtEnd(ended.clone());
        let handle = Builder::new().name(name.to_owned()).spawn(move || {
            let _at_end = at_end;
            body();
        })?;
        Ok(Self {
            name,
            handle: Mutex::new(Some(handle)),
            ended,
        })
    }

    /// Waits until the body has returned, then joins the thread. May be called more than once.
    pub async fn ended(&self) {
        self.ended.stopped().await;
        // The body is over: the join waits for the thread's last instructions only.
        self.join();
    }

    /// Waits for the end on a thread that may block. May be called more than once.
    pub fn join(&self) {
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner).take();
        if handle.is_some_and(|handle| handle.join().is_err()) {
            tracing::error!(thread = self.name, "a thread panicked");
        }
    }
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn the_end_is_the_end_of_the_body() {
        let (sender, receiver) = mpsc::sync_channel::<()>(1);
        let thread = Thread::spawn("test", move || {
            let _ = receiver.recv();
        })
        .unwrap();
        let mut ended = Box::pin(thread.ended());
        assert!(futures_util::poll!(&mut ended).is_pending());
        drop(sender);
        ended.await;
        // Told again, and joined again, it is over still.
        thread.ended().await;
        thread.join();
    }

    #[tokio::test]
    async fn a_body_that_panics_ends_too() {
        let thread = Thread::spawn("test", || panic!("on purpose")).unwrap();
        thread.ended().await;
    }
}
