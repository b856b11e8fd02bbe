//! Publish operations.

mod bulk;

use bytes::Bytes;
use outrigger_base_std::chain;
use outrigger_base_telemetry::trace::TraceContext;
use outrigger_block_pubsub::{Metadata, Publish, envelope};
use outrigger_runtime_host::PubSub;
use outrigger_wire_names::cloud_event;
use tokio::time::Instant;

use crate::{Api, Error, error::About};

pub use bulk::{BulkAnswer, BulkItem, BulkPublishRequest};

/// One message that an app wants published.
#[derive(Debug, Clone)]
pub struct PublishRequest {
    /// The broker component.
    pub pubsub: String,
    /// The topic.
    pub topic: String,
    /// The payload as the app gave it.
    pub data: Bytes,
    /// What the payload is; empty where nothing was said.
    pub content_type: String,
    /// Component metadata.
    pub metadata: Metadata,
    /// The trace that the publishing request belongs to.
    pub trace: TraceContext,
}

impl Api {
    /// Publishes one message: in an envelope, unless metadata asks for it raw.
    pub async fn publish(&self, request: PublishRequest) -> Result<(), Error> {
        let pubsub = self.broker(&request.pubsub, &request.topic)?;
        let about = self.about(&request.pubsub, &request.topic);
        if !pubsub.scopes.may_publish(&request.topic) {
            return Err(about.forbidden());
        }
        let raw = envelope::is_raw_payload(&request.metadata)
            .map_err(|error| about.metadata(&error.to_string()))?;
        let (data, content_type, metadata) = if raw {
            let content_type = Some(request.content_type).filter(|kind| !kind.is_empty());
            (
                request.data,
                content_type,
                with_trace(request.metadata, &request.trace),
            )
        } else {
            // The envelope says what its data is. A broker that carried the data's own type as the message's would have
            // an envelope around bytes taken for bytes.
            (self.wrap(&pubsub, &request, about)?, None, request.metadata)
        };
        let message = Publish {
            topic: pubsub.broker_topic(&request.topic),
            data,
            content_type,
            metadata,
        };
        let start = Instant::now();
        let published = pubsub.broker.publish(message).await;
        self.metrics()
            .published(&request.pubsub, &request.topic, published.is_ok(), start);
        published.map_err(|error| {
            self.about(&request.pubsub, &request.topic)
                .publish(&chain(&error))
        })
    }

    /// Checks that there is such a broker and a topic was named, in the order in which clients see the errors.
    pub fn check_topic(&self, pubsub: &str, topic: &str) -> Result<(), Error> {
        self.broker(pubsub, topic).map(drop)
    }

    /// The error for a broker that is not there, where a face needs it without an operation.
    pub fn pubsub_not_found(&self, pubsub: &str) -> Error {
        self.about(pubsub, "").not_found()
    }

    fn wrap(&self, pubsub: &PubSub, request: &PublishRequest, about: About<'_>) -> Result<Bytes, Error> {
        let id = outrigger_base_clock::uuid_v4(&*self.host().entropy).to_string();
        self.envelope(
            pubsub,
            &id,
            &request.topic,
            &request.data,
            &request.content_type,
            &request.metadata,
            &request.trace,
        )
        .map_err(|error| about.cloud_event(&error.to_string()))
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "the parts of two different requests, borrowed from each"
    )]
    fn envelope(
        &self,
        pubsub: &PubSub,
        id: &str,
        topic: &str,
        data: &Bytes,
        content_type: &str,
        metadata: &Metadata,
        trace: &TraceContext,
    ) -> Result<Bytes, envelope::EnvelopeError> {
        let now = self.host().clock.now();
        let parent = trace.is_valid().then(|| trace.traceparent());
        envelope::wrap(&envelope::WrapRequest {
            id,
            source: &self.host().identity.app_id,
            event_type: "",
            subject: "",
            topic,
            pubsub_name: &pubsub.name,
            data,
            content_type,
            trace_parent: parent.as_ref().map_or("", |parent| parent.as_str()),
            trace_state: trace.tracestate().unwrap_or_default(),
            time: now,
            expiration: envelope::expiration(metadata, pubsub.broker.features(), now),
            metadata,
        })
    }

    fn broker(&self, pubsub: &str, topic: &str) -> Result<PubSub, Error> {
        let about = self.about(pubsub, topic);
        let snapshot = self.host().snapshot();
        if pubsub.is_empty() {
            return Err(about.name_empty());
        }
        let found = snapshot.pubsub(pubsub).cloned();
        let found = found.ok_or_else(|| {
            if snapshot.has_pubsub() {
                about.not_found()
            } else {
                about.not_configured()
            }
        })?;
        if topic.is_empty() {
            return Err(about.topic_empty());
        }
        Ok(found)
    }

    pub(crate) fn about<'a>(&'a self, pubsub: &'a str, topic: &'a str) -> About<'a> {
        About {
            pubsub,
            topic,
            app_id: &self.host().identity.app_id,
        }
    }
}

/// A message without an envelope has its trace beside it, where there is one.
fn with_trace(mut metadata: Metadata, trace: &TraceContext) -> Metadata {
    let parent = trace.is_valid().then(|| trace.traceparent());
    let parent = parent.as_ref().map_or("", |parent| parent.as_str());
    let state = trace.tracestate().unwrap_or_default();
    for (name, text) in [(cloud_event::TRACE_ID, parent), (cloud_event::TRACE_STATE, state)] {
        if !text.is_empty() {
            metadata.insert(name.to_owned(), text.to_owned());
        }
    }
    metadata
}
