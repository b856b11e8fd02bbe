//! What is open at one moment.

use std::{collections::HashMap, sync::Arc};

use outrigger_resource_manifest::Subscription;

use crate::{HttpEndpoint, PubSub, Secrets, State};

/// A component as the metadata API shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentInfo {
    /// Its name.
    pub name: String,
    /// Its full type.
    pub type_: String,
    /// Its version as written in the manifest.
    pub version: String,
    /// What it can do, by the names on the wire.
    pub capabilities: Vec<&'static str>,
}

/// A component that did not open and was passed over (`ignoreErrors`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedComponent {
    /// Its name.
    pub name: String,
    /// Its full type.
    pub type_: String,
    /// Whether there was something to open: a type that is known, and not denied.
    pub is_known: bool,
}

/// What is open at one moment. Never changed: a change makes another one.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    pub(crate) state: HashMap<Arc<str>, State>,
    pub(crate) pubsub: HashMap<Arc<str>, PubSub>,
    pub(crate) secrets: HashMap<Arc<str>, Secrets>,
    /// Every open component, in the order in which they were opened.
    pub components: Vec<ComponentInfo>,
    /// Components that are not among them, though they should be.
    pub failed: Vec<FailedComponent>,
    /// Declared subscriptions.
    pub subscriptions: Vec<Subscription>,
    /// Services outside the mesh, by name.
    pub http_endpoints: Vec<HttpEndpoint>,
}

impl Snapshot {
    /// The state store of that name.
    pub fn state(&self, name: &str) -> Option<&State> {
        self.state.get(name)
    }

    /// Every state store, in no order.
    pub fn states(&self) -> impl Iterator<Item = &State> {
        self.state.values()
    }

    /// Whether there is any state store.
    pub fn has_state(&self) -> bool {
        !self.state.is_empty()
    }

    /// The broker of that name.
    pub fn pubsub(&self, name: &str) -> Option<&PubSub> {
        self.pubsub.get(name)
    }

    /// Whether there is any broker.
    pub fn has_pubsub(&self) -> bool {
        !self.pubsub.is_empty()
    }

    /// The secret store of that name.
    pub fn secrets(&self, name: &str) -> Option<&Secrets> {
        self.secrets.get(name)
    }

    /// Whether there is any secret store.
    pub fn has_secrets(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// The service outside the mesh of that name.
    pub fn http_endpoint(&self, name: &str) -> Option<&HttpEndpoint> {
        self.http_endpoints.iter().find(|endpoint| endpoint.name == name)
    }

    /// Closes every component: brokers first, so that nothing is delivered into a store that is gone.
    pub async fn close(&self) {
        futures_util::future::join_all(self.pubsub.values().map(|pubsub| pubsub.broker.close())).await;
        futures_util::future::join_all(self.state.values().map(|state| state.store.close())).await;
        futures_util::future::join_all(self.secrets.values().map(|secrets| secrets.store.close())).await;
    }
}
