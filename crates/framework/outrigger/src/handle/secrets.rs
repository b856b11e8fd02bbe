//! Secrets.

use std::sync::Arc;

use outrigger_client::{Keys, Pairs, Secrets};
use outrigger_wire_names::trace as names;

use super::{
    Backend,
    local::finish,
    name::{self, given},
};
use crate::{Error, Secret};

/// A secret store.
#[derive(Debug, Clone)]
pub struct SecretStore {
    backend: Backend,
    store: Arc<str>,
}

impl SecretStore {
    pub(super) fn new(backend: Backend, store: Arc<str>) -> Self {
        Self { backend, store }
    }

    /// The text of a secret that has one key.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such store or secret, or the app may not see it; [`Error::Decode`] when the
    /// secret has several keys: read those with [`SecretStore::keys`]; [`Error::Input`] when a name is empty.
    pub async fn get(&self, name: &str) -> Result<Secret, Error> {
        let mut keys = self.keys(name).await?;
        if let Some(secret) = keys.remove(name) {
            return Ok(secret);
        }
        match (keys.pop_first(), keys.is_empty()) {
            (Some((_, secret)), true) => Ok(secret),
            _ => Err(Error::Decode {
                what: format!("the secret {name:?} of {}", self.store).into(),
                source: "it does not have one key; read it with SecretStore::keys".into(),
            }),
        }
    }

    /// Every key of a secret.
    ///
    /// # Errors
    /// As [`SecretStore::get`].
    pub async fn keys(&self, name: &str) -> Result<Keys, Error> {
        given(name::SECRET_STORE, &self.store)?;
        given(name::SECRET, name)?;
        let metadata = Pairs::new();
        match &self.backend {
            Backend::Embedded(local) => {
                let span = local.storing("GetSecret", names::SECRETS, &self.store);
                finish(span, local.api.get_secret(&self.store, name, &metadata).await)
            }
            Backend::Sidecar(client, _) => client.get_secret(&self.store, name, &metadata).await,
        }
    }

    /// Every secret that the app may see.
    ///
    /// # Errors
    /// As [`SecretStore::get`].
    pub async fn all(&self) -> Result<Secrets, Error> {
        given(name::SECRET_STORE, &self.store)?;
        let metadata = Pairs::new();
        match &self.backend {
            Backend::Embedded(local) => {
                let span = local.storing("GetBulkSecret", names::SECRETS, &self.store);
                finish(span, local.api.get_bulk_secret(&self.store, &metadata).await)
            }
            Backend::Sidecar(client, _) => client.get_bulk_secret(&self.store, &metadata).await,
        }
    }
}
