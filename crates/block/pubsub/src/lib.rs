//! The publish/subscribe building block: what a broker is, whatever carries it.
//!
//! A [`Broker`] moves bytes with metadata from publishers to subscriptions. Envelopes (CloudEvents), routing, scopes,
//! retries and dead letters are the runtime's, the same for every broker; what is a broker's own is redelivery.
//! Rules that every broker keeps: components.md §4; checked by the suite in `conformance` (feature of that name).

mod broker;
pub mod envelope;
mod error;
mod message;
mod scopes;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use broker::{Broker, Delivery, Feature, Handler, Nack, Subscription};
pub use error::Error;
pub use message::{BulkEntry, BulkFailure, BulkPublish, Message, Metadata, Publish, Subscribe};
pub use scopes::TopicScopes;
