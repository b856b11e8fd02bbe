//! Open components with what the runtime knows of each.

use std::sync::Arc;

use outrigger_block_kit::Properties;
use outrigger_block_pubsub::{Broker, Feature, TopicScopes};
use outrigger_block_secret::SecretStore;
use outrigger_block_state::{KeyPrefix, Store};
use outrigger_resource_manifest::configuration::SecretScope;
use outrigger_wire_names::pubsub as words;

/// An open state store.
#[derive(Debug, Clone)]
pub struct State {
    /// The component's name.
    pub name: Arc<str>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// What stands before every key of this app.
    pub prefix: KeyPrefix,
    /// Where its transactions are announced, if they are.
    pub outbox: Option<OutboxSettings>,
}

/// Where the transactions of a state store are announced (dapr-runtime.md §3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxSettings {
    /// The broker that events are published to.
    pub publish_pubsub: String,
    /// The topic that events are published to.
    pub publish_topic: String,
    /// The broker that carries announcements until their transaction is known.
    pub outbox_pubsub: String,
    /// Whether an announcement is dropped whose transaction did not happen, instead of given back to the broker.
    pub discard_when_missing: bool,
}

impl OutboxSettings {
    /// What the store's properties say; there is an outbox only where broker and topic are both named.
    pub fn of(properties: &Properties) -> Option<Self> {
        let publish_pubsub = properties.non_empty(words::OUTBOX_PUBLISH_PUBSUB)?;
        let publish_topic = properties.non_empty(words::OUTBOX_PUBLISH_TOPIC)?;
        let outbox_pubsub = properties.non_empty(words::OUTBOX_PUBSUB);
        Some(Self {
            publish_pubsub: publish_pubsub.to_owned(),
            publish_topic: publish_topic.to_owned(),
            outbox_pubsub: outbox_pubsub.unwrap_or(publish_pubsub).to_owned(),
            discard_when_missing: properties.flag(words::OUTBOX_DISCARD),
        })
    }
}

/// An open broker.
#[derive(Debug, Clone)]
pub struct PubSub {
    /// The component's name.
    pub name: Arc<str>,
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// Who may publish and subscribe to what.
    pub scopes: TopicScopes,
    /// What stands before every topic: the namespace, where the component is scoped to it.
    pub topic_prefix: Arc<str>,
}

impl PubSub {
    /// Whether the broker has a feature.
    pub fn has(&self, feature: Feature) -> bool {
        self.broker.features().contains(&feature)
    }

    /// The topic as the broker sees it.
    pub fn broker_topic(&self, topic: &str) -> String {
        if self.topic_prefix.is_empty() {
            topic.to_owned()
        } else {
            format!("{}{topic}", self.topic_prefix)
        }
    }
}

/// An open secret store.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// The component's name.
    pub name: Arc<str>,
    /// The store.
    pub store: Arc<dyn SecretStore>,
    /// Which secrets this app may see (dapr-runtime.md §6.6); all of them without a rule.
    pub scope: Option<SecretScope>,
}

impl Secrets {
    /// Whether the app may see a secret.
    pub fn permits(&self, secret: &str) -> bool {
        self.scope.as_ref().is_none_or(|scope| scope.allows(secret))
    }
}
