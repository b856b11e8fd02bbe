//! The threads that serve connections, each with a runtime of its own.

use std::{io, thread};

use tokio::{
    runtime::{Builder, Handle},
    sync::watch,
};

/// More threads than this do not pay: connections are short of work before processors are.
const MAX_WORKERS: usize = 8;

/// Threads with a current-thread runtime each. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Workers {
    handles: Vec<Handle>,
    threads: Vec<thread::JoinHandle<()>>,
    end: watch::Sender<bool>,
}

impl Workers {
    /// One thread for each processor, up to a bound (ADR 0006).
    pub(crate) fn start() -> io::Result<Self> {
        let count = thread::available_parallelism()
            .map_or(1, usize::from)
            .min(MAX_WORKERS);
        let end = watch::Sender::new(false);
        let mut workers = Self {
            handles: Vec::new(),
            threads: Vec::new(),
            end,
        };
        for index in 0..count {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            workers.handles.push(runtime.handle().clone());
            let mut ended = workers.end.subscribe();
            let run = move || {
                runtime.block_on(async move {
                    // An error means that the sender is gone, which is an end as well.
                    let _ = ended.wait_for(|ended| *ended).await;
                });
            };
            workers
                .threads
                .push(thread::Builder::new().name(format!("data-{index}")).spawn(run)?);
        }
        Ok(workers)
    }

    /// The runtimes of the threads.
    pub(crate) fn handles(&self) -> Vec<Handle> {
        self.handles.clone()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.end.send_replace(true);
        for thread in self.threads.drain(..) {
            // A worker that panicked has said so.
            let _ = thread.join();
        }
    }
}
