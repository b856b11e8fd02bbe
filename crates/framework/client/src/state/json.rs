//! State as JSON on the wire.

use bytes::Bytes;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{BulkItem, Concurrency, Consistency, Item, Operation, SaveItem, WriteOptions};
use crate::{Error, Pairs};

/// Writes a value as JSON.
pub(crate) fn to_json<T: Serialize>(value: &T, what: &'static str) -> Result<Bytes, Error> {
    let text = serde_json::to_vec(value).map_err(|error| Error::Encode {
        what: what.into(),
        source: error.into(),
    })?;
    Ok(text.into())
}

/// A value that is JSON already, passed on as it is.
pub(crate) fn raw<'a>(value: &'a [u8], what: &str) -> Result<&'a RawValue, Error> {
    serde_json::from_slice(value).map_err(|error| Error::Encode {
        what: what.to_owned().into(),
        source: error.into(),
    })
}

#[derive(Serialize)]
pub(super) struct Entry<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<&'a str>,
    #[serde(skip_serializing_if = "Pairs::is_empty")]
    metadata: &'a Pairs,
    options: EntryOptions,
}

#[derive(Serialize)]
struct EntryOptions {
    #[serde(serialize_with = "concurrency_word", skip_serializing_if = "is_default")]
    concurrency: Concurrency,
    #[serde(serialize_with = "consistency_word", skip_serializing_if = "is_default")]
    consistency: Consistency,
}

fn concurrency_word<S: Serializer>(value: &Concurrency, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.word())
}

fn consistency_word<S: Serializer>(value: &Consistency, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.word())
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl<'a> Entry<'a> {
    fn new(key: &'a str, value: Option<&'a RawValue>, options: &'a WriteOptions) -> Self {
        Self {
            key,
            value,
            etag: options.etag.as_deref(),
            metadata: &options.metadata,
            options: EntryOptions {
                concurrency: options.concurrency,
                consistency: options.consistency,
            },
        }
    }

    pub(super) fn of_save(item: &'a SaveItem) -> Result<Self, Error> {
        let value = raw(&item.value, "a value of state")?;
        Ok(Self::new(&item.key, Some(value), &item.options))
    }
}

#[derive(Serialize)]
pub(super) struct Transaction<'a> {
    operations: Vec<Step<'a>>,
    #[serde(skip_serializing_if = "Pairs::is_empty")]
    metadata: &'a Pairs,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(operations: Vec<Step<'a>>, metadata: &'a Pairs) -> Self {
        Self { operations, metadata }
    }
}

#[derive(Serialize)]
pub(super) struct Step<'a> {
    operation: &'static str,
    request: Entry<'a>,
}

impl<'a> Step<'a> {
    pub(super) fn of(operation: &'a Operation) -> Result<Self, Error> {
        Ok(match operation {
            Operation::Upsert(item) => Self {
                operation: "upsert",
                request: Entry::of_save(item)?,
            },
            Operation::Delete(item) => Self {
                operation: "delete",
                request: Entry::new(&item.key, None, &item.options),
            },
        })
    }
}

#[derive(Deserialize)]
pub(super) struct BulkEntry<'a> {
    key: String,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    etag: Option<String>,
    #[serde(default)]
    metadata: Option<Pairs>,
    #[serde(default)]
    error: Option<String>,
}

impl BulkEntry<'_> {
    pub(super) fn into_item(self, body: &Bytes) -> BulkItem {
        let item = self.data.map(|data| Item {
            data: body.slice_ref(data.get().as_bytes()),
            etag: self.etag.filter(|etag| !etag.is_empty()),
            metadata: self.metadata.unwrap_or_default(),
        });
        BulkItem {
            key: self.key,
            item,
            error: self.error.filter(|error| !error.is_empty()),
        }
    }
}
