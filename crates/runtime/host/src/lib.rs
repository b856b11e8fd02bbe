//! The host: components opened from their manifests and held in a snapshot.
//!
//! A [`Registry`] says how each type of component is opened; [`open`](open::open) turns the resources that were
//! loaded into a [`Snapshot`]; the [`Host`] holds the current one. A request takes one `Arc` of the snapshot at entry and
//! keeps it; a change swaps the snapshot, and an old instance is closed when its last holder has let go.
//!
//! The host sees no API face and no concrete component.

mod endpoint;
mod handle;
mod host;
mod identity;
pub mod open;
mod registry;
mod snapshot;

pub use endpoint::{ClientPem, HttpEndpoint};
pub use handle::{OutboxSettings, PubSub, Secrets, State};
pub use host::Host;
pub use identity::Identity;
pub use registry::{BrokerFactory, Factory, Opening, Registry, SecretFactory, StateFactory};
pub use snapshot::{ComponentInfo, FailedComponent, Snapshot};
