//! State transactions.

use std::sync::Arc;

use outrigger_client::{DeleteItem, Operation, SaveItem, WriteOptions};
use outrigger_wire_names::trace as names;
use serde::Serialize;

use super::{
    Backend, convert,
    local::finish,
    name::{self, given},
    state::encode,
};
use crate::Error;

/// Writes and removals of one store, which happen together or not at all on [`Transaction::commit`].
#[derive(Debug)]
#[must_use = "nothing happens before commit"]
pub struct Transaction {
    backend: Backend,
    store: Arc<str>,
    operations: Vec<Operation>,
    /// Why the first operation that cannot be carried out cannot.
    failed: Option<Error>,
}

impl Transaction {
    pub(super) fn new(backend: Backend, store: Arc<str>) -> Self {
        Self {
            backend,
            store,
            operations: Vec::new(),
            failed: None,
        }
    }

    /// Writes a value.
    pub fn set<T: Serialize + ?Sized>(self, key: &str, value: &T) -> Self {
        self.set_with(key, value, WriteOptions::default())
    }

    /// Writes a value with options.
    pub fn set_with<T: Serialize + ?Sized>(mut self, key: &str, value: &T, options: WriteOptions) -> Self {
        match given(name::KEY, key).and_then(|()| encode(key, value)) {
            Ok(value) => self.operations.push(Operation::Upsert(SaveItem {
                key: key.to_owned(),
                value: value.into(),
                options,
            })),
            Err(error) => self.failed = self.failed.or(Some(error)),
        }
        self
    }

    /// Removes a key.
    pub fn delete(self, key: &str) -> Self {
        self.delete_with(key, WriteOptions::default())
    }

    /// Removes a key with options.
    pub fn delete_with(mut self, key: &str, options: WriteOptions) -> Self {
        match given(name::KEY, key) {
            Ok(()) => self.operations.push(Operation::Delete(DeleteItem {
                key: key.to_owned(),
                options,
            })),
            Err(error) => self.failed = self.failed.or(Some(error)),
        }
        self
    }

    /// Carries everything out, or nothing.
    ///
    /// # Errors
    /// [`Error::Encode`] for the first value that cannot be JSON, [`Error::Input`] for an empty key or name of the store;
    /// [`Error::Refused`] when nothing happened: the wire does not tell an ETag that did not match from another failure.
    pub async fn commit(self) -> Result<(), Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        given(name::STATE_STORE, &self.store)?;
        match &self.backend {
            Backend::Embedded(local) => {
                let span = local.storing("ExecuteStateTransaction", names::STATE, &self.store);
                let api = &local.api;
                if let Err(error) = api.check_transactional(&self.store) {
                    return finish(span, Err(error));
                }
                let operations = self.operations.into_iter().map(convert::operation).collect();
                // What an outbox publishes belongs to the trace, too.
                let trace = span.context().clone();
                let done = api.transact_state_in(&self.store, operations, Default::default(), &trace);
                finish(span, done.await)
            }
            Backend::Sidecar(client, _) => {
                client
                    .transact_state(&self.store, &self.operations, &Default::default())
                    .await
            }
        }
    }
}
