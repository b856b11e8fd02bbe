//! What is published, and what is delivered.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;

/// Text pairs that travel with a message.
pub type Metadata = BTreeMap<String, String>;

/// One message on its way to a broker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Publish {
    /// The topic.
    pub topic: String,
    /// The payload: an envelope, or raw bytes.
    pub data: Bytes,
    /// What the payload is, where the payload itself does not say it, as an envelope does.
    pub content_type: Option<String>,
    /// Component metadata of the request.
    pub metadata: Metadata,
}

/// One entry of a bulk publish.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BulkEntry {
    /// The caller's name for the entry, unique in the request.
    pub id: String,
    /// The payload.
    pub data: Bytes,
    /// What the payload is; empty where the payload itself says it, as an envelope does.
    pub content_type: String,
    /// Component metadata of this entry.
    pub metadata: Metadata,
}

/// Many messages for one topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BulkPublish {
    /// The topic.
    pub topic: String,
    /// The messages.
    pub entries: Vec<BulkEntry>,
    /// Component metadata of the whole request.
    pub metadata: Metadata,
}

/// An entry that was not published.
#[derive(Debug)]
pub struct BulkFailure {
    /// The caller's name for the entry.
    pub id: String,
    /// Why.
    pub error: crate::Error,
}

/// A message on its way to a subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The topic it came on (the actual one where the subscription is a pattern).
    pub topic: Arc<str>,
    /// The payload as published.
    pub data: Bytes,
    /// What the payload is, where the broker carries that.
    pub content_type: Option<String>,
    /// Component metadata of the message.
    pub metadata: Metadata,
}

/// What a subscriber asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subscribe {
    /// The topic, or a pattern where the broker has wildcards.
    pub topic: String,
    /// Component metadata of the subscription.
    pub metadata: Metadata,
}
