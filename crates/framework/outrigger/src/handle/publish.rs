//! Publishing.

use bytes::Bytes;
use outrigger_base_telemetry::trace::Status;
use outrigger_client::{BulkEvent, FailedEvent, Pairs};
use outrigger_runtime_api::{BulkItem, BulkPublishRequest, PublishRequest};
use outrigger_wire_names::content;
use serde::Serialize;

use super::{
    Backend, Handle,
    local::{Local, finish},
    name::{self, given},
};
use crate::Error;

/// How an event is published.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublishOptions {
    /// What the payload is; JSON where nothing is said.
    pub content_type: Option<String>,
    /// For the component and the envelope: `ttlInSeconds`, `cloudevent.type`, `rawPayload`, …
    pub metadata: Pairs,
}

impl PublishOptions {
    fn content_type(&self) -> &str {
        self.content_type.as_deref().unwrap_or(content::JSON)
    }
}

impl Handle {
    /// Publishes a value as the JSON data of an event. It is published once the broker has it.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such broker, the topic is out of scope, or the broker failed;
    /// [`Error::Encode`] when the value cannot be JSON, [`Error::Input`] when the topic or the broker's name is empty.
    pub async fn publish<T: Serialize + ?Sized>(
        &self,
        pubsub: &str,
        topic: &str,
        event: &T,
    ) -> Result<(), Error> {
        let data = encode(topic, event)?;
        self.publish_bytes(pubsub, topic, data, PublishOptions::default())
            .await
    }

    /// Publishes a payload that is written already, with options.
    ///
    /// # Errors
    /// As [`Handle::publish`].
    pub async fn publish_bytes(
        &self,
        pubsub: &str,
        topic: &str,
        data: impl Into<Bytes>,
        options: PublishOptions,
    ) -> Result<(), Error> {
        destination(pubsub, topic)?;
        let kind = options.content_type();
        match &self.backend {
            Backend::Embedded(local) => {
                let span = local.publishing("PublishEvent", topic);
                let request = PublishRequest {
                    pubsub: pubsub.to_owned(),
                    topic: topic.to_owned(),
                    data: data.into(),
                    content_type: kind.to_owned(),
                    metadata: options.metadata,
                    trace: span.context().clone(),
                };
                finish(span, local.api.publish(request).await)
            }
            Backend::Sidecar(client, _) => client.publish(pubsub, topic, data, kind, &options.metadata).await,
        }
    }

    /// Publishes many values; gives back the positions of those that were not published, and why.
    ///
    /// # Errors
    /// As [`Handle::publish`], when none was tried.
    pub async fn publish_all<T: Serialize>(
        &self,
        pubsub: &str,
        topic: &str,
        events: &[T],
    ) -> Result<Vec<(usize, String)>, Error> {
        destination(pubsub, topic)?;
        let encoded: Result<Vec<_>, Error> = events.iter().map(|event| encode(topic, event)).collect();
        let events = encoded?
            .into_iter()
            .enumerate()
            .map(|(position, data)| BulkEvent {
                id: position.to_string(),
                data,
                content_type: content::JSON.to_owned(),
                metadata: Pairs::new(),
            });
        let failed = match &self.backend {
            Backend::Embedded(local) => publish_into(local, pubsub, topic, events).await?,
            Backend::Sidecar(client, _) => {
                let events: Vec<_> = events.collect();
                client.publish_bulk(pubsub, topic, &events, &Pairs::new()).await?
            }
        };
        let position = |event: FailedEvent| Some((event.id.parse().ok()?, event.error));
        Ok(failed.into_iter().filter_map(position).collect())
    }
}

/// Refuses an event that does not say where to.
fn destination(pubsub: &str, topic: &str) -> Result<(), Error> {
    given(name::BROKER, pubsub)?;
    given(name::TOPIC, topic)
}

async fn publish_into(
    local: &Local,
    pubsub: &str,
    topic: &str,
    events: impl Iterator<Item = BulkEvent>,
) -> Result<Vec<FailedEvent>, Error> {
    let mut span = local.publishing("BulkPublishEvent", topic);
    let items = events.map(|event| BulkItem {
        id: event.id,
        data: event.data,
        content_type: event.content_type,
        metadata: event.metadata,
    });
    let request = BulkPublishRequest {
        pubsub: pubsub.to_owned(),
        topic: topic.to_owned(),
        items: items.collect(),
        metadata: Pairs::new(),
        trace: span.context().clone(),
    };
    let done = local.api.publish_bulk(request).await;
    if let Some(error) = done.as_ref().ok().and_then(|answer| answer.error.as_ref()) {
        span.status(|| Status::Error(error.message.clone().into()));
    }
    let answer = finish(span, done)?;
    let failed = answer.failed.into_iter();
    Ok(failed.map(|(id, error)| FailedEvent { id, error }).collect())
}

fn encode<T: Serialize + ?Sized>(topic: &str, event: &T) -> Result<Bytes, Error> {
    let text = serde_json::to_vec(event).map_err(|error| Error::Encode {
        what: format!("an event for {topic:?}").into(),
        source: error.into(),
    })?;
    Ok(text.into())
}
