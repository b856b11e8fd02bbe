//! The messages, and the one thread of this process that reads and writes them.
//!
//! Every operation is a [`Work`]: it runs on the store's thread, under the folder's lock, in a transaction that it
//! shares with whatever else was waiting. The lock is held for microseconds: syncing to disk happens after it was
//! released, on a thread of its own, one sync for everything that was committed before it began. That is sound because
//! the log is one file in commit order: a sync makes durable all that was committed before, by any process; and when
//! SQLite copies the log into its file meanwhile, it syncs both first.

mod bury;
mod claim;
mod fault;
mod housekeeping;
mod join;
mod kept;
mod leave;
mod publish;
mod schema;
mod settle;
mod sync;
mod thread;
mod work;

pub(crate) use bury::{Bury, Fate};
pub(crate) use claim::{Claim, Claimed, Claims};
pub(crate) use join::Join;
pub(crate) use leave::Leave;
pub(crate) use publish::{NewMessage, Publish};
pub(crate) use settle::{Settle, Verdict};
pub(crate) use thread::{Opened, Store};
pub(crate) use work::{Ping, StoreHandle};

/// A consumer group of one topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group {
    /// Its number.
    pub(crate) id: i64,
    /// Its topic's number.
    pub(crate) topic: i64,
}
