//! Reading connections: some that callers borrow, some that reader threads own.
//!
//! Why a read may run on the caller's thread, and when it does not, is told at the head of the crate.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use outrigger_base_task::Thread;
use outrigger_block_kit::OpenError;
use rusqlite::Connection;
use tokio::sync::mpsc;

use super::{
    reader::{ReadJob, Reader},
    row::ReadError,
    statements::Statements,
};
use crate::failure::is_locked;

/// Reader threads. Two, so that one long scan does not hold up every other read that needs a thread.
pub(super) const THREADS: usize = 2;

/// The most connections that callers may borrow; each costs file handles and a page cache.
pub(super) const MAX_BORROWED: usize = 4;

/// Reads that may wait for a reader thread; when they are this many, callers wait for a place, at most for `timeout`.
const CAPACITY: usize = 256;

/// A point read that took this long met a disk rather than a cache: a hundred times what a cached one takes.
const SLOW: Duration = Duration::from_millis(1);

/// Fast reads in a row on the threads after which callers may read by themselves again.
const FAST_AGAIN: u32 = 32;

/// A message to the reader threads.
enum Job {
    Read(ReadJob),
    /// Take no more, finish what waits, end.
    Close,
}

/// The reading connections of one database.
pub(super) struct Pool {
    /// Borrowed from the first on, so that the first ones have the warmest caches.
    borrowed: Box<[Mutex<Option<Connection>>]>,
    statements: Arc<Statements>,
    pace: Arc<Pace>,
    queue: mpsc::Sender<Job>,
    threads: Vec<Thread>,
}

impl Pool {
    /// A pool over open connections: `borrowed` for callers (none, unless the database is in WAL mode), `owned` for
    /// as many reader threads.
    pub(super) fn start(
        statements: Arc<Statements>,
        borrowed: Vec<Connection>,
        owned: Vec<Connection>,
    ) -> Result<Self, OpenError> {
        let (queue, jobs) = mpsc::channel(CAPACITY);
        let jobs = Arc::new(Mutex::new(jobs));
        let mut threads = Vec::with_capacity(owned.len());
        for connection in owned {
            let (jobs, statements) = (jobs.clone(), statements.clone());
            let thread = Thread::spawn("sqlite-reader", move || serve(&connection, &statements, &jobs))
                .map_err(|error| OpenError::unavailable("start a reader thread", error))?;
            threads.push(thread);
        }
        Ok(Self {
            borrowed: borrowed
                .into_iter()
                .map(|connection| Mutex::new(Some(connection)))
                .collect(),
            statements,
            pace: Arc::default(),
            queue,
            threads,
        })
    }

    /// Runs a short query on this thread, if that can be done without waiting for anything but a cache.
    pub(super) fn try_here<T>(
        &self,
        query: impl Fn(Reader<'_>) -> Result<T, ReadError>,
    ) -> Option<Result<T, ReadError>> {
        if !self.pace.may_read_here() {
            return None;
        }
        let guard = self.borrow()?;
        let started = Instant::now();
        let answer = query(Reader::new(guard.as_ref()?, &self.statements));
        drop(guard);
        self.pace.read_here(started.elapsed());
        match answer {
            // A reader thread can wait for the lock.
            Err(ReadError::Sqlite(error)) if is_locked(&error) => None,
            answer => Some(answer),
        }
    }

    /// Sends a query to a reader thread; false when the pool is closed.
    pub(super) async fn send(&self, job: ReadJob) -> bool {
        self.queue.send(Job::Read(job)).await.is_ok()
    }

    /// Where to report how long a point read took on a thread.
    pub(super) fn pace(&self) -> Arc<Pace> {
        self.pace.clone()
    }

    /// Finishes the reads that wait and closes the connections. The writer's connection must still be open, so that
    /// closing one of these is never the last close of the file, which writes to it.
    pub(super) async fn close(&self) {
        // It fails when the pool is closed already.
        let _ = self.queue.send(Job::Close).await;
        for thread in &self.threads {
            thread.ended().await;
        }
        for slot in &self.borrowed {
            drop(slot.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    }

    fn borrow(&self) -> Option<MutexGuard<'_, Option<Connection>>> {
        self.borrowed.iter().find_map(|slot| match slot.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        })
    }
}

/// The life of a reader thread. The threads take turns at the queue.
fn serve(connection: &Connection, statements: &Statements, jobs: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let job = {
            let mut jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
            let job = jobs.blocking_recv();
            // Closed while the turn is ours: the other threads wait for the turn, not for a job.
            if matches!(job, Some(Job::Close)) {
                jobs.close();
            }
            job
        };
        match job {
            Some(Job::Read(read)) => read(Reader::new(connection, statements)),
            Some(Job::Close) => {}
            None => return,
        }
    }
}

/// Whether point reads are fast these days.
#[derive(Debug, Default)]
pub(super) struct Pace {
    slow: AtomicBool,
    fast_in_a_row: AtomicU32,
}

impl Pace {
    fn may_read_here(&self) -> bool {
        !self.slow.load(Ordering::Relaxed)
    }

    /// A point read took this long on its caller's thread.
    fn read_here(&self, took: Duration) {
        if took > SLOW {
            self.fast_in_a_row.store(0, Ordering::Relaxed);
            self.slow.store(true, Ordering::Relaxed);
        }
    }

    /// A point read took this long on a reader thread.
    pub(super) fn read_there(&self, took: Duration) {
        if took > SLOW {
            self.fast_in_a_row.store(0, Ordering::Relaxed);
        } else if self.fast_in_a_row.fetch_add(1, Ordering::Relaxed) >= FAST_AGAIN {
            self.slow.store(false, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_read_sends_the_next_ones_to_the_threads_until_they_are_fast_again() {
        let pace = Pace::default();
        pace.read_here(SLOW);
        assert!(pace.may_read_here());
        pace.read_here(SLOW * 2);
        assert!(!pace.may_read_here());
        for _ in 0..FAST_AGAIN {
            pace.read_there(Duration::ZERO);
        }
        assert!(!pace.may_read_here());
        pace.read_there(SLOW * 2);
        for _ in 0..=FAST_AGAIN {
            assert!(!pace.may_read_here());
            pace.read_there(Duration::ZERO);
        }
        assert!(pace.may_read_here());
    }
}
