//! The store itself: requests in, answers out.

mod inner;
mod opening;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use outrigger_base_task::TaskSet;
use outrigger_block_state::{
    BulkGet, Capability, DeleteRequest, Error, GetRequest, Item, KeysLike, KeysPage, Metadata, Operation,
    SetRequest, Store, Transactional,
};

pub(super) use self::inner::Inner;
pub use self::opening::open;
use super::{error, operation::Ready, queue::Work};

/// Keys of a bulk read up to which it counts as short, and may run on its caller's thread.
const SHORT_BULK: usize = 8;

/// Bytes of a pattern that SQLite's `LIKE` takes at most (its `SQLITE_MAX_LIKE_PATTERN_LENGTH`).
const MAX_PATTERN: usize = 50_000;

/// How long `close` waits for a cleanup in hand to let go; it does so at its next step.
const CLEANUP_END: Duration = Duration::from_secs(5);

/// A state store in a SQLite database.
struct SqliteStore {
    inner: Arc<Inner>,
    cleanup: TaskSet,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn capabilities(&self) -> &[Capability] {
        &[
            Capability::ETag,
            Capability::Transactional,
            Capability::Ttl,
            Capability::KeysLike,
            Capability::Actor,
        ]
    }

    async fn ping(&self) -> Result<(), Error> {
        self.inner.scan(|reader| reader.ping()).await
    }

    async fn get(&self, request: GetRequest) -> Result<Option<Item>, Error> {
        if request.key.is_empty() {
            return Err(Error::Invalid("missing key in get operation".to_owned()));
        }
        let now = self.inner.now();
        self.inner
            .glance(move |reader| reader.get(&request.key, now))
            .await
    }

    async fn set(&self, request: SetRequest) -> Result<(), Error> {
        let ready = self.inner.ready_set(request)?;
        self.inner.write(Work::One(ready)).await.map(drop)
    }

    async fn delete(&self, request: DeleteRequest) -> Result<(), Error> {
        let ready = Ready::delete(request)?;
        self.inner.write(Work::One(ready)).await.map(drop)
    }

    /// One snapshot for all keys; `parallelism` means nothing here.
    async fn bulk_get(&self, requests: Vec<GetRequest>, _parallelism: usize) -> Result<Vec<BulkGet>, Error> {
        let now = self.inner.now();
        let keys: Arc<[String]> = requests.into_iter().map(|request| request.key).collect();
        let asked = keys.clone();
        let items = if keys.len() <= SHORT_BULK {
            self.inner
                .glance(move |reader| reader.get_many(&asked, now))
                .await?
        } else {
            self.inner
                .scan(move |reader| reader.get_many(&asked, now))
                .await?
        };
        let items = items.into_iter().map(|item| item.map_err(error::of_read));
        Ok(keys.iter().cloned().zip(items).collect())
    }

    async fn bulk_set(&self, requests: Vec<SetRequest>) -> Vec<Result<(), Error>> {
        let ready = requests.into_iter().map(|request| self.inner.ready_set(request));
        self.inner.write_each(ready.collect()).await
    }

    async fn bulk_delete(&self, requests: Vec<DeleteRequest>) -> Vec<Result<(), Error>> {
        self.inner
            .write_each(requests.into_iter().map(Ready::delete).collect())
            .await
    }

    fn transactional(&self) -> Option<&dyn Transactional> {
        Some(self)
    }

    fn keys_like(&self) -> Option<&dyn KeysLike> {
        Some(self)
    }

    async fn close(&self) {
        for leftover in self.cleanup.close(CLEANUP_END).await {
            tracing::warn!(task = &*leftover.task, "a task of the sqlite store did not end");
        }
        self.inner.close().await;
    }
}

#[async_trait]
impl Transactional for SqliteStore {
    async fn transact(&self, operations: Vec<Operation>, _metadata: Metadata) -> Result<(), Error> {
        let ready: Vec<_> = operations
            .into_iter()
            .map(|operation| self.inner.ready(operation))
            .collect::<Result<_, _>>()?;
        if ready.is_empty() {
            return Ok(());
        }
        self.inner.write(Work::All(ready)).await.map(drop)
    }
}

#[async_trait]
impl KeysLike for SqliteStore {
    /// Pages are in the order of insertion; the token is the last rowid given out.
    async fn keys_like(
        &self,
        pattern: &str,
        page_size: Option<u32>,
        token: Option<&str>,
    ) -> Result<KeysPage, Error> {
        if pattern.is_empty() {
            return Err(Error::Invalid("keys like pattern cannot be empty".to_owned()));
        }
        if pattern.len() > MAX_PATTERN {
            let length = pattern.len();
            let text =
                format!("the keys like pattern has {length} bytes: SQLite takes at most {MAX_PATTERN}");
            return Err(Error::Invalid(text));
        }
        let after = rowid_of(token)?;
        let (pattern, now) = (pattern.to_owned(), self.inner.now());
        // A page of no keys would never come to an end: it is taken as no page size.
        let size = page_size.filter(|size| *size > 0).map(i64::from);
        // One more than asked for tells whether there is more.
        let limit = size.map(|size| size + 1);
        let rows = self
            .inner
            .scan(move |reader| reader.keys(&pattern, after, limit, now))
            .await?;
        Ok(page(rows, size))
    }
}

/// The rowid that a token says to begin after.
fn rowid_of(token: Option<&str>) -> Result<i64, Error> {
    match token.filter(|token| !token.is_empty()) {
        None => Ok(i64::MIN),
        Some(text) => text.parse().map_err(|_| {
            Error::Invalid(format!(
                "the continuation token {text:?} is not one of this store's"
            ))
        }),
    }
}

fn page(mut rows: Vec<(String, i64)>, size: Option<i64>) -> KeysPage {
    let size = size.and_then(|size| usize::try_from(size).ok());
    let next = match size {
        Some(size) if rows.len() > size => {
            rows.truncate(size);
            rows.last().map(|(_, rowid)| rowid.to_string())
        }
        _ => None,
    };
    KeysPage {
        keys: rows.into_iter().map(|(key, _)| key).collect(),
        next,
    }
}
