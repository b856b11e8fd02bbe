//! Secrets that lie on this machine: `secretstores.local.file` and `secretstores.local.env` (internal, no promise).
//!
//! They are for development: what they read is not encrypted.

mod env;
mod environment;
mod file;

use std::sync::Arc;

use outrigger_block_kit::{Context, OpenError, Properties};
use outrigger_block_secret::SecretStore;

pub use self::environment::{Environment, FixedEnvironment, ProcessEnvironment};

/// Opens a store over a JSON file (`secretstores.local.file`), which is read once, now.
///
/// Properties: `secretsFile` (required), `nestedSeparator` (`:`), `multiValued` (false).
///
/// # Errors
///
/// When `secretsFile` is missing, cannot be read, or is not one JSON object.
pub async fn file(_ctx: Context, properties: Properties) -> Result<Arc<dyn SecretStore>, OpenError> {
    Ok(Arc::new(file::FileStore::open(&properties).await?))
}

/// Opens a store over the variables of this process (`secretstores.local.env`).
///
/// Properties: `prefix` (empty), which stands before every name in the environment and in no answer.
///
/// # Errors
///
/// None today; the signature is that of every component.
pub async fn env(_ctx: Context, properties: Properties) -> Result<Arc<dyn SecretStore>, OpenError> {
    Ok(env_with(properties, Arc::new(ProcessEnvironment)))
}

/// [`env()`] over variables from elsewhere.
pub fn env_with(properties: Properties, environment: Arc<dyn Environment>) -> Arc<dyn SecretStore> {
    Arc::new(env::EnvStore::new(&properties, environment))
}
