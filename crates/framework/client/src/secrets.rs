//! Secrets.

use std::collections::BTreeMap;

use http::Method;
use outrigger_base_std::Secret;
use outrigger_wire_names::routes;

use crate::{Client, Error, Pairs, path::PathBuilder};

/// One secret: its keys and their texts. A flat store has one key, the secret's own name.
pub type Keys = BTreeMap<String, Secret>;

/// Secrets by their names.
pub type Secrets = BTreeMap<String, Keys>;

type Texts = BTreeMap<String, String>;

impl Client {
    /// One secret.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such store or secret, or the app may not see it.
    pub async fn get_secret(&self, store: &str, name: &str, metadata: &Pairs) -> Result<Keys, Error> {
        let texts: Texts = self.secrets(store, name, metadata).await?;
        Ok(keys(texts))
    }

    /// Every secret that the app may see.
    ///
    /// # Errors
    /// As [`Client::get_secret`].
    pub async fn get_bulk_secret(&self, store: &str, metadata: &Pairs) -> Result<Secrets, Error> {
        let all: BTreeMap<String, Texts> = self.secrets(store, routes::BULK, metadata).await?;
        Ok(all.into_iter().map(|(name, texts)| (name, keys(texts))).collect())
    }

    async fn secrets<T>(&self, store: &str, name: &str, metadata: &Pairs) -> Result<T, Error>
    where
        T: serde::de::DeserializeOwned + Default,
    {
        let path = PathBuilder::new(&[routes::V1, routes::SECRETS])
            .segment(store)
            .segment(name)
            .metadata(metadata);
        let told = self
            .ask(Method::GET, path.into_string(), None, "read a secret")
            .await?;
        if told.body.is_empty() {
            return Ok(T::default());
        }
        serde_json::from_slice(&told.body).map_err(|error| Error::Decode {
            what: "the answer of a secret store".into(),
            source: error.into(),
        })
    }
}

fn keys(texts: Texts) -> Keys {
    texts.into_iter().map(|(key, text)| (key, text.into())).collect()
}
