//! State.

mod json;

use bytes::Bytes;
use http::{
    HeaderValue, Method, StatusCode,
    header::{ETAG, IF_MATCH},
};
use outrigger_transport::Body;
use outrigger_wire_names::{headers::METADATA_PREFIX, routes};

use crate::{
    Client, Error, Pairs,
    exchange::{Told, request},
    path::PathBuilder,
};
use json::{BulkEntry, Entry, Step, Transaction};

pub(crate) use json::{raw, to_json};

/// How two writers of one key meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Concurrency {
    /// Nothing is said: the last writer wins, unless an ETag is given.
    #[default]
    Unspecified,
    /// The first writer wins: a write without the current ETag fails where there is a value.
    FirstWrite,
    /// The last writer wins.
    LastWrite,
}

/// How far a write must have gone before it is answered, or how fresh a read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consistency {
    /// Nothing is said: the store's own default.
    #[default]
    Unspecified,
    /// As soon as one replica has it.
    Eventual,
    /// Only when every replica that counts has it.
    Strong,
}

impl Concurrency {
    fn word(self) -> &'static str {
        match self {
            Self::Unspecified => "",
            Self::FirstWrite => "first-write",
            Self::LastWrite => "last-write",
        }
    }
}

impl Consistency {
    fn word(self) -> &'static str {
        match self {
            Self::Unspecified => "",
            Self::Eventual => "eventual",
            Self::Strong => "strong",
        }
    }
}

/// How to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// How fresh the answer must be.
    pub consistency: Consistency,
    /// For the component.
    pub metadata: Pairs,
}

/// How to write or remove.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WriteOptions {
    /// The version that must be there now.
    pub etag: Option<String>,
    /// How two writers meet.
    pub concurrency: Concurrency,
    /// How far the write must have gone.
    pub consistency: Consistency,
    /// For the component, such as `ttlInSeconds`.
    pub metadata: Pairs,
}

/// A stored value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The value's bytes.
    pub data: Bytes,
    /// Its version, where the store keeps versions.
    pub etag: Option<String>,
    /// What the component tells of it, such as `ttlExpireTime`.
    pub metadata: Pairs,
}

/// One answer of a bulk read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkItem {
    /// The key.
    pub key: String,
    /// What is stored; `None` when there is nothing.
    pub item: Option<Item>,
    /// Why this key could not be read.
    pub error: Option<String>,
}

/// A value to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveItem {
    /// The key.
    pub key: String,
    /// One JSON value.
    pub value: Bytes,
    /// How to write it.
    pub options: WriteOptions,
}

impl SaveItem {
    /// A value to write under `key`, which must be one JSON value.
    pub fn new(key: impl Into<String>, json: impl Into<Bytes>) -> Self {
        Self {
            key: key.into(),
            value: json.into(),
            options: WriteOptions::default(),
        }
    }
}

/// A key to remove.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeleteItem {
    /// The key.
    pub key: String,
    /// How to remove it.
    pub options: WriteOptions,
}

/// One step of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Write a key.
    Upsert(SaveItem),
    /// Remove a key.
    Delete(DeleteItem),
}

impl Client {
    /// The value of a key; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Refused`] when the sidecar has no such store or the store failed.
    pub async fn get_state(
        &self,
        store: &str,
        key: &str,
        options: &ReadOptions,
    ) -> Result<Option<Item>, Error> {
        let path = state_path(store)
            .segment(key)
            .parameter("consistency", options.consistency.word())
            .metadata(&options.metadata);
        let told = self
            .ask(Method::GET, path.into_string(), None, "read state")
            .await?;
        // Without a value the sidecar answers 204.
        Ok((told.status == StatusCode::OK).then(|| item(told)))
    }

    /// The values of many keys, `parallelism` of them read at a time (0: the store's default).
    ///
    /// # Errors
    /// [`Error::Refused`] when nothing could be read; what is wrong with one key stands in its answer.
    pub async fn get_bulk_state(
        &self,
        store: &str,
        keys: &[&str],
        parallelism: usize,
        metadata: &Pairs,
    ) -> Result<Vec<BulkItem>, Error> {
        let body = serde_json::json!({"keys": keys, "parallelism": parallelism, "metadata": metadata});
        let path = state_path(store).segment(routes::BULK).into_string();
        let told = self
            .ask(
                Method::POST,
                path,
                Some(body.to_string().into()),
                "read state in bulk",
            )
            .await?;
        let entries: Vec<BulkEntry<'_>> =
            serde_json::from_slice(&told.body).map_err(|error| Error::Decode {
                what: "the answer to a bulk read".into(),
                source: error.into(),
            })?;
        Ok(entries
            .into_iter()
            .map(|entry| entry.into_item(&told.body))
            .collect())
    }

    /// Writes values, each on its own.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::is_conflict`] tells that an ETag did not match. [`Error::Encode`] when a value is not
    /// JSON.
    pub async fn save_state(&self, store: &str, items: &[SaveItem]) -> Result<(), Error> {
        let entries: Result<Vec<_>, Error> = items.iter().map(Entry::of_save).collect();
        let body = to_json(&entries?, "state")?;
        let path = state_path(store).into_string();
        self.ask(Method::POST, path, Some(body), "write state")
            .await
            .map(drop)
    }

    /// Removes a key. Removing what is not there is no error, unless an ETag says that it must be.
    ///
    /// # Errors
    /// As [`Client::save_state`].
    pub async fn delete_state(&self, store: &str, item: &DeleteItem) -> Result<(), Error> {
        let options = &item.options;
        let path = state_path(store)
            .segment(&item.key)
            .parameter("concurrency", options.concurrency.word())
            .parameter("consistency", options.consistency.word())
            .metadata(&options.metadata);
        let mut request = request(Method::DELETE, &path.into_string(), Body::empty())?;
        if let Some(etag) = &options.etag {
            let value = HeaderValue::from_str(etag)
                .map_err(|_| Error::Input(format!("the ETag {etag:?} cannot stand in a header")))?;
            request.headers_mut().insert(IF_MATCH, value);
        }
        self.ask_with(request, "remove state").await.map(drop)
    }

    /// Applies operations, all or none.
    ///
    /// # Errors
    /// [`Error::Refused`] when none was applied, whatever the cause.
    pub async fn transact_state(
        &self,
        store: &str,
        operations: &[Operation],
        metadata: &Pairs,
    ) -> Result<(), Error> {
        let operations: Result<Vec<_>, Error> = operations.iter().map(Step::of).collect();
        let body = to_json(&Transaction::new(operations?, metadata), "a transaction")?;
        let path = state_path(store).segment(routes::TRANSACTION).into_string();
        self.ask(Method::POST, path, Some(body), "commit a state transaction")
            .await
            .map(drop)
    }
}

fn state_path(store: &str) -> PathBuilder {
    PathBuilder::new(&[routes::V1, routes::STATE]).segment(store)
}

fn item(told: Told) -> Item {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    let metadata = told.headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix(METADATA_PREFIX)?;
        Some((name.to_owned(), text(value)?))
    });
    Item {
        etag: told
            .headers
            .get(ETAG)
            .and_then(text)
            .filter(|etag| !etag.is_empty()),
        metadata: metadata.collect(),
        data: told.body,
    }
}
