//! What waits for the writer, and the batch that it makes of it.

use outrigger_block_state::Error;
use tokio::sync::{mpsc, oneshot};

use super::{error, operation::Ready, reader::ReadJob};
use crate::failure::Failure;

/// Requests that may wait for the writer; when they are this many, callers wait for a place, at most for `timeout`.
/// Enough that the next batch is always complete when a commit ends, and few enough to bound what a stalled disk holds.
pub(super) const CAPACITY: usize = 1024;

/// Requests that share one commit at most: keeps the longest wait for an answer near that of one commit.
const MAX_BATCH: usize = 512;

/// Bytes of keys and values after which a batch takes no more: keeps one commit's share of the write-ahead log small.
const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// A message to the writer.
pub(super) enum Job {
    /// Change the database.
    Write(Write),
    /// Read it: only where the writer's connection is the only one.
    Read(ReadJob),
    /// Take no more, finish what waits, end.
    Close,
}

/// A request to change the database, and who waits for its answer.
pub(super) struct Write {
    pub(super) work: Work,
    pub(super) reply: oneshot::Sender<Result<Done, Error>>,
    /// What came of it, told only after the commit. `None` when its caller had gone away before its turn.
    pub(super) outcome: Option<Result<Done, Error>>,
}

/// What to change.
pub(super) enum Work {
    /// One key.
    One(Ready),
    /// Several keys, all or none.
    All(Vec<Ready>),
    /// Several keys, each on its own.
    Each(Vec<Ready>),
    /// Note that a cleanup begins, unless one began less than this many milliseconds ago (by anyone).
    ClaimCleanup(i64),
    /// Remove these rows if their life is over.
    Sweep(Vec<i64>),
}

/// The answer to a request that was carried out.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Rows changed, for cleanup.
    pub(super) rows: usize,
    /// One result for each part of [`Work::Each`].
    pub(super) each: Vec<Result<(), Error>>,
}

impl Work {
    fn weight(&self) -> usize {
        match self {
            Self::One(one) => one.weight(),
            Self::All(many) | Self::Each(many) => many.iter().map(Ready::weight).sum(),
            Self::ClaimCleanup(_) | Self::Sweep(_) => 0,
        }
    }
}

/// The requests that share one transaction.
#[derive(Default)]
pub(super) struct Batch {
    /// In the order in which they came.
    pub(super) writes: Vec<Write>,
    /// Run after the commit, so that they see nothing that may yet be taken back.
    pub(super) reads: Vec<ReadJob>,
    weight: usize,
}

impl Batch {
    /// A batch of one.
    pub(super) fn single(write: Write) -> Self {
        Self {
            writes: vec![write],
            ..Self::default()
        }
    }

    /// Adds a job.
    pub(super) fn add(&mut self, job: Job, queue: &mut mpsc::Receiver<Job>) {
        match job {
            Job::Write(write) => {
                self.weight += write.work.weight();
                self.writes.push(write);
            }
            Job::Read(read) => self.reads.push(read),
            // What was sent before is still received; what waits for a place is told that the store is closed.
            Job::Close => queue.close(),
        }
    }

    /// Adds whatever waits, without waiting for more, up to the limits.
    pub(super) fn fill(&mut self, queue: &mut mpsc::Receiver<Job>) {
        while self.writes.len() + self.reads.len() < MAX_BATCH && self.weight < MAX_BATCH_BYTES {
            let Ok(job) = queue.try_recv() else { return };
            self.add(job, queue);
        }
    }

    /// Tells every caller what came of its request, once it is committed; the batch is empty then.
    pub(super) fn committed(&mut self) {
        for write in self.take_writes() {
            if let Some(outcome) = write.outcome {
                // A caller that went away meanwhile does not want to know.
                let _ = write.reply.send(outcome);
            }
        }
    }

    /// Tells every caller that nothing came of its request; the batch is empty then.
    pub(super) fn failed(&mut self, failure: &Failure) {
        for write in self.take_writes() {
            let outcome = match &write.work {
                Work::Each(all) => Ok(Done {
                    rows: 0,
                    each: all.iter().map(|_| Err(error::of_write(failure))).collect(),
                }),
                _ => Err(error::of_write(failure)),
            };
            let _ = write.reply.send(outcome);
        }
    }

    /// Takes the writes out; the batch has room again.
    pub(super) fn take_writes(&mut self) -> Vec<Write> {
        self.weight = 0;
        std::mem::take(&mut self.writes)
    }
}
