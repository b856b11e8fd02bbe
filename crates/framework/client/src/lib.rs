//! A client of a sidecar, Outrigger's or Dapr's, over its HTTP API.
//!
//! One transport throughout: HTTP/1.1 on pooled connections, whose bodies stream where an app's own bodies travel
//! ([`Client::invoke`]). Values of state and payloads of events are bytes here; the `outrigger` crate puts types on top.
//!
//! ```no_run
//! # async fn example() -> Result<(), outrigger_client::Error> {
//! use outrigger_client::{Client, SaveItem};
//!
//! let client = Client::from_env()?; // DAPR_HTTP_ENDPOINT or DAPR_HTTP_PORT, and DAPR_API_TOKEN
//! client.save_state("statestore", &[SaveItem::new("order-1", &b"{\"paid\":true}"[..])]).await?;
//! let item = client.get_state("statestore", "order-1", &Default::default()).await?;
//! assert!(item.is_some());
//! # Ok(())
//! # }
//! ```
//!
//! No call has a time limit of its own, but for making a connection (10 s): put `tokio::time::timeout` around one that
//! must have one. A call may be dropped at any time; whether the sidecar carries it out is then unknown.

mod client;
mod endpoint;
mod error;
mod exchange;
mod invoke;
mod meta;
mod path;
mod publish;
mod secrets;
mod state;

pub use client::Client;
pub use endpoint::Endpoint;
pub use error::{Answer, Error, Refusal};
pub use meta::{ComponentInfo, Metadata};
pub use outrigger_base_std::Secret;
pub use outrigger_transport::Body;
pub use publish::{BulkEvent, FailedEvent};
pub use secrets::{Keys, Secrets};
pub use state::{
    BulkItem, Concurrency, Consistency, DeleteItem, Item, Operation, ReadOptions, SaveItem, WriteOptions,
};

/// Free-form text pairs that travel with a request to the component, such as `ttlInSeconds`.
pub type Pairs = std::collections::BTreeMap<String, String>;
