//! `secretstores.local.file`: a JSON file as secrets (components.md §2.4).
//!
//! Plain: every leaf of the file is a secret, called by the path to it (`redis:password`, list items by their number).
//! With `multiValued`, every top-level entry is one secret, and the leaves inside it are its keys. A leaf that is no text
//! is its JSON text (`5`, `true`, `null`), where the peers write a formatting error.

mod flatten;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use outrigger_block_kit::{OpenError, Properties};
use outrigger_block_secret::{Error, Metadata, SecretStore, Secrets};

/// The property that names the file.
const SECRETS_FILE: &str = "secretsFile";
/// The property with the text between the parts of a path.
const NESTED_SEPARATOR: &str = "nestedSeparator";
/// The separator when the property says nothing.
const DEFAULT_SEPARATOR: &str = ":";
/// The property that makes every top-level entry one secret.
const MULTI_VALUED: &str = "multiValued";

/// A store over what a file held when it was opened.
pub(crate) struct FileStore {
    secrets: BTreeMap<String, Secrets>,
    multi_valued: bool,
}

impl FileStore {
    pub(crate) async fn open(properties: &Properties) -> Result<Self, OpenError> {
        let path = properties
            .non_empty(SECRETS_FILE)
            .ok_or_else(|| OpenError::Missing("missing local secrets file in metadata".to_owned()))?;
        let text = tokio::fs::read(path)
            .await
            .map_err(|error| OpenError::unavailable(format!("read the secrets file {path}"), error))?;
        let separator = properties
            .non_empty(NESTED_SEPARATOR)
            .unwrap_or(DEFAULT_SEPARATOR);
        let multi_valued = properties.flag(MULTI_VALUED);
        let secrets = flatten::parse(&text, separator, multi_valued)
            .map_err(|reason| OpenError::invalid(SECRETS_FILE, format!("{path}: {reason}")))?;
        Ok(Self {
            secrets,
            multi_valued,
        })
    }
}

#[async_trait]
impl SecretStore for FileStore {
    fn multiple_keys(&self) -> bool {
        self.multi_valued
    }

    async fn get(&self, name: &str, _metadata: &Metadata) -> Result<Secrets, Error> {
        let found = self.secrets.get(name).cloned();
        found.ok_or_else(|| Error::NotFound(name.to_owned()))
    }

    async fn bulk_get(&self, _metadata: &Metadata) -> Result<BTreeMap<String, Secrets>, Error> {
        Ok(self.secrets.clone())
    }

    async fn close(&self) {}
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore")
            .field("secrets", &self.secrets.len())
            .field("multi_valued", &self.multi_valued)
            .finish()
    }
}
