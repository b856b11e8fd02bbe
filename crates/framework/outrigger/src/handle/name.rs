//! Names that an operation cannot do without.
//!
//! Embedded, an empty one gets as far as the operation; beside a sidecar it makes another path, of no operation or of a
//! different one. So it is refused before either.

use crate::Error;

pub(super) const STATE_STORE: &str = "the name of the state store";
pub(super) const SECRET_STORE: &str = "the name of the secret store";
pub(super) const BROKER: &str = "the name of the pub/sub component";
pub(super) const KEY: &str = "the key of a value";
pub(super) const SECRET: &str = "the name of a secret";
pub(super) const TOPIC: &str = "the topic to publish to";
pub(super) const APP: &str = "the id of the app to call";

/// Refuses an empty name.
pub(super) fn given(what: &str, name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::Input(format!("{what} is empty")));
    }
    Ok(())
}
