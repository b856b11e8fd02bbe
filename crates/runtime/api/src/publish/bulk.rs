//! Publishing many messages in one request.

use std::collections::HashSet;

use bytes::Bytes;
use outrigger_base_std::chain;
use outrigger_base_telemetry::trace::TraceContext;
use outrigger_block_pubsub::{BulkEntry, BulkPublish, Metadata, envelope};
use outrigger_runtime_host::PubSub;
use tokio::time::Instant;

use crate::{Api, Error, error::About};

/// One message of a bulk request.
#[derive(Debug, Clone, Default)]
pub struct BulkItem {
    /// The caller's name for it, unique in the request.
    pub id: String,
    /// The payload.
    pub data: Bytes,
    /// What the payload is.
    pub content_type: String,
    /// Component metadata of this message; laid over the request's.
    pub metadata: Metadata,
}

/// Many messages that an app wants published to one topic.
#[derive(Debug, Clone, Default)]
pub struct BulkPublishRequest {
    /// The broker component.
    pub pubsub: String,
    /// The topic.
    pub topic: String,
    /// The messages.
    pub items: Vec<BulkItem>,
    /// Component metadata of the request.
    pub metadata: Metadata,
    /// The trace that the publishing request belongs to.
    pub trace: TraceContext,
}

/// What became of a bulk request: nothing failed, or these did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BulkAnswer {
    /// Names of the messages that were not published, and why.
    pub failed: Vec<(String, String)>,
    /// The error that stands for them all; `None` when nothing failed.
    pub error: Option<Error>,
}

impl Api {
    /// Publishes many messages. An error means that none was tried; what failed on the way stands in the answer.
    pub async fn publish_bulk(&self, mut request: BulkPublishRequest) -> Result<BulkAnswer, Error> {
        let pubsub = self.broker(&request.pubsub, &request.topic)?;
        let about = self.about(&request.pubsub, &request.topic);
        if !pubsub.scopes.may_publish(&request.topic) {
            return Err(about.forbidden());
        }
        let raw = envelope::is_raw_payload(&request.metadata)
            .map_err(|error| about.metadata(&error.to_string()))?;
        check_ids(&request.items).map_err(|reason| about.marshal_events(reason))?;
        let items = std::mem::take(&mut request.items);
        let total = items.len();
        let entries: Result<Vec<_>, Error> = items
            .into_iter()
            .map(|item| self.bulk_entry(&pubsub, item, &request, raw, about))
            .collect();
        let message = BulkPublish {
            topic: pubsub.broker_topic(&request.topic),
            entries: entries?,
            metadata: request.metadata.clone(),
        };
        let ids: Vec<String> = message.entries.iter().map(|entry| entry.id.clone()).collect();
        let start = Instant::now();
        let outcome = pubsub.broker.bulk_publish(message).await;
        let failed = match outcome {
            Ok(failures) => failures
                .into_iter()
                .map(|failure| (failure.id, chain(&failure.error)))
                .collect(),
            Err(error) => ids.into_iter().map(|id| (id, chain(&error))).collect::<Vec<_>>(),
        };
        let published = total - failed.len().min(total);
        self.metrics().published_bulk(
            &request.pubsub,
            &request.topic,
            failed.is_empty(),
            published,
            start,
        );
        let error = failed.first().map(|(_, reason)| about.publish(reason));
        Ok(BulkAnswer { failed, error })
    }

    /// The error for a bulk body that cannot be read.
    pub fn bulk_unreadable(&self, pubsub: &str, topic: &str, reason: &str) -> Error {
        self.about(pubsub, topic).unmarshal_events(reason)
    }

    /// The error for an entry of a bulk body whose event is not what its content type says.
    pub fn bulk_mismatch(&self, pubsub: &str, topic: &str, reason: &str) -> Error {
        self.about(pubsub, topic).marshal_envelope(reason)
    }

    fn bulk_entry(
        &self,
        pubsub: &PubSub,
        mut item: BulkItem,
        request: &BulkPublishRequest,
        raw: bool,
        about: About<'_>,
    ) -> Result<BulkEntry, Error> {
        for (name, value) in &request.metadata {
            item.metadata.entry(name.clone()).or_insert_with(|| value.clone());
        }
        let (data, content_type) = if raw {
            (item.data, item.content_type)
        } else {
            let id = outrigger_base_clock::uuid_v4(&*self.host().entropy).to_string();
            let wrapped = self.envelope(
                pubsub,
                &id,
                &request.topic,
                &item.data,
                &item.content_type,
                &item.metadata,
                &request.trace,
            );
            let wrapped = wrapped.map_err(|error| about.cloud_event(&error.to_string()))?;
            // The envelope says what its data is, as for a single message.
            (wrapped, String::new())
        };
        Ok(BulkEntry {
            id: item.id,
            data,
            content_type,
            metadata: item.metadata,
        })
    }
}

fn check_ids(items: &[BulkItem]) -> Result<(), &'static str> {
    let mut seen = HashSet::with_capacity(items.len());
    let unique = items
        .iter()
        .all(|item| !item.id.is_empty() && seen.insert(item.id.as_str()));
    unique
        .then_some(())
        .ok_or("entryId is duplicated or not present for entry")
}
