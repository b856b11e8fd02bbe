//! `secretstores.local.env`: variables as secrets (components.md §2.4).
//!
//! A variable that is not set reads as an empty text. The tokens of the runtime itself are not for its app: names that
//! are `APP_API_TOKEN` or begin with `DAPR_` (any case, prefix included) read as empty and are not listed.

use std::{collections::BTreeMap, ffi::OsString, fmt, sync::Arc};

use async_trait::async_trait;
use outrigger_base_std::Secret;
use outrigger_block_kit::Properties;
use outrigger_block_secret::{Error, Metadata, SecretStore, Secrets};

use crate::Environment;

#[cfg(test)]
mod tests;

/// The property that stands before every name in the environment.
const PREFIX: &str = "prefix";
/// The variable that holds the app's token.
const APP_TOKEN: &str = "APP_API_TOKEN";
/// The beginning of the names of the runtime's own variables.
const RUNTIME_PREFIX: &str = "DAPR_";
/// Whether names are compared without regard to case, as the operating system does.
const IGNORES_CASE: bool = cfg!(windows);

/// A store over an environment.
pub(crate) struct EnvStore {
    prefix: String,
    environment: Arc<dyn Environment>,
}

/// A variable's value is not UTF-8.
#[derive(Debug, thiserror::Error)]
#[error("its value is not UTF-8")]
struct NotText;

impl EnvStore {
    pub(crate) fn new(properties: &Properties, environment: Arc<dyn Environment>) -> Self {
        Self {
            prefix: properties.get(PREFIX).unwrap_or_default().to_owned(),
            environment,
        }
    }

    fn read(&self, name: &str) -> Result<Secret, Error> {
        let variable = format!("{}{name}", self.prefix);
        if !is_allowed(&variable) {
            tracing::warn!(name, "the variable is not for apps");
            return Ok(Secret::default());
        }
        // The operating system has no name that is empty or holds these; asking for one is not an error.
        if variable.is_empty() || variable.contains(['=', '\0']) {
            return Ok(Secret::default());
        }
        let value = self.environment.get(&variable).unwrap_or_default();
        text(value).ok_or_else(|| Error::Failed {
            attempted: format!("read the variable {variable}"),
            source: Box::new(NotText),
        })
    }

    /// The secret's name of a variable that the store lists.
    fn listed<'v>(&self, variable: &'v str) -> Option<&'v str> {
        let (head, name) = variable.split_at_checked(self.prefix.len())?;
        let has_prefix = if IGNORES_CASE {
            head.eq_ignore_ascii_case(&self.prefix)
        } else {
            head == self.prefix
        };
        (has_prefix && !name.is_empty() && is_allowed(variable)).then_some(name)
    }
}

#[async_trait]
impl SecretStore for EnvStore {
    fn multiple_keys(&self) -> bool {
        false
    }

    async fn get(&self, name: &str, _metadata: &Metadata) -> Result<Secrets, Error> {
        Ok(Secrets::from([(name.to_owned(), self.read(name)?)]))
    }

    async fn bulk_get(&self, _metadata: &Metadata) -> Result<BTreeMap<String, Secrets>, Error> {
        let mut all = BTreeMap::new();
        for (variable, value) in self.environment.all() {
            let Some(name) = variable.to_str().and_then(|variable| self.listed(variable)) else {
                continue;
            };
            match text(value) {
                Some(secret) => drop(all.insert(name.to_owned(), Secrets::from([(name.to_owned(), secret)]))),
                None => tracing::warn!(name, "the variable is left out: its value is not UTF-8"),
            }
        }
        Ok(all)
    }

    async fn close(&self) {}
}

impl fmt::Debug for EnvStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvStore")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

fn is_allowed(variable: &str) -> bool {
    let runtime = variable.get(..RUNTIME_PREFIX.len());
    !variable.eq_ignore_ascii_case(APP_TOKEN)
        && !runtime.is_some_and(|head| head.eq_ignore_ascii_case(RUNTIME_PREFIX))
}

fn text(value: OsString) -> Option<Secret> {
    value.into_string().ok().map(Secret::from)
}
