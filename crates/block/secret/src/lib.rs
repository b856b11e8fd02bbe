//! The secrets building block: what a secret store is, whatever carries it.

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use outrigger_base_std::{BoxError, Secret};

#[cfg(feature = "conformance")]
pub mod conformance;

/// One secret: its keys and their texts. A flat store has one key, the secret's own name.
pub type Secrets = BTreeMap<String, Secret>;

/// Free-form text pairs that travel with a request.
pub type Metadata = BTreeMap<String, String>;

/// Why a secret could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store has no such secret.
    #[error("secret {0} not found")]
    NotFound(String),
    /// The store is there and answered with a failure.
    #[error("{attempted}")]
    Failed {
        /// What was attempted.
        attempted: String,
        /// Why it failed.
        source: BoxError,
    },
}

impl Error {
    /// Whether the same call may succeed later with nothing changed by the caller.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }
}

/// A store of secrets. Every call is a read and may be dropped at any await.
#[async_trait]
pub trait SecretStore: Send + Sync + fmt::Debug {
    /// Whether a secret may have several keys.
    fn multiple_keys(&self) -> bool;

    /// One secret.
    async fn get(&self, name: &str, metadata: &Metadata) -> Result<Secrets, Error>;

    /// Every secret that the store can list.
    async fn bulk_get(&self, metadata: &Metadata) -> Result<BTreeMap<String, Secrets>, Error>;

    /// Lets go of files and connections.
    async fn close(&self);
}
