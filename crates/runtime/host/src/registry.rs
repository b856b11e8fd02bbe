//! How each type of component is opened.

use std::{collections::BTreeMap, fmt, future::Future, pin::Pin, sync::Arc};

use outrigger_block_kit::{Context, OpenError, Properties};
use outrigger_block_pubsub::Broker;
use outrigger_block_secret::SecretStore;
use outrigger_block_state::Store;
use outrigger_resource_manifest::ComponentType;

/// An opening under way.
pub type Opening<T> = Pin<Box<dyn Future<Output = Result<Arc<T>, OpenError>> + Send>>;

/// Opens one type of component.
pub type Factory<T> = Arc<dyn Fn(Context, Properties) -> Opening<T> + Send + Sync>;

/// Opens a state store.
pub type StateFactory = Factory<dyn Store>;
/// Opens a broker.
pub type BrokerFactory = Factory<dyn Broker>;
/// Opens a secret store.
pub type SecretFactory = Factory<dyn SecretStore>;

/// Every type of component that this program can open.
#[derive(Clone, Default)]
pub struct Registry {
    state: BTreeMap<String, StateFactory>,
    brokers: BTreeMap<String, BrokerFactory>,
    secrets: BTreeMap<String, SecretFactory>,
}

impl Registry {
    /// A registry that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a state store under the names after `state.`.
    #[must_use]
    pub fn state<F, R>(mut self, names: &[&str], open: F) -> Self
    where
        F: Fn(Context, Properties) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Arc<dyn Store>, OpenError>> + Send + 'static,
    {
        let factory: StateFactory = Arc::new(move |context, properties| Box::pin(open(context, properties)));
        self.state
            .extend(names.iter().map(|name| ((*name).to_owned(), factory.clone())));
        self
    }

    /// Adds a broker under the names after `pubsub.`.
    #[must_use]
    pub fn broker<F, R>(mut self, names: &[&str], open: F) -> Self
    where
        F: Fn(Context, Properties) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Arc<dyn Broker>, OpenError>> + Send + 'static,
    {
        let factory: BrokerFactory = Arc::new(move |context, properties| Box::pin(open(context, properties)));
        self.brokers
            .extend(names.iter().map(|name| ((*name).to_owned(), factory.clone())));
        self
    }

    /// Adds a secret store under the names after `secretstores.`.
    #[must_use]
    pub fn secrets<F, R>(mut self, names: &[&str], open: F) -> Self
    where
        F: Fn(Context, Properties) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Arc<dyn SecretStore>, OpenError>> + Send + 'static,
    {
        let factory: SecretFactory = Arc::new(move |context, properties| Box::pin(open(context, properties)));
        self.secrets
            .extend(names.iter().map(|name| ((*name).to_owned(), factory.clone())));
        self
    }

    pub(crate) fn find(&self, type_: &ComponentType, version: &str) -> Option<Found<'_>> {
        // None of the components here has a second version; all of these select the first (components.md §0.1).
        if !matches!(version, "" | "v0" | "v1") {
            return None;
        }
        let name = type_.name.to_ascii_lowercase();
        match type_.category.to_ascii_lowercase().as_str() {
            "state" => self.state.get(&name).map(Found::State),
            "pubsub" => self.brokers.get(&name).map(Found::Broker),
            "secretstores" => self.secrets.get(&name).map(Found::Secret),
            _ => None,
        }
    }

    /// Full names of all types, for messages and lists.
    pub fn types(&self) -> Vec<String> {
        let state = self.state.keys().map(|name| format!("state.{name}"));
        let brokers = self.brokers.keys().map(|name| format!("pubsub.{name}"));
        let secrets = self.secrets.keys().map(|name| format!("secretstores.{name}"));
        state.chain(brokers).chain(secrets).collect()
    }
}

/// How a component is opened, by its building block.
pub(crate) enum Found<'r> {
    State(&'r StateFactory),
    Broker(&'r BrokerFactory),
    Secret(&'r SecretFactory),
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.types()).finish()
    }
}
