//! State, typed.

mod update;

use std::{collections::HashMap, sync::Arc};

use outrigger_client::{Concurrency, DeleteItem, Item, Pairs, ReadOptions, SaveItem, WriteOptions};
use outrigger_wire_names::trace as names;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Backend, Transaction, convert,
    local::finish,
    name::{self, given},
};
use crate::Error;

/// Keys of a bulk read that are read at a time: 0 leaves it to the store.
const STORE_DEFAULT: usize = 0;

/// A state store. Values are JSON; keys are the app's own, and cannot hold `||`.
#[derive(Debug, Clone)]
pub struct StateStore {
    backend: Backend,
    store: Arc<str>,
}

/// A value with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The value.
    pub value: T,
    /// Its version; empty where the store keeps none.
    pub etag: String,
}

impl StateStore {
    pub(super) fn new(backend: Backend, store: Arc<str>) -> Self {
        Self { backend, store }
    }

    /// The value of a key; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such store or it failed, [`Error::Decode`] when the value is no `T`,
    /// [`Error::Input`] when the key or the store's name is empty.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        let item = self.read(key, ReadOptions::default()).await?;
        item.map(|item| self.decode(key, &item.data)).transpose()
    }

    /// The value of a key with its version, for a write that must not overwrite what it has not seen.
    ///
    /// # Errors
    /// As [`StateStore::get`].
    pub async fn get_versioned<T: DeserializeOwned>(&self, key: &str) -> Result<Option<Versioned<T>>, Error> {
        let Some(item) = self.read(key, ReadOptions::default()).await? else {
            return Ok(None);
        };
        Ok(Some(Versioned {
            value: self.decode(key, &item.data)?,
            etag: item.etag.unwrap_or_default(),
        }))
    }

    /// The values of many keys, in the order asked.
    ///
    /// # Errors
    /// As [`StateStore::get`], for the first key that could not be read.
    pub async fn get_many<T: DeserializeOwned>(&self, keys: &[&str]) -> Result<Vec<Option<T>>, Error> {
        keys.iter().try_for_each(|key| self.names(key))?;
        let mut read: HashMap<String, Item> = HashMap::with_capacity(keys.len());
        match &self.backend {
            Backend::Embedded(local) => {
                let span = local.storing("GetBulkState", names::STATE, &self.store);
                let asked = keys.iter().map(|key| (*key).to_owned()).collect();
                let answers = local
                    .api
                    .get_bulk_state(&self.store, asked, STORE_DEFAULT, Default::default());
                for answer in finish(span, answers.await)? {
                    self.no_error(&answer.key, answer.error)?;
                    read.extend(answer.item.map(|item| (answer.key, convert::item(item))));
                }
            }
            Backend::Sidecar(client, _) => {
                let none = Pairs::new();
                let answers = client.get_bulk_state(&self.store, keys, STORE_DEFAULT, &none);
                for answer in answers.await? {
                    self.no_error(&answer.key, answer.error)?;
                    read.extend(answer.item.map(|item| (answer.key, item)));
                }
            }
        }
        let value = |key: &&str| {
            let item = read.get(*key);
            item.map(|item| self.decode(key, &item.data)).transpose()
        };
        keys.iter().map(value).collect()
    }

    fn no_error(&self, key: &str, error: Option<String>) -> Result<(), Error> {
        match error {
            None => Ok(()),
            Some(error) => Err(Error::Decode {
                what: format!("the value of {key:?} in {}", self.store).into(),
                source: error.into(),
            }),
        }
    }

    /// Writes a value, over whatever is there.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such store or it failed, [`Error::Encode`] when the value cannot be JSON,
    /// [`Error::Input`] when the key or the store's name is empty.
    pub async fn set<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<(), Error> {
        self.set_with(key, value, WriteOptions::default()).await
    }

    /// Writes a value where none is there yet.
    ///
    /// # Errors
    /// As [`StateStore::set`]; [`Error::is_conflict`] when there is a value.
    pub async fn create<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<(), Error> {
        let options = WriteOptions {
            concurrency: Concurrency::FirstWrite,
            ..WriteOptions::default()
        };
        self.set_with(key, value, options).await
    }

    /// Writes a value where the one that is there has the version `etag`.
    ///
    /// # Errors
    /// As [`StateStore::set`]; [`Error::is_conflict`] when the value has another version.
    pub async fn set_if<T: Serialize + ?Sized>(&self, key: &str, value: &T, etag: &str) -> Result<(), Error> {
        self.set_with(key, value, first_write(etag)).await
    }

    /// Writes a value with options: time to live (`ttlInSeconds` of the metadata), consistency, version.
    ///
    /// # Errors
    /// As [`StateStore::set_if`].
    pub async fn set_with<T: Serialize + ?Sized>(
        &self,
        key: &str,
        value: &T,
        options: WriteOptions,
    ) -> Result<(), Error> {
        self.names(key)?;
        let item = SaveItem {
            key: key.to_owned(),
            value: encode(key, value)?.into(),
            options,
        };
        match &self.backend {
            Backend::Embedded(local) => {
                let span = local.storing("SaveState", names::STATE, &self.store);
                let saved = local.api.save_state(&self.store, vec![convert::set(item)]);
                finish(span, saved.await)
            }
            Backend::Sidecar(client, _) => client.save_state(&self.store, &[item]).await,
        }
    }

    /// Removes a key. Removing what is not there is no error.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such store or it failed, [`Error::Input`] when the key or the store's name is
    /// empty.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        self.delete_with(key, WriteOptions::default()).await
    }

    /// Removes a key whose value has the version `etag`.
    ///
    /// # Errors
    /// As [`StateStore::delete`]; [`Error::is_conflict`] when the value has another version or is gone.
    pub async fn delete_if(&self, key: &str, etag: &str) -> Result<(), Error> {
        self.delete_with(key, first_write(etag)).await
    }

    /// Removes a key with options.
    ///
    /// # Errors
    /// As [`StateStore::delete_if`].
    pub async fn delete_with(&self, key: &str, options: WriteOptions) -> Result<(), Error> {
        self.names(key)?;
        let item = DeleteItem {
            key: key.to_owned(),
            options,
        };
        match &self.backend {
            Backend::Embedded(local) => {
                let span = local.storing("DeleteState", names::STATE, &self.store);
                let deleted = local.api.delete_state(&self.store, convert::delete(item));
                finish(span, deleted.await)
            }
            Backend::Sidecar(client, _) => client.delete_state(&self.store, &item).await,
        }
    }

    /// Several writes and removals that happen together or not at all.
    pub fn transaction(&self) -> Transaction {
        Transaction::new(self.backend.clone(), self.store.clone())
    }

    /// Refuses an operation that does not say on what.
    fn names(&self, key: &str) -> Result<(), Error> {
        given(name::STATE_STORE, &self.store)?;
        given(name::KEY, key)
    }

    async fn read(&self, key: &str, options: ReadOptions) -> Result<Option<Item>, Error> {
        self.names(key)?;
        match &self.backend {
            Backend::Embedded(local) => {
                let span = local.storing("GetState", names::STATE, &self.store);
                let got = local.api.get_state(&self.store, convert::get(key, options));
                Ok(finish(span, got.await)?.map(convert::item))
            }
            Backend::Sidecar(client, _) => client.get_state(&self.store, key, &options).await,
        }
    }

    fn decode<T: DeserializeOwned>(&self, key: &str, data: &[u8]) -> Result<T, Error> {
        serde_json::from_slice(data).map_err(|error| Error::Decode {
            what: format!("the value of {key:?} in {}", self.store).into(),
            source: error.into(),
        })
    }
}

/// A write that must see the version `etag`; without one there must be no value.
fn first_write(etag: &str) -> WriteOptions {
    WriteOptions {
        etag: Some(etag.to_owned()).filter(|etag| !etag.is_empty()),
        concurrency: Concurrency::FirstWrite,
        ..WriteOptions::default()
    }
}

pub(super) fn encode<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| Error::Encode {
        what: format!("the value for {key:?}").into(),
        source: error.into(),
    })
}
