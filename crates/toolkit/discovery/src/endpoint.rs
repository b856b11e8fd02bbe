//! What a name resolves to.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

/// The instances of a name, shared: handing them out copies a pointer.
pub type Endpoints = Arc<[Endpoint]>;

/// One instance that serves a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where it listens.
    pub address: SocketAddr,
    /// What else the resolver knows about it.
    pub metadata: Metadata,
}

/// Facts about an instance that its resolver passes on, text to text. Cheap to clone, and free when empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(Option<Arc<BTreeMap<String, String>>>);

// === impl Endpoint ===

impl Endpoint {
    /// An instance of which only the address is known.
    pub const fn new(address: SocketAddr) -> Self {
        Self {
            address,
            metadata: Metadata(None),
        }
    }

    /// The same instance with `metadata`.
    #[must_use]
    pub fn with_metadata(self, metadata: Metadata) -> Self {
        Self { metadata, ..self }
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self::new(address)
    }
}

// === impl Metadata ===

impl Metadata {
    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.as_ref()?.get(key).map(String::as_str)
    }

    /// Every pair, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .flat_map(|map| map.iter())
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let map: BTreeMap<String, String> = pairs
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()))
            .collect();
        Self((!map.is_empty()).then(|| Arc::new(map)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_keeps_its_pairs_by_key_and_is_nothing_without_any() {
        let metadata = Metadata::from_iter([("zone", "b"), ("build", "7")]);
        assert_eq!(
            metadata.iter().collect::<Vec<_>>(),
            [("build", "7"), ("zone", "b")]
        );
        assert_eq!((metadata.get("zone"), metadata.get("rack")), (Some("b"), None));
        let none = Metadata::from_iter::<[(&str, &str); 0]>([]);
        assert!(none.is_empty() && none == Metadata::default());
    }
}
