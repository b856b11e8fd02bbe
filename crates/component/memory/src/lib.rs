//! Components that keep everything in the memory of this process: `state.in-memory` and `pubsub.in-memory`
//! (internal, no promise).
//!
//! They are for development and tests, and the fastest implementation of their blocks: what they promise ends with the
//! process. Neither has properties.

mod pubsub;
mod state;

use std::sync::Arc;

use outrigger_block_kit::{Context, OpenError, Properties};
use outrigger_block_pubsub::Broker;
use outrigger_block_state::Store;

/// Opens a store (`state.in-memory`). Unknown properties are no error, as with the peers.
///
/// # Errors
///
/// None today; the signature is that of every component.
pub async fn store(ctx: Context, _properties: Properties) -> Result<Arc<dyn Store>, OpenError> {
    Ok(state::MemoryStore::open(&ctx))
}

/// Opens a broker (`pubsub.in-memory`). Unknown properties are no error, as with the peers.
///
/// # Errors
///
/// None today; the signature is that of every component.
pub async fn broker(ctx: Context, _properties: Properties) -> Result<Arc<dyn Broker>, OpenError> {
    Ok(Arc::new(pubsub::MemoryBroker::open(&ctx)))
}
