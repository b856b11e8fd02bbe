//! Syncing to disk, beside the store's thread and outside the folder's lock.

use std::{
    fs::File,
    io,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use outrigger_base_task::Thread;

use super::{
    fault::Fault,
    work::{Job, QUEUE},
};

/// The way to the disk.
#[derive(Debug)]
pub(super) struct Syncer {
    committed: SyncSender<Box<dyn Job>>,
    thread: Thread,
}

impl Syncer {
    /// Starts the thread that syncs `wal`.
    pub(super) fn start(wal: File) -> io::Result<Self> {
        let (committed, jobs) = sync_channel(QUEUE);
        let thread = Thread::spawn("broker-sync", move || serve(&wal, &jobs))?;
        Ok(Self { committed, thread })
    }

    /// Answers `job`, whose transaction is committed, after the next sync. Waits while very many wait for the disk.
    pub(super) fn push(&self, job: Box<dyn Job>) {
        // The thread ends only when this sender is dropped; had it panicked, the caller would read "closed".
        let _ = self.committed.send(job);
    }

    /// Waits until all that was pushed is answered.
    pub(super) fn finish(self) {
        drop(self.committed);
        self.thread.join();
    }
}

/// One sync for all that was committed before it began.
fn serve(wal: &File, jobs: &Receiver<Box<dyn Job>>) {
    let mut failed = false;
    while let Ok(first) = jobs.recv() {
        let together: Vec<_> = std::iter::once(first).chain(jobs.try_iter()).collect();
        if failed {
            answer(together, || Some(Fault::Unsynced));
            continue;
        }
        match wal.sync_data() {
            Ok(()) => answer(together, || None),
            Err(error) => {
                tracing::error!(%error, "cannot sync the embedded broker's file: nothing can be published");
                failed = true;
                let error = Arc::new(error);
                answer(together, || Some(Fault::Sync(error.clone())));
            }
        }
    }
}

fn answer(jobs: Vec<Box<dyn Job>>, fault: impl Fn() -> Option<Fault>) {
    for job in jobs {
        job.answer(fault());
    }
}
