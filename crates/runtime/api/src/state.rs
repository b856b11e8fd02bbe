//! State operations.

use outrigger_base_telemetry::trace::TraceContext;
use outrigger_block_state::{
    Concurrency, Consistency, DeleteRequest, Error as StoreError, GetRequest, Item, Metadata, Operation,
    Options, SetRequest,
};
use outrigger_runtime_host::State;

use crate::{Api, Error};

/// One answer of a bulk read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkStateItem {
    /// The app's key.
    pub key: String,
    /// What is stored; `None` when there is nothing.
    pub item: Option<Item>,
    /// Why this key could not be read.
    pub error: Option<String>,
}

/// One step of a transaction, with the app's own key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionOp {
    /// Write a key.
    Upsert(SetRequest),
    /// Remove a key.
    Delete(DeleteRequest),
}

impl Api {
    /// The value of a key.
    pub async fn get_state(&self, store: &str, mut request: GetRequest) -> Result<Option<Item>, Error> {
        let state = self.state_store(store)?;
        let key = std::mem::take(&mut request.key);
        request.key = stored_key(&state, &key)?;
        self.metrics()
            .state(store, "get", state.store.get(request))
            .await
            .map_err(|error| Error::state_get(store, &key, &error))
    }

    /// The values of many keys, in the order asked.
    pub async fn get_bulk_state(
        &self,
        store: &str,
        keys: Vec<String>,
        parallelism: usize,
        metadata: Metadata,
    ) -> Result<Vec<BulkStateItem>, Error> {
        let state = self.state_store(store)?;
        let requests = keys.into_iter().map(|key| {
            let key = stored_key(&state, &key)?;
            Ok(GetRequest {
                key,
                consistency: Consistency::Unspecified,
                metadata: metadata.clone(),
            })
        });
        let requests = requests.collect::<Result<Vec<_>, Error>>()?;
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let reads = state.store.bulk_get(requests, parallelism);
        let answers = self.metrics().state(store, "bulk_get", reads).await;
        let answers = answers.map_err(|error| Error::state_bulk_get(&error))?;
        Ok(answers
            .into_iter()
            .map(|(key, answer)| bulk_item(&state, &key, answer))
            .collect())
    }

    /// Writes keys, each on its own. The error is that of the first that failed.
    pub async fn save_state(&self, store: &str, items: Vec<SetRequest>) -> Result<(), Error> {
        let state = self.state_store(store)?;
        if items.iter().any(|item| item.key.is_empty()) {
            return Err(Error::state_key_empty());
        }
        let mut requests = prefixed(&state, items, |item| &mut item.key)?;
        let done = async {
            match requests.len() {
                0 => Ok(()),
                1 => state.store.set(requests.remove(0)).await,
                _ => first_failure(state.store.bulk_set(requests).await),
            }
        };
        self.metrics()
            .state(store, "set", done)
            .await
            .map_err(|error| Error::state_save(store, &error))
    }

    /// Removes a key.
    pub async fn delete_state(&self, store: &str, mut request: DeleteRequest) -> Result<(), Error> {
        let state = self.state_store(store)?;
        let key = std::mem::take(&mut request.key);
        request.key = stored_key(&state, &key)?;
        let done = self
            .metrics()
            .state(store, "delete", state.store.delete(request))
            .await;
        done.map_err(|error| Error::state_delete(&key, &error))
    }

    /// Removes keys, each on its own. The error is that of the first that failed.
    pub async fn delete_bulk_state(&self, store: &str, items: Vec<DeleteRequest>) -> Result<(), Error> {
        let state = self.state_store(store)?;
        let requests = prefixed(&state, items, |item| &mut item.key)?;
        let done = async { first_failure(state.store.bulk_delete(requests).await) };
        let done = self.metrics().state(store, "bulk_delete", done).await;
        done.map_err(|error| Error::state_bulk_delete(store, &error))
    }

    /// Checks that there is such a store, before a face reads what is to be done.
    pub fn check_state(&self, store: &str) -> Result<(), Error> {
        self.state_store(store).map(drop)
    }

    /// Checks that a store can do transactions, before a face reads the operations.
    pub fn check_transactional(&self, store: &str) -> Result<(), Error> {
        let state = self.state_store(store)?;
        state
            .store
            .transactional()
            .map(drop)
            .ok_or_else(|| Error::state_no_transactions(store))
    }

    /// Applies operations, all or none. Those of a store with an outbox are announced first.
    pub async fn transact_state(
        &self,
        store: &str,
        operations: Vec<TransactionOp>,
        metadata: Metadata,
    ) -> Result<(), Error> {
        self.transact_state_in(store, operations, metadata, &TraceContext::NONE)
            .await
    }

    /// The same within a trace, which the events of an outbox go on with.
    pub async fn transact_state_in(
        &self,
        store: &str,
        operations: Vec<TransactionOp>,
        metadata: Metadata,
        trace: &TraceContext,
    ) -> Result<(), Error> {
        let state = self.state_store(store)?;
        let transactional = state
            .store
            .transactional()
            .ok_or_else(|| Error::state_no_transactions(store))?;
        if operations.is_empty() {
            return Ok(());
        }
        let operations = stored_operations(&state, operations)?;
        let needed = operations.len() + markers(&state, &operations);
        if let Some(max) = transactional.max_operations().filter(|max| needed > *max) {
            return Err(Error::state_too_many(store, needed, max));
        }
        let operations = self.announce(&state, operations, trace).await?;
        let done = self
            .metrics()
            .state(store, "transaction", transactional.transact(operations, metadata))
            .await;
        done.map_err(|error| Error::state_transaction(&error))
    }

    /// Queries are not built; the answer depends on whether there is such a store at all.
    pub fn query_state(&self, store: &str) -> Error {
        self.state_store(store)
            .err()
            .unwrap_or_else(|| Error::state_no_query(store))
    }

    fn state_store(&self, store: &str) -> Result<State, Error> {
        let snapshot = self.host().snapshot();
        if let Some(state) = snapshot.state(store) {
            return Ok(state.clone());
        }
        let app_id = &self.host().identity.app_id;
        if snapshot.has_state() {
            Err(Error::state_not_found(store, app_id))
        } else {
            Err(Error::state_not_configured(store, app_id))
        }
    }
}

fn stored_key(state: &State, key: &str) -> Result<String, Error> {
    state
        .prefix
        .apply(key)
        .map_err(|error| Error::state_key(&state.name, key, &error))
}

fn prefixed<R>(
    state: &State,
    mut items: Vec<R>,
    key: impl Fn(&mut R) -> &mut String,
) -> Result<Vec<R>, Error> {
    for item in &mut items {
        let key = key(item);
        *key = stored_key(state, key)?;
    }
    Ok(items)
}

fn stored_operations(state: &State, operations: Vec<TransactionOp>) -> Result<Vec<Operation>, Error> {
    let convert = |operation| match operation {
        TransactionOp::Upsert(mut set) => {
            set.key = stored_key(state, &set.key)?;
            Ok(Operation::Set(set))
        }
        TransactionOp::Delete(mut delete) => {
            delete.key = stored_key(state, &delete.key)?;
            Ok(Operation::Delete(delete))
        }
    };
    operations.into_iter().map(convert).collect()
}

/// How many operations an outbox adds.
fn markers(state: &State, operations: &[Operation]) -> usize {
    let writes = operations
        .iter()
        .filter(|operation| matches!(operation, Operation::Set(_)));
    if state.outbox.is_some() { writes.count() } else { 0 }
}

fn bulk_item(state: &State, key: &str, answer: Result<Option<Item>, StoreError>) -> BulkStateItem {
    let key = state.prefix.strip(key).to_owned();
    match answer {
        Ok(item) => BulkStateItem {
            key,
            item,
            error: None,
        },
        Err(error) => BulkStateItem {
            key,
            item: None,
            error: Some(outrigger_base_std::chain(&error)),
        },
    }
}

/// One answer for many writes: an ETag failure before others, because it tells the caller to read again.
fn first_failure(results: Vec<Result<(), StoreError>>) -> Result<(), StoreError> {
    let mut failures: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    let versioned = failures
        .iter()
        .position(|error| matches!(error, StoreError::ETagMismatch | StoreError::ETagInvalid));
    match versioned.or_else(|| (!failures.is_empty()).then_some(0)) {
        Some(index) => Err(failures.swap_remove(index)),
        None => Ok(()),
    }
}

/// Reads the words for concurrency and consistency; anything else is refused with what was expected.
pub fn options(concurrency: &str, consistency: &str) -> Result<Options, String> {
    Ok(Options {
        concurrency: parse_concurrency(concurrency)?,
        consistency: parse_consistency(consistency)?,
    })
}

fn parse_concurrency(word: &str) -> Result<Concurrency, String> {
    match word {
        "" => Ok(Concurrency::Unspecified),
        "first-write" => Ok(Concurrency::FirstWrite),
        "last-write" => Ok(Concurrency::LastWrite),
        _ => Err(format!(
            "unrecognized value for concurrency: {word:?}; expected first-write or last-write"
        )),
    }
}

/// Reads the word for consistency.
pub fn parse_consistency(word: &str) -> Result<Consistency, String> {
    match word {
        "" => Ok(Consistency::Unspecified),
        "eventual" => Ok(Consistency::Eventual),
        "strong" => Ok(Consistency::Strong),
        _ => Err(format!(
            "unrecognized value for consistency: {word:?}; expected eventual or strong"
        )),
    }
}
