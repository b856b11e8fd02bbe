//! `state.redis`: the state store (components.md §2.1).
//!
//! Layout, shared with Dapr: a hash for each key with the fields `data`, `version` (counts writes; the ETag) and, after
//! a first-write, `first-write`. A key once written first-write refuses overwrites without its ETag from then on. An
//! ETag for a key that is not there is no mismatch. A time to live survives an overwrite that says nothing of it.
//! Where the server has RedisJSON, requests with the metadata `contentType: application/json` use a document instead.
//!
//! Better than the original, with the same bytes: a write and its time to live are one step, and a transaction is
//! checked as a whole before anything of it is written (in a cluster: for each slot). As there, a transaction does not
//! heed `first-write`, only ETags.

mod json;
mod keys;
mod like;
mod lua;
mod read;
mod transact;
mod write;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use outrigger_base_task::TaskSet;
use outrigger_block_kit::{Context, OpenError, Properties};
use outrigger_block_state::{
    BulkGet, Capability, DeleteRequest, Error, GetRequest, Item, KeysLike, KeysPage, Metadata, Operation,
    SetRequest, Store, Transactional, Ttl,
};
use tokio_util::task::TaskTracker;

use crate::{
    link::Link,
    settings::{Kind, Settings},
    value,
};
use lua::Scripts;

/// Calls of one bulk operation that are on their way at once; they share a connection, so this bounds memory, not load.
const BULK_WIDTH: usize = 256;

const CAPABILITIES: [Capability; 5] = [
    Capability::ETag,
    Capability::Transactional,
    Capability::Ttl,
    Capability::KeysLike,
    Capability::Actor,
];

/// Opens the store: connects, and asks the server what it can do.
pub async fn store(context: Context, properties: Properties) -> Result<Arc<dyn Store>, OpenError> {
    if properties.non_empty("queryIndexes").is_some() {
        return Err(OpenError::Unsupported(
            "queryIndexes (the query API of state.redis)".to_owned(),
        ));
    }
    let ttl = match properties.number::<i64>("ttlInSeconds")? {
        None => Ttl::Unset,
        Some(seconds) => u64::try_from(seconds)
            .ok()
            .filter(|seconds| *seconds > 0)
            .map_or(Ttl::Forever, |seconds| {
                Ttl::After(std::time::Duration::from_secs(seconds))
            }),
    };
    let link = Link::open(Settings::new(&properties, Kind::State)?, &context).await?;
    let has_json = json::is_supported(&link)
        .await
        .map_err(|fault| OpenError::unavailable("ask Redis for its JSON commands", fault))?;
    let replicas = replicas(&link).await;
    Ok(Arc::new(RedisStore {
        strong: (replicas > 0).then(|| link.sibling(None)),
        link,
        scripts: Arc::new(Scripts::new()),
        tasks: context.tasks,
        transactions: TaskTracker::new(),
        ttl,
        has_json,
        replicas,
    }))
}

/// The store.
#[derive(Debug)]
struct RedisStore {
    link: Link,
    /// Carries writes that wait for replicas, which hold up everything behind them; there when there are replicas.
    strong: Option<Link>,
    scripts: Arc<Scripts>,
    /// Owner of transactions with more than one step.
    tasks: TaskSet,
    /// Those that have begun to write. None begins once it is closed.
    transactions: TaskTracker,
    /// What a write without a time to live gets.
    ttl: Ttl,
    has_json: bool,
    /// Replicas that a strong write waits for, counted when the store was opened.
    replicas: u64,
}

/// How many replicas the server has. One that may not be asked (an ACL) counts as having none.
async fn replicas(link: &Link) -> u64 {
    let mut command = redis::cmd("INFO");
    command.arg("replication");
    let text = match link.send(&command, link.reading()).await.and_then(first_text) {
        Ok(text) => text,
        Err(fault) => {
            tracing::warn!(%fault, "the number of replicas is unknown: strong writes wait for none");
            return 0;
        }
    };
    text.lines()
        .find_map(|line| line.strip_prefix("connected_slaves:"))
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or(0)
}

/// The text of an answer; of the first node where a cluster answered for several.
fn first_text(answer: redis::Value) -> Result<String, crate::fault::Fault> {
    match answer {
        redis::Value::Map(nodes) => nodes
            .into_iter()
            .next()
            .map_or(Ok(String::new()), |(_, text)| value::text(text)),
        single => value::text(single),
    }
}

impl RedisStore {
    /// Whether a request asks for the document layout.
    fn wants_json(&self, metadata: &Metadata) -> bool {
        self.has_json && json::is_asked_for(metadata)
    }
}

#[async_trait]
impl Store for RedisStore {
    fn capabilities(&self) -> &[Capability] {
        &CAPABILITIES
    }

    async fn ping(&self) -> Result<(), Error> {
        self.link
            .ping()
            .await
            .map_err(|fault| fault.into_state("ping Redis"))
    }

    async fn get(&self, request: GetRequest) -> Result<Option<Item>, Error> {
        read::get(self, &request).await
    }

    async fn set(&self, request: SetRequest) -> Result<(), Error> {
        write::set(self, &request).await
    }

    async fn delete(&self, request: DeleteRequest) -> Result<(), Error> {
        write::delete(self, &request).await
    }

    async fn bulk_get(&self, requests: Vec<GetRequest>, parallelism: usize) -> Result<Vec<BulkGet>, Error> {
        let width = if parallelism == 0 { BULK_WIDTH } else { parallelism };
        let answers = stream::iter(requests.into_iter().map(|request| async move {
            let answer = read::get(self, &request).await;
            (request.key, answer)
        }));
        Ok(answers.buffered(width).collect().await)
    }

    async fn bulk_set(&self, requests: Vec<SetRequest>) -> Vec<Result<(), Error>> {
        let writes = stream::iter(requests.into_iter().map(|request| self.set(request)));
        writes.buffered(BULK_WIDTH).collect().await
    }

    async fn bulk_delete(&self, requests: Vec<DeleteRequest>) -> Vec<Result<(), Error>> {
        let deletes = stream::iter(requests.into_iter().map(|request| self.delete(request)));
        deletes.buffered(BULK_WIDTH).collect().await
    }

    fn transactional(&self) -> Option<&dyn Transactional> {
        Some(self)
    }

    fn keys_like(&self) -> Option<&dyn KeysLike> {
        Some(self)
    }

    /// A transaction that has written some of its slots writes the others first, for as long as the caller waits.
    async fn close(&self) {
        let _links = (self.link.closing(), self.strong.as_ref().map(Link::closing));
        self.transactions.close();
        self.transactions.wait().await;
    }
}

#[async_trait]
impl Transactional for RedisStore {
    async fn transact(&self, operations: Vec<Operation>, metadata: Metadata) -> Result<(), Error> {
        transact::transact(self, operations, &metadata).await
    }
}

#[async_trait]
impl KeysLike for RedisStore {
    async fn keys_like(
        &self,
        pattern: &str,
        page_size: Option<u32>,
        token: Option<&str>,
    ) -> Result<KeysPage, Error> {
        keys::page(&self.link, pattern, page_size, token).await
    }
}
