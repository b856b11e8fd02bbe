//! What is asked of a store, and what it answers.

use std::collections::BTreeMap;

use bytes::Bytes;

/// Free-form text pairs that travel with a request.
pub type Metadata = BTreeMap<String, String>;

/// A version of a value, opaque to everyone but the store. Never empty: an empty text on the wire means *none*.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ETag(Box<str>);

impl ETag {
    /// An ETag, or `None` for the empty text.
    pub fn new(text: impl Into<Box<str>>) -> Option<Self> {
        let text = text.into();
        (!text.is_empty()).then_some(Self(text))
    }

    /// The text of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How two writers of one key meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Concurrency {
    /// Nothing was said: as [`Concurrency::LastWrite`].
    #[default]
    Unspecified,
    /// The first writer wins; a later one without the current ETag fails.
    FirstWrite,
    /// The last writer wins.
    LastWrite,
}

/// How far a write must have gone before it is answered, or how fresh a read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consistency {
    /// Nothing was said: the store's own default.
    #[default]
    Unspecified,
    /// As soon as one replica has it.
    Eventual,
    /// Only when every replica that counts has it.
    Strong,
}

/// How a write is to be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// How two writers meet.
    pub concurrency: Concurrency,
    /// How far the write must have gone.
    pub consistency: Consistency,
}

/// What is stored. Several stores write the two forms differently and read both (components.md §0.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Opaque bytes (gRPC callers).
    Bytes(Bytes),
    /// One JSON value as compact text (HTTP callers). A string is quoted.
    Json(Bytes),
}

impl Value {
    /// The bytes that a reader gets back.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Bytes(bytes) | Self::Json(bytes) => bytes,
        }
    }

    /// The bytes that a reader gets back, without a copy.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Bytes(bytes) | Self::Json(bytes) => bytes,
        }
    }
}

/// A read of one key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GetRequest {
    /// The key as the store sees it, prefix included.
    pub key: String,
    /// How fresh the answer must be.
    pub consistency: Consistency,
    /// Component metadata of the request.
    pub metadata: Metadata,
}

/// A stored value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The value's bytes.
    pub data: Bytes,
    /// Its version, where the store keeps versions.
    pub etag: Option<ETag>,
    /// Component metadata of the answer, such as `ttlExpireTime`.
    pub metadata: Metadata,
}

/// A write of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetRequest {
    /// The key as the store sees it, prefix included.
    pub key: String,
    /// What to store.
    pub value: Value,
    /// The version that must be there now.
    pub etag: Option<ETag>,
    /// How to write.
    pub options: Options,
    /// Component metadata of the request, such as `ttlInSeconds`.
    pub metadata: Metadata,
}

/// A removal of one key. Removing what is not there is no error, unless an ETag says it must be there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeleteRequest {
    /// The key as the store sees it, prefix included.
    pub key: String,
    /// The version that must be there now.
    pub etag: Option<ETag>,
    /// How to delete.
    pub options: Options,
    /// Component metadata of the request.
    pub metadata: Metadata,
}

/// One step of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Write a key.
    Set(SetRequest),
    /// Remove a key.
    Delete(DeleteRequest),
}

impl Operation {
    /// The key it touches.
    pub fn key(&self) -> &str {
        match self {
            Self::Set(set) => &set.key,
            Self::Delete(delete) => &delete.key,
        }
    }
}
