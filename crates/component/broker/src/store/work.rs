//! Operations on their way to the store's thread and back.

use std::time::Duration;

use outrigger_block_pubsub::Error;
use rusqlite::Connection;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::{fault::Fault, kept::Topics};
use crate::{
    folder::{Folder, MemberId},
    settings::Settings,
};

/// Operations that wait for the store's thread; whoever brings one more waits with it. Enough to fill several
/// transactions, so that the thread never idles between two.
pub(super) const QUEUE: usize = 1024;

/// How long one who calls from outside waits for an answer: a process that was stopped while it held the folder's lock
/// (a debugger, a frozen container) stops the others for as long. Dapr's SQLite store gives a call as much.
const ANSWER: Duration = Duration::from_secs(20);

/// The store's thread did not come to it.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {}s", .0.as_secs())]
struct Late(Duration);

/// One operation.
pub(crate) trait Work: Send + 'static {
    /// What it answers.
    type Output: Send + 'static;
    /// What it attempts, for errors: "publish to the embedded broker".
    const ATTEMPT: &'static str;
    /// Whether the answer waits until the result is synced to disk (at `synchronous: full`).
    const DURABLE: bool = false;

    /// About how many bytes it writes.
    fn weight(&self) -> usize {
        0
    }

    /// Does it. Runs again when the transaction that it shared with others failed because of one of them.
    fn run(&self, desk: &mut Desk<'_>) -> Result<Self::Output, Fault>;
}

/// What an operation works with: an open transaction and the facts of the moment.
pub(crate) struct Desk<'a> {
    /// The transaction.
    pub(crate) sql: &'a Connection,
    /// Wall time, milliseconds since 1970.
    pub(crate) now: i64,
    /// The process that does this.
    pub(crate) me: MemberId,
    /// Its settings.
    pub(crate) settings: &'a Settings,
    /// The folder.
    pub(crate) folder: &'a Folder,
    /// Topics whose subscribers should look once this is committed.
    pub(crate) ring: Topics,
    /// Members whose files are to be removed once this is committed.
    pub(crate) buried: Vec<MemberId>,
    /// Something was published: the moment to keep house, when it is due.
    pub(crate) published: bool,
}

/// Nothing but a look at the store: that it answers.
#[derive(Debug)]
pub(crate) struct Ping;

impl Work for Ping {
    type Output = ();
    const ATTEMPT: &'static str = "read the embedded broker's file";

    fn run(&self, desk: &mut Desk<'_>) -> Result<(), Fault> {
        Ok(desk
            .sql
            .query_row("SELECT count(*) FROM member", [], |_| Ok(()))?)
    }
}

/// The way to the store's thread.
#[derive(Debug, Clone)]
pub(crate) struct StoreHandle(mpsc::Sender<Message>);

/// What the store's thread gets.
pub(super) enum Message {
    /// Do this.
    Job(Box<dyn Job>),
    /// End, after what came before.
    Stop,
}

impl StoreHandle {
    /// A way to the store, and its end at the store's thread.
    pub(super) fn new() -> (Self, mpsc::Receiver<Message>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self(sender), receiver)
    }

    /// Has `work` done. It is done even if the caller does not wait for the answer.
    pub(crate) async fn run<W: Work>(&self, work: W) -> Result<W::Output, Error> {
        let (reply, answer) = oneshot::channel();
        let job = Pending {
            work,
            output: None,
            reply,
        };
        self.0
            .send(Message::Job(Box::new(job)))
            .await
            .map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// As [`StoreHandle::run`], for one who is to hear in time. What is late may still be done.
    pub(crate) async fn ask<W: Work>(&self, work: W) -> Result<W::Output, Error> {
        timeout(ANSWER, self.run(work))
            .await
            .unwrap_or_else(|_| Err(Error::unavailable(W::ATTEMPT, Late(ANSWER))))
    }

    /// Tells the thread to end after what was sent before.
    pub(crate) async fn stop(&self) {
        // It may have ended already.
        let _ = self.0.send(Message::Stop).await;
    }
}

/// An operation of any kind.
pub(super) trait Job: Send {
    /// Does it and keeps the output.
    fn run(&mut self, desk: &mut Desk<'_>) -> Result<(), Fault>;
    /// About how many bytes it writes.
    fn weight(&self) -> usize;
    /// Whether the answer waits for the disk.
    fn durable(&self) -> bool;
    /// Answers: with the kept output, or with the fault.
    fn answer(self: Box<Self>, fault: Option<Fault>);
}

struct Pending<W: Work> {
    work: W,
    output: Option<W::Output>,
    reply: oneshot::Sender<Result<W::Output, Error>>,
}

impl<W: Work> Job for Pending<W> {
    fn run(&mut self, desk: &mut Desk<'_>) -> Result<(), Fault> {
        self.output = Some(self.work.run(desk)?);
        Ok(())
    }

    fn weight(&self) -> usize {
        self.work.weight()
    }

    fn durable(&self) -> bool {
        W::DURABLE
    }

    fn answer(self: Box<Self>, fault: Option<Fault>) {
        let result = match (fault, self.output) {
            (Some(fault), _) => Err(fault.into_error(W::ATTEMPT)),
            (None, Some(output)) => Ok(output),
            // Not reached: an answer without fault follows a run.
            (None, None) => Err(Error::Closed),
        };
        // The caller may have gone.
        let _ = self.reply.send(result);
    }
}
