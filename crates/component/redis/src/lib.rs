//! `state.redis` and `pubsub.redis` (internal, no promise).
//!
//! Both stand on one client setup (`settings`, `link`): a multiplexed connection that pipelines by itself, to one
//! server, to the master that sentinels name, or to a cluster. What they write and read has the layouts of Dapr's
//! components (components.md §2.1, §2.2), so data of either is the other's.
//!
//! Not built, and refused by name when asked for: `useEntraID`, `useOIDC`, `queryIndexes` (the query API).

mod fault;
mod link;
mod pubsub;
mod script;
mod settings;
mod state;
mod value;

pub use pubsub::broker;
pub use state::store;
