//! The transactional outbox (dapr-runtime.md §3.4): what a transaction writes is published if and only if it happens.
//!
//! Before the transaction, each write is announced as an event on an internal topic; the transaction carries a marker for
//! each announcement. Whoever gets an announcement looks for its marker: once it is there the event goes to the topic that
//! the store names, and the marker is removed. So a crash anywhere in between repeats something or leaves an announcement
//! without a marker, and neither loses nor invents an event.

mod carrier;
mod event;

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use outrigger_base_std::{BoxError, go};
use outrigger_base_telemetry::trace::TraceContext;
use outrigger_block_pubsub::{Metadata, Publish};
use outrigger_block_state::{Operation, Options, SetRequest, Value};
use outrigger_runtime_api::Outbox;
use outrigger_runtime_host::{Host, Identity, OutboxSettings};
use outrigger_wire_names::pubsub as words;

pub(crate) use carrier::Carrier;

/// Announces transactions.
#[derive(Debug)]
pub(crate) struct Announcer {
    host: Arc<Host>,
}

impl Announcer {
    pub(crate) fn new(host: Arc<Host>) -> Self {
        Self { host }
    }
}

#[async_trait]
impl Outbox for Announcer {
    async fn announce(
        &self,
        settings: &OutboxSettings,
        operations: Vec<Operation>,
        trace: &TraceContext,
    ) -> Result<Vec<Operation>, BoxError> {
        let (mut kept, projections) = split(operations);
        let mut markers = Vec::new();
        for operation in &kept {
            let Operation::Set(set) = operation else { continue };
            let id = outrigger_base_clock::uuid_v4(&*self.host.entropy);
            let marker = format!("{}{id}", words::OUTBOX_MARKER_PREFIX);
            let shown = projections.get(&set.key).unwrap_or(set);
            let announcement = event::Announcement {
                marker: &marker,
                shown,
                attributes: &set.metadata,
                settings,
                trace,
            };
            let message = Publish {
                topic: topic(&self.host.identity, settings),
                data: announcement.event(&self.host)?,
                content_type: None,
                metadata: Metadata::new(),
            };
            publish(&self.host, &settings.outbox_pubsub, message).await?;
            markers.push(mark(marker));
        }
        kept.extend(markers);
        Ok(kept)
    }
}

/// What is committed, and by key what is published in its place.
fn split(operations: Vec<Operation>) -> (Vec<Operation>, HashMap<String, SetRequest>) {
    let mut kept = Vec::with_capacity(operations.len() * 2);
    let mut projections = HashMap::new();
    for operation in operations {
        match operation {
            Operation::Set(set) if is_projection(&set) => {
                projections.insert(set.key.clone(), set);
            }
            other => kept.push(other),
        }
    }
    (kept, projections)
}

fn is_projection(set: &SetRequest) -> bool {
    set.metadata
        .get(words::OUTBOX_PROJECTION)
        .is_some_and(|value| go::is_truthy(value))
}

/// The write of a marker. Its key has no prefix: whoever carries the announcement knows it by its id only.
fn mark(key: String) -> Operation {
    Operation::Set(SetRequest {
        key,
        value: Value::Json(words::OUTBOX_MARKER.into()),
        etag: None,
        options: Options::default(),
        metadata: Metadata::new(),
    })
}

/// The topic of announcements.
pub(crate) fn topic(identity: &Identity, settings: &OutboxSettings) -> String {
    let (namespace, app_id) = (&identity.namespace, &identity.app_id);
    let topic = &settings.publish_topic;
    format!("{namespace}{app_id}{topic}{}", words::OUTBOX_TOPIC_SUFFIX)
}

/// Why something of an outbox could not be published.
#[derive(Debug, thiserror::Error)]
enum PublishError {
    #[error("pubsub {0} is not found")]
    NoBroker(String),
    #[error("topic {topic} is not allowed for app id {app_id}")]
    Forbidden { topic: String, app_id: String },
    #[error("error when publishing to topic {topic} in pubsub {pubsub}")]
    Broker {
        topic: String,
        pubsub: String,
        source: outrigger_block_pubsub::Error,
    },
}

/// Publishes as the app, with its rights.
async fn publish(host: &Host, pubsub: &str, mut message: Publish) -> Result<(), PublishError> {
    let broker = host.snapshot().pubsub(pubsub).cloned();
    let broker = broker.ok_or_else(|| PublishError::NoBroker(pubsub.to_owned()))?;
    let topic = message.topic;
    if !broker.scopes.may_publish(&topic) {
        let app_id = host.identity.app_id.to_string();
        return Err(PublishError::Forbidden { topic, app_id });
    }
    message.topic = broker.broker_topic(&topic);
    let published = broker.broker.publish(message).await;
    published.map_err(|source| PublishError::Broker {
        topic,
        pubsub: pubsub.to_owned(),
        source,
    })
}
