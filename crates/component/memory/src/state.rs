//! `state.in-memory`: hash maps behind locks (components.md §2.1).
//!
//! Keys are spread over shards, each a map behind its own lock; no lock is held across an await, and calls answer
//! without waiting. A transaction locks the shards of all its keys in one fixed order, looks whether every operation can
//! be applied, and only then applies them. Values that ended are not seen by any call, and swept away once a second.

mod like;
mod shard;
mod shards;
mod sweep;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use outrigger_base_clock::{Clock, Entropy, uuid_v4};
use outrigger_base_task::TaskSet;
use outrigger_block_kit::Context;
use outrigger_block_state::{
    BulkGet, Capability, DeleteRequest, DeleteWithPrefix, Error, GetRequest, Item, KeysLike, KeysPage,
    Metadata, Operation, SEPARATOR, SetRequest, Store, Transactional,
};

use self::{
    like::Pattern,
    shard::{Change, Condition},
    shards::Shards,
};

/// How long a close waits for the sweep, which never waits for anything but its clock.
const CLOSE_DEADLINE: Duration = Duration::from_secs(1);

/// A store in memory.
pub(crate) struct MemoryStore {
    shards: Shards,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    tasks: TaskSet,
    closed: AtomicBool,
}

impl MemoryStore {
    /// An empty store whose sweep runs until the store is closed or dropped.
    pub(crate) fn open(ctx: &Context) -> Arc<Self> {
        let store = Arc::new(Self {
            shards: Shards::default(),
            clock: ctx.clock.clone(),
            entropy: ctx.entropy.clone(),
            tasks: ctx.tasks.child(ctx.name.clone()),
            closed: AtomicBool::new(false),
        });
        sweep::start(&store);
        store
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    fn check_open(&self) -> Result<(), Error> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::Closed);
        }
        Ok(())
    }

    fn change(&self, operation: Operation) -> Result<Prepared, Error> {
        match operation {
            Operation::Set(request) => self.prepare_set(request),
            Operation::Delete(request) => Ok(Prepared {
                condition: Condition::new(request.etag.as_ref(), request.options.concurrency),
                key: request.key.into(),
                change: Change::Remove,
            }),
        }
    }

    fn prepare_set(&self, request: SetRequest) -> Result<Prepared, Error> {
        let ends = shard::end(&request.metadata, || self.now())?;
        Ok(Prepared {
            condition: Condition::new(request.etag.as_ref(), request.options.concurrency),
            change: Change::Write(shard::Entry::new(
                &request.value,
                uuid_v4(&*self.entropy).into_bytes(),
                ends,
            )),
            key: request.key.into(),
        })
    }

    fn apply_one(&self, operation: Operation) -> Result<(), Error> {
        self.check_open()?;
        let Prepared {
            key,
            condition,
            change,
        } = self.change(operation)?;
        let mut shard = self.shards.write(&key);
        shard.check(&key, &condition, || self.now())?;
        shard.apply(key, change);
        Ok(())
    }

    fn apply_all(&self, operations: Vec<Operation>) -> Result<(), Error> {
        self.check_open()?;
        let prepared = operations
            .into_iter()
            .map(|operation| self.change(operation))
            .collect::<Result<Vec<_>, _>>()?;
        let mut locked = self.shards.lock(prepared.iter().map(|one| &*one.key));
        // Every condition looks at what was there before the transaction.
        for one in &prepared {
            locked
                .shard(&one.key)
                .check(&one.key, &one.condition, || self.now())?;
        }
        for one in prepared {
            locked.shard(&one.key).apply(one.key, one.change);
        }
        Ok(())
    }
}

/// An operation that needs nothing more than its key's shard.
struct Prepared {
    key: Box<str>,
    condition: Condition,
    change: Change,
}

#[async_trait]
impl Store for MemoryStore {
    fn capabilities(&self) -> &[Capability] {
        &[
            Capability::ETag,
            Capability::Transactional,
            Capability::Ttl,
            Capability::DeleteWithPrefix,
            Capability::KeysLike,
            Capability::Actor,
        ]
    }

    async fn ping(&self) -> Result<(), Error> {
        self.check_open()
    }

    async fn get(&self, request: GetRequest) -> Result<Option<Item>, Error> {
        self.check_open()?;
        Ok(self.shards.get(&request.key, || self.now()))
    }

    async fn set(&self, request: SetRequest) -> Result<(), Error> {
        self.apply_one(Operation::Set(request))
    }

    async fn delete(&self, request: DeleteRequest) -> Result<(), Error> {
        self.apply_one(Operation::Delete(request))
    }

    async fn bulk_get(&self, requests: Vec<GetRequest>, _parallelism: usize) -> Result<Vec<BulkGet>, Error> {
        self.check_open()?;
        let answers = requests.into_iter().map(|request| {
            let item = self.shards.get(&request.key, || self.now());
            (request.key, Ok(item))
        });
        Ok(answers.collect())
    }

    async fn bulk_set(&self, requests: Vec<SetRequest>) -> Vec<Result<(), Error>> {
        let writes = requests.into_iter().map(Operation::Set);
        writes.map(|write| self.apply_one(write)).collect()
    }

    async fn bulk_delete(&self, requests: Vec<DeleteRequest>) -> Vec<Result<(), Error>> {
        let removals = requests.into_iter().map(Operation::Delete);
        removals.map(|removal| self.apply_one(removal)).collect()
    }

    fn transactional(&self) -> Option<&dyn Transactional> {
        Some(self)
    }

    fn keys_like(&self) -> Option<&dyn KeysLike> {
        Some(self)
    }

    fn delete_with_prefix(&self) -> Option<&dyn DeleteWithPrefix> {
        Some(self)
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.shards.clear();
        // The sweep waits on nothing but its clock and the stop signal: there is never one left over.
        let _ = self.tasks.close(CLOSE_DEADLINE).await;
    }
}

#[async_trait]
impl Transactional for MemoryStore {
    async fn transact(&self, operations: Vec<Operation>, _metadata: Metadata) -> Result<(), Error> {
        self.apply_all(operations)
    }
}

#[async_trait]
impl KeysLike for MemoryStore {
    /// Keys come in the order of their bytes; the token is the last key of the page before. What is written or removed
    /// between pages is listed or not, everything else exactly once.
    async fn keys_like(
        &self,
        pattern: &str,
        page_size: Option<u32>,
        token: Option<&str>,
    ) -> Result<KeysPage, Error> {
        self.check_open()?;
        if pattern.is_empty() {
            return Err(Error::Invalid("keys like pattern cannot be empty".to_owned()));
        }
        let pattern = Pattern::new(pattern);
        let wanted = |key: &str| token.is_none_or(|token| key > token) && pattern.matches(key);
        let mut keys = self.shards.keys(self.now(), wanted);
        let size = page_size.map_or(usize::MAX, |size| size as usize);
        let more = size > 0 && keys.len() > size;
        if more {
            // Only the page needs an order.
            keys.select_nth_unstable(size - 1);
            keys.truncate(size);
        }
        keys.sort_unstable();
        let next = keys.last().filter(|_| more).cloned();
        Ok(KeysPage { keys, next })
    }
}

#[async_trait]
impl DeleteWithPrefix for MemoryStore {
    async fn delete_with_prefix(&self, prefix: &str) -> Result<u64, Error> {
        self.check_open()?;
        if prefix.is_empty() || prefix == SEPARATOR {
            let text = "a prefix is required for deleteWithPrefix request";
            return Err(Error::Invalid(text.to_owned()));
        }
        let added = if prefix.ends_with(SEPARATOR) {
            ""
        } else {
            SEPARATOR
        };
        Ok(self
            .shards
            .remove_children(&format!("{prefix}{added}"), self.now()))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}
