//! The secret stores that are already open, for values that refer to them.

use std::{collections::HashMap, sync::Arc};

use outrigger_block_secret::{Metadata, SecretStore};
use outrigger_resource_manifest::{SecretError, SecretFuture, SecretQuery, SecretSource, SecretValues};

use crate::Snapshot;

/// Open secret stores by name.
pub(super) struct OpenSecrets {
    stores: HashMap<Arc<str>, Arc<dyn SecretStore>>,
}

impl OpenSecrets {
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        let stores = snapshot
            .secrets
            .iter()
            .map(|(name, secrets)| (name.clone(), secrets.store.clone()));
        Self {
            stores: stores.collect(),
        }
    }
}

impl SecretSource for OpenSecrets {
    fn secret<'a>(&'a self, query: SecretQuery<'a>) -> SecretFuture<'a> {
        Box::pin(async move {
            let store = self.stores.get(query.store).ok_or(SecretError::StoreNotLoaded)?;
            let mut metadata = Metadata::new();
            if let Some(namespace) = query.namespace {
                metadata.insert("namespace".to_owned(), namespace.to_owned());
            }
            let keys = store
                .get(query.name, &metadata)
                .await
                .map_err(|error| SecretError::Failed(error.into()))?;
            let values = keys
                .into_iter()
                .map(|(key, secret)| (key, secret.expose().to_owned()));
            Ok(SecretValues(values.collect()))
        })
    }
}
