//! The traits that a store implements.

use std::fmt;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};

use crate::{DeleteRequest, Error, GetRequest, Item, Metadata, Operation, SetRequest};

/// A capability that a store declares; names on the wire are mapped elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// Versions are kept and checked.
    ETag,
    /// Several operations commit as one.
    Transactional,
    /// Values can be told to end.
    Ttl,
    /// Keys can be listed by pattern.
    KeysLike,
    /// All keys under a prefix can be removed at once.
    DeleteWithPrefix,
    /// Fit to be an actor store.
    Actor,
}

/// One answer of a bulk read: the key asked for, and what came of it.
pub type BulkGet = (String, Result<Option<Item>, Error>);

/// Single calls that a default bulk operation keeps in flight when the caller names no number.
const BULK_PARALLELISM: usize = 10;

/// A key-value store.
///
/// Cancel safety: reads may be dropped at any await. A write that was polled once may have happened when it is
/// dropped; it never happens half. Callers with more than one durable step own them on a task (invariant 11).
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug {
    /// What the store can do.
    fn capabilities(&self) -> &[Capability];

    /// Whether the store answers now.
    async fn ping(&self) -> Result<(), Error>;

    /// The value of a key; `None` when there is none or its life is over.
    async fn get(&self, request: GetRequest) -> Result<Option<Item>, Error>;

    /// Writes a key. Done means durable at the store's documented setting.
    async fn set(&self, request: SetRequest) -> Result<(), Error>;

    /// Removes a key; no error where there is none, unless an ETag was given.
    async fn delete(&self, request: DeleteRequest) -> Result<(), Error>;

    /// Reads many keys: one answer for each, in the order asked. `parallelism` 0 means the default.
    async fn bulk_get(&self, requests: Vec<GetRequest>, parallelism: usize) -> Result<Vec<BulkGet>, Error> {
        let width = if parallelism == 0 {
            BULK_PARALLELISM
        } else {
            parallelism
        };
        let answers = stream::iter(requests.into_iter().map(|request| async move {
            let key = request.key.clone();
            (key, self.get(request).await)
        }));
        Ok(answers.buffered(width).collect().await)
    }

    /// Writes many keys, each on its own: one result for each, in the order given.
    async fn bulk_set(&self, requests: Vec<SetRequest>) -> Vec<Result<(), Error>> {
        let writes = stream::iter(requests.into_iter().map(|request| self.set(request)));
        writes.buffered(BULK_PARALLELISM).collect().await
    }

    /// Removes many keys, each on its own: one result for each, in the order given.
    async fn bulk_delete(&self, requests: Vec<DeleteRequest>) -> Vec<Result<(), Error>> {
        let deletes = stream::iter(requests.into_iter().map(|request| self.delete(request)));
        deletes.buffered(BULK_PARALLELISM).collect().await
    }

    /// The store's transactional view, if it has one.
    fn transactional(&self) -> Option<&dyn Transactional> {
        None
    }

    /// The store's key listing, if it has one.
    fn keys_like(&self) -> Option<&dyn KeysLike> {
        None
    }

    /// The store's removal by prefix, if it has one.
    fn delete_with_prefix(&self) -> Option<&dyn DeleteWithPrefix> {
        None
    }

    /// Finishes what is in hand and lets go of files and connections. Later calls answer [`Error::Closed`].
    async fn close(&self);
}

/// Several operations that commit as one.
#[async_trait]
pub trait Transactional: Send + Sync {
    /// The most operations that one transaction may have, where there is a limit.
    fn max_operations(&self) -> Option<usize> {
        None
    }

    /// Applies the operations in order, all or none.
    async fn transact(&self, operations: Vec<Operation>, metadata: Metadata) -> Result<(), Error>;
}

/// A page of keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeysPage {
    /// The keys, as the store sees them.
    pub keys: Vec<String>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

/// Keys by SQL `LIKE` pattern (`%` any text, `_` one character, backslash escapes).
#[async_trait]
pub trait KeysLike: Send + Sync {
    /// A page of the live keys that match. An empty pattern is [`Error::Invalid`].
    async fn keys_like(
        &self,
        pattern: &str,
        page_size: Option<u32>,
        token: Option<&str>,
    ) -> Result<KeysPage, Error>;
}

/// Removal of the direct children of a prefix.
#[async_trait]
pub trait DeleteWithPrefix: Send + Sync {
    /// Removes every key `prefix||…` that has no further `||`; adds a missing `||`; answers how many went.
    async fn delete_with_prefix(&self, prefix: &str) -> Result<u64, Error>;
}
