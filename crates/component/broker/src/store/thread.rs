//! The store's thread.

use std::{io, sync::Arc};

use outrigger_base_clock::Clock;
use outrigger_base_task::Thread;
use outrigger_block_kit::OpenError;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{
    StoreHandle, bury,
    fault::Fault,
    housekeeping,
    kept::{self, Topics},
    schema,
    sync::Syncer,
    work::{Desk, Job, Message},
};
use crate::{
    bell::{Ringer, Sleepers},
    folder::{Alive, Folder, Lock, MemberId, Sockets},
    settings::{Settings, Synchronous},
};

/// Operations in one transaction at most: more would not share the commit better, and would make the first wait.
const BATCH: usize = 256;
/// Bytes after which a transaction takes no more: bounds how long the folder's lock is held and the log's growth.
const BATCH_BYTES: usize = 8 << 20;

/// The store, as its thread has it.
pub(crate) struct Store {
    sql: Connection,
    lock: Lock,
    folder: Arc<Folder>,
    settings: Arc<Settings>,
    clock: Arc<dyn Clock>,
    sleepers: Arc<Sleepers>,
    ringer: Ringer,
    me: MemberId,
    /// Kept until this process has left; `None` only before it came.
    alive: Option<Alive>,
    /// `None` at `synchronous: normal`.
    syncer: Option<Syncer>,
    next_housekeeping: i64,
}

/// A store that is open.
pub(crate) struct Opened {
    /// The way to it.
    pub(crate) handle: StoreHandle,
    /// Its thread.
    pub(crate) thread: Thread,
    /// This process's number.
    pub(crate) me: MemberId,
    /// The folder.
    pub(crate) folder: Arc<Folder>,
    /// Where others ring and draw their life lines.
    pub(crate) sockets: Sockets,
}

impl Store {
    /// Starts the thread, opens the folder and its file on it, and makes this process a member.
    pub(crate) async fn open(
        settings: Arc<Settings>,
        clock: Arc<dyn Clock>,
        sleepers: Arc<Sleepers>,
    ) -> Result<Opened, OpenError> {
        let (handle, jobs) = StoreHandle::new();
        let (report, opened) = oneshot::channel();
        let body = move || match Self::enter(settings, clock, sleepers) {
            Err(error) => {
                // Whoever opened may have gone.
                let _ = report.send(Err(error));
            }
            Ok((store, sockets)) => {
                // A caller that has gone has dropped the way to the store too: it retires at once.
                let _ = report.send(Ok((store.me, store.folder.clone(), sockets)));
                store.serve(jobs);
            }
        };
        let thread = Thread::spawn("broker-store", body)
            .map_err(|error| OpenError::unavailable("start the broker's thread", error))?;
        let gone =
            || OpenError::unavailable("open the broker's file", io::Error::other("its thread panicked"));
        let (me, folder, sockets) = opened.await.map_err(|_| gone())??;
        Ok(Opened {
            handle,
            thread,
            me,
            folder,
            sockets,
        })
    }

    fn enter(
        settings: Arc<Settings>,
        clock: Arc<dyn Clock>,
        sleepers: Arc<Sleepers>,
    ) -> Result<(Self, Sockets), OpenError> {
        let folder = Arc::new(Folder::open(&settings.folder)?);
        let unavailable = |error: io::Error| {
            OpenError::unavailable(
                format!("use the broker's folder {}", folder.path().display()),
                error,
            )
        };
        let lock = folder.lock().map_err(unavailable)?;
        let held = lock.hold().map_err(unavailable)?;
        let sql = schema::open(&folder)?;
        let ringer = Ringer::new().map_err(unavailable)?;
        drop(held);
        let mut store = Self {
            sql,
            lock,
            folder: folder.clone(),
            settings,
            clock,
            sleepers,
            ringer,
            me: 0,
            alive: None,
            syncer: None,
            next_housekeeping: 0,
        };
        let sockets = store.become_member()?;
        store.start_syncing().map_err(unavailable)?;
        Ok((store, sockets))
    }

    /// Gets a number, in one transaction with the burial of processes that died while nobody looked.
    fn become_member(&mut self) -> Result<Sockets, OpenError> {
        let folder = self.folder.clone();
        let entered = self.transact(|desk| {
            bury::bury_all(desk)?;
            desk.me = desk
                .sql
                .query_row("INSERT INTO member DEFAULT VALUES RETURNING id", [], |row| {
                    row.get(0)
                })?;
            Ok((desk.me, folder.enter(desk.me).map_err(Fault::folder)?))
        });
        match entered {
            Ok((me, (alive, sockets))) => {
                self.me = me;
                self.alive = Some(alive);
                Ok(sockets)
            }
            Err(Fault::Sql(error)) => Err(schema::refused(&self.folder, error)),
            Err(fault) => {
                let attempted = format!("enter the broker's folder {}", self.folder.path().display());
                Err(OpenError::unavailable(attempted, fault))
            }
        }
    }

    /// The log exists from here on: this process has written to it and keeps its connection.
    fn start_syncing(&mut self) -> io::Result<()> {
        if self.settings.synchronous == Synchronous::Full {
            self.folder.sync()?;
            self.syncer = Some(Syncer::start(self.folder.open_wal()?)?);
        }
        Ok(())
    }

    /// Works until it is told to stop, or nobody can tell it anything any more.
    fn serve(mut self, mut jobs: mpsc::Receiver<Message>) {
        let mut stopping = false;
        while !stopping && let Some(Message::Job(first)) = jobs.blocking_recv() {
            let batch;
            (batch, stopping) = gather(first, &mut jobs);
            self.work(batch);
        }
        // Callers from here on read "closed".
        drop(jobs);
        self.retire();
    }

    /// Does a batch in one transaction; if one of it fails, each in one of its own, so that each gets its own answer.
    fn work(&mut self, mut batch: Vec<Box<dyn Job>>) {
        let fault = match self.transact(|desk| batch.iter_mut().try_for_each(|job| job.run(desk))) {
            Ok(()) => return batch.into_iter().for_each(|job| self.answer(job, None)),
            Err(fault) => fault,
        };
        // With the log copied into the file, what needs no new page finds room in the log.
        let may_have_room = fault.is_full_disk() && self.copy_log();
        if fault.is_of_the_beginning() || (batch.len() == 1 && !may_have_room) {
            return batch.into_iter().for_each(|job| job.answer(Some(fault.clone())));
        }
        tracing::debug!(%fault, "a transaction of the embedded broker failed; its parts are tried one by one");
        for mut job in batch {
            let fault = self.transact(|desk| job.run(desk)).err();
            self.answer(job, fault);
        }
    }

    /// Copies the log into the file, so that it is written from its beginning again. Whether that could be done.
    fn copy_log(&self) -> bool {
        let copy = || {
            let _held = self.lock.hold().map_err(Fault::folder)?;
            let mut copy = self.sql.prepare_cached("PRAGMA wal_checkpoint")?;
            Ok::<(), Fault>(copy.query_row([], |_| Ok(()))?)
        };
        let copied = copy();
        if let Err(fault) = &copied {
            tracing::debug!(%fault, "the log of the embedded broker could not be copied into its file");
        }
        copied.is_ok()
    }

    /// Answers now, or after the next sync.
    fn answer(&self, job: Box<dyn Job>, fault: Option<Fault>) {
        match &self.syncer {
            Some(syncer) if fault.is_none() && job.durable() => syncer.push(job),
            _ => job.answer(fault),
        }
    }

    /// Runs `body` in a transaction under the folder's lock; then wakes whom it concerns.
    fn transact<T>(&mut self, body: impl FnOnce(&mut Desk<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let held = self.lock.hold().map_err(Fault::folder)?;
        let mut desk = Desk {
            sql: &self.sql,
            now: self.clock.now().as_millisecond(),
            me: self.me,
            settings: &self.settings,
            folder: &self.folder,
            ring: Topics::default(),
            buried: Vec::new(),
            published: false,
        };
        let done = in_transaction(&mut desk, &mut self.next_housekeeping, body);
        let Desk { me, ring, buried, .. } = desk;
        let (output, members) = done?;
        // Still under the lock, so that the number of a buried process is free of files before it could be seen again.
        buried.iter().for_each(|member| self.folder.remove(*member));
        drop(held);
        self.wake(me, &ring, &members);
        Ok(output)
    }

    fn wake(&self, me: MemberId, ring: &Topics, members: &std::collections::BTreeSet<MemberId>) {
        match ring {
            Topics::All => self.sleepers.wake_all(),
            Topics::Some(topics) if topics.is_empty() => return,
            Topics::Some(topics) => self.sleepers.wake(topics),
        }
        for &member in members {
            if member != me && !self.ringer.ring(&self.folder, member) {
                // Its life line tells those who wait for its leases; the next to open buries it.
                tracing::debug!(member, "a process of the broker does not hear its bell");
            }
        }
    }

    /// Leaves the folder, so that nobody has to find out.
    fn retire(mut self) {
        if let Some(syncer) = self.syncer.take() {
            syncer.finish();
        }
        let me = self.me;
        if let Err(fault) = self.transact(|desk| kept::release_member(desk, me)) {
            tracing::warn!(
                error = outrigger_base_std::chain(&fault),
                "cannot leave the embedded broker in order; others will find out"
            );
        }
        // The last one out copies the log into the file and removes it: others must not come in meanwhile.
        let held = self.lock.hold();
        if let Err((_, error)) = self.sql.close() {
            tracing::warn!(%error, "cannot close the embedded broker's file");
        }
        drop(held);
        drop(self.alive);
    }
}

/// What shares a transaction with `first`: whatever waits, up to the limits; and whether it is the last one.
fn gather(first: Box<dyn Job>, jobs: &mut mpsc::Receiver<Message>) -> (Vec<Box<dyn Job>>, bool) {
    let mut weight = first.weight();
    let mut batch = vec![first];
    while batch.len() < BATCH && weight < BATCH_BYTES {
        match jobs.try_recv() {
            Ok(Message::Job(job)) => {
                weight = weight.saturating_add(job.weight());
                batch.push(job);
            }
            Ok(Message::Stop) => return (batch, true),
            Err(_) => break,
        }
    }
    (batch, false)
}

/// Begins, runs, keeps house when it is due, finds out whom to wake, commits; rolls back when anything fails.
fn in_transaction<T>(
    desk: &mut Desk<'_>,
    next_housekeeping: &mut i64,
    body: impl FnOnce(&mut Desk<'_>) -> Result<T, Fault>,
) -> Result<(T, std::collections::BTreeSet<MemberId>), Fault> {
    desk.sql.execute_batch("BEGIN IMMEDIATE")?;
    let result = body(desk).and_then(|output| {
        if desk.published && housekeeping::is_due(next_housekeeping, desk.now) {
            housekeeping::keep_house(desk)?;
        }
        let members = desk.ring.members(desk.sql, desk.me)?;
        desk.sql.execute_batch("COMMIT")?;
        Ok((output, members))
    });
    // After some failures, such as a full disk, SQLite has rolled back by itself.
    if result.is_err()
        && !desk.sql.is_autocommit()
        && let Err(error) = desk.sql.execute_batch("ROLLBACK")
    {
        tracing::error!(%error, "cannot roll back a transaction of the embedded broker");
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An operation of this many bytes.
    struct Heavy(usize);

    impl Job for Heavy {
        fn run(&mut self, _: &mut Desk<'_>) -> Result<(), Fault> {
            Ok(())
        }

        fn weight(&self) -> usize {
            self.0
        }

        fn durable(&self) -> bool {
            false
        }

        fn answer(self: Box<Self>, _: Option<Fault>) {}
    }

    #[test]
    fn what_waits_shares_a_transaction_up_to_its_limits() {
        let (sender, mut jobs) = mpsc::channel(1000);
        let mut gathered = |first: usize, rest: &[usize]| {
            for weight in rest {
                let job: Box<dyn Job> = Box::new(Heavy(*weight));
                assert!(sender.try_send(Message::Job(job)).is_ok());
            }
            gather(Box::new(Heavy(first)), &mut jobs).0.len()
        };
        assert_eq!(gathered(0, &[]), 1);
        assert_eq!(gathered(1, &[BATCH_BYTES, 1, 1]), 2, "by bytes");
        assert_eq!(gathered(BATCH_BYTES, &[]), 1, "the rest waits for the next one");
        assert_eq!(
            gathered(0, &[0; 298]),
            BATCH,
            "by number, with the two from before"
        );
        assert_eq!(gathered(0, &[]), 46);
        assert!(sender.try_send(Message::Stop).is_ok());
        assert!(gather(Box::new(Heavy(0)), &mut jobs).1);
    }
}
