//! The CloudEvents envelope that the runtime puts around a payload (dapr-runtime.md §3.3, §3.5; components.md §0.7).
//!
//! All of it is pure: identifiers and times are arguments. Publishing calls [`wrap`], which writes the envelope around
//! the payload's own bytes: a JSON payload is checked and copied once, never taken apart, so that its numbers and its
//! spelling stay as they were. Delivery reads an [`Event`], a view that borrows from the message; a payload that is not an
//! event becomes one with [`from_raw`] or [`from_binary`]. gRPC subscribers get a [`TopicEvent`].
//!
//! Attribute names stand in the order of Go's map marshalling (by bytes), as every subscriber has seen them so far.

mod content_type;
mod error;
mod event;
mod fields;
mod metadata;
mod pass_through;
mod protobuf;
mod synthesis;
mod topic_event;
mod wrap;
mod write;

#[cfg(test)]
mod properties;

pub use content_type::{is_binary, is_cloud_event, is_json, is_text};
pub use error::EnvelopeError;
pub use event::Event;
pub use metadata::{expiration, is_raw_payload, ttl};
pub use synthesis::{from_binary, from_raw};
pub use topic_event::TopicEvent;
pub use wrap::{WrapRequest, wrap};
