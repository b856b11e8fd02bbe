//! Publishing.

use bytes::Bytes;
use http::HeaderMap;
use outrigger_base_telemetry::trace::{SpanKind, TraceContext};
use outrigger_client::{BulkEvent, FailedEvent, Pairs};
use outrigger_runtime_api::{Api, BulkItem, BulkPublishRequest, PublishRequest};
use outrigger_wire_names::{content, pubsub as names};
use serde::Serialize;

use super::{Backend, Handle, convert};
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
    /// [`Error::Encode`] when the value cannot be JSON.
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
        match &self.backend {
            Backend::Embedded(api) => {
                let span = api.tracer().start(
                    || format!("{}{topic}", names::SPAN_PREFIX).into(),
                    self.context().as_ref(),
                    SpanKind::Producer,
                );
                let request = PublishRequest {
                    pubsub: pubsub.to_owned(),
                    topic: topic.to_owned(),
                    data: data.into(),
                    content_type: options.content_type().to_owned(),
                    metadata: options.metadata,
                    trace: span.context().clone(),
                };
                api.publish(request).await.map_err(convert::refused)
            }
            Backend::Sidecar(client) => {
                let kind = options.content_type();
                client
                    .publish(pubsub, topic, data, kind, &options.metadata, self.trace_headers())
                    .await
            }
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
            Backend::Embedded(api) => self.publish_into(api, pubsub, topic, events.collect()).await?,
            Backend::Sidecar(client) => {
                let events: Vec<_> = events.collect();
                client
                    .publish_bulk(pubsub, topic, &events, &Pairs::new(), self.trace_headers())
                    .await?
            }
        };
        let position = |event: FailedEvent| Some((event.id.parse().ok()?, event.error));
        Ok(failed.into_iter().filter_map(position).collect())
    }

    async fn publish_into(
        &self,
        api: &Api,
        pubsub: &str,
        topic: &str,
        events: Vec<BulkEvent>,
    ) -> Result<Vec<FailedEvent>, Error> {
        let items = events.into_iter().map(|event| BulkItem {
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
            trace: self.context().unwrap_or_default(),
        };
        let answer = api.publish_bulk(request).await.map_err(convert::refused)?;
        let failed = answer.failed.into_iter();
        Ok(failed.map(|(id, error)| FailedEvent { id, error }).collect())
    }

    fn context(&self) -> Option<TraceContext> {
        self.trace.as_ref()?.context()
    }

    fn trace_headers(&self) -> HeaderMap {
        let mut map = HeaderMap::new();
        if let Some(trace) = &self.trace {
            trace.add_to(&mut map);
        }
        map
    }
}

fn encode<T: Serialize + ?Sized>(topic: &str, event: &T) -> Result<Bytes, Error> {
    let text = serde_json::to_vec(event).map_err(|error| Error::Encode {
        what: format!("an event for {topic:?}").into(),
        source: error.into(),
    })?;
    Ok(text.into())
}
