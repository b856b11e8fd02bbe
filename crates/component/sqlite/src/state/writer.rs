//! The writer: the one thread that changes the database.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use outrigger_base_clock::Clock;
use outrigger_block_state::Error;
use rusqlite::Connection;
use tokio::sync::mpsc;

use super::{
    error,
    operation::{NotApplied, Ready},
    queue::{Batch, Done, Job, Work, Write},
    reader::Reader,
    row::time_text,
    statements::Statements,
};
use crate::{
    connection::ASK_AGAIN,
    failure::{Failure, is_locked},
};

/// The connection that writes, and what it needs.
pub(super) struct Writer {
    /// No other connection of this store writes.
    pub(super) connection: Connection,
    /// The statements of the store.
    pub(super) statements: Arc<Statements>,
    /// Wall time.
    pub(super) clock: Arc<dyn Clock>,
    /// How a transaction begins.
    pub(super) begin: &'static str,
    /// In WAL mode, how long the beginning waits for another process's lock; the connection itself does not wait
    /// then. Otherwise SQLite's own waiting is left in place, for a commit may have to wait as well.
    pub(super) patience: Option<Duration>,
}

impl Writer {
    /// Serves `queue` until it is closed and empty. Closing the connection is the last thing done here.
    pub(super) fn run(self, mut queue: mpsc::Receiver<Job>) {
        let mut batch = Batch::default();
        while let Some(job) = queue.blocking_recv() {
            batch.add(job, &mut queue);
            batch.fill(&mut queue);
            self.carry_out(&mut batch, &mut queue);
            for read in batch.reads.drain(..) {
                read(Reader::new(&self.connection, &self.statements));
            }
        }
    }

    fn carry_out(&self, batch: &mut Batch, queue: &mut mpsc::Receiver<Job>) {
        match self.transaction(batch, |batch| batch.fill(queue)) {
            Ok(()) => batch.committed(),
            Err(failure) if error::is_disk_full(&failure) => self.one_by_one(batch),
            Err(failure) => batch.failed(&failure),
        }
    }

    /// A full disk need not refuse everyone: what needs no new page of the file may find room in the log, once that is
    /// copied into the file and begins anew; and what is small may find some at its end.
    fn one_by_one(&self, batch: &mut Batch) {
        if let Err(error) = self.copy_log() {
            tracing::debug!(%error, "the log of the SQLite database could not be copied into its file");
        }
        for mut write in batch.take_writes() {
            write.outcome = None;
            let mut single = Batch::single(write);
            match self.transaction(&mut single, |_| {}) {
                Ok(()) => single.committed(),
                Err(failure) => single.failed(&failure),
            }
        }
    }

    fn copy_log(&self) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached("PRAGMA wal_checkpoint")?
            .query_row([], |_| Ok(()))
    }

    /// Applies the batch, and what `more` adds to it meanwhile, and commits. On an error nothing of it is left.
    fn transaction(&self, batch: &mut Batch, more: impl FnMut(&mut Batch)) -> Result<(), Failure> {
        if batch.writes.is_empty() {
            return Ok(());
        }
        let result = self
            .begin()
            .and_then(|()| self.apply_all(batch, more))
            .and_then(|()| self.run_statement("COMMIT"));
        if result.is_err() && !self.connection.is_autocommit() {
            // It fails only when SQLite has rolled back by itself.
            if let Err(error) = self.run_statement("ROLLBACK") {
                tracing::error!(%error, "the SQLite transaction could not be rolled back");
            }
        }
        result.map_err(Failure::from)
    }

    fn begin(&self) -> rusqlite::Result<()> {
        let started = Instant::now();
        loop {
            match (self.run_statement(self.begin), self.patience) {
                (Err(error), Some(patience)) if is_locked(&error) && started.elapsed() < patience => {
                    // This thread is ours to block.
                    std::thread::park_timeout(ASK_AGAIN);
                }
                (result, _) => return result,
            }
        }
    }

    fn apply_all(&self, batch: &mut Batch, mut more: impl FnMut(&mut Batch)) -> rusqlite::Result<()> {
        let now = time_text(self.clock.now());
        let mut at = 0;
        loop {
            if at == batch.writes.len() {
                more(batch);
            }
            let Some(Write { work, reply, outcome }) = batch.writes.get_mut(at) else {
                return Ok(());
            };
            if !reply.is_closed() {
                *outcome = Some(self.apply(work, &now)?);
            }
            at += 1;
        }
    }

    /// Applies one request. The outer error ends the batch, the inner one is the request's own.
    fn apply(&self, work: &Work, now: &str) -> rusqlite::Result<Result<Done, Error>> {
        match work {
            Work::One(one) => Ok(self.apply_one(one)?.map(|()| Done::default())),
            Work::All(all) => self.apply_transaction(all),
            Work::Each(all) => {
                let each = all
                    .iter()
                    .map(|one| self.apply_one(one))
                    .collect::<Result<_, _>>()?;
                Ok(Ok(Done { rows: 0, each }))
            }
            Work::ClaimCleanup(milliseconds) => {
                let mut statement = self.connection.prepare_cached(&self.statements.claim_cleanup)?;
                Ok(Ok(Done {
                    rows: statement.execute((now, milliseconds))?,
                    each: Vec::new(),
                }))
            }
            Work::Sweep(rowids) => self.sweep(rowids, now),
        }
    }

    fn apply_one(&self, one: &Ready) -> rusqlite::Result<Result<(), Error>> {
        match one.apply(&self.connection, &self.statements) {
            Ok(()) => Ok(Ok(())),
            Err(NotApplied::Mismatch) => Ok(Err(Error::ETagMismatch)),
            // After some errors SQLite has rolled everything back; then the batch is over.
            Err(NotApplied::Sqlite(error))
                if error::concerns_request_only(&error) && !self.connection.is_autocommit() =>
            {
                Ok(Err(error::of_write(&error.into())))
            }
            Err(NotApplied::Sqlite(error)) => Err(error),
        }
    }

    fn apply_transaction(&self, all: &[Ready]) -> rusqlite::Result<Result<Done, Error>> {
        self.run_statement("SAVEPOINT request")?;
        for one in all {
            if let Err(refusal) = self.apply_one(one)? {
                self.run_statement("ROLLBACK TO request")?;
                self.run_statement("RELEASE request")?;
                return Ok(Err(refusal));
            }
        }
        self.run_statement("RELEASE request")?;
        Ok(Ok(Done::default()))
    }

    fn sweep(&self, rowids: &[i64], now: &str) -> rusqlite::Result<Result<Done, Error>> {
        let mut statement = self.connection.prepare_cached(&self.statements.sweep)?;
        let mut rows = 0;
        for rowid in rowids {
            rows += statement.execute((rowid, now))?;
        }
        Ok(Ok(Done {
            rows,
            each: Vec::new(),
        }))
    }

    fn run_statement(&self, statement: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(statement)?.execute([])?;
        Ok(())
    }
}
