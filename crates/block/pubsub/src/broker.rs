//! The traits that a broker implements, and the one it calls.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};

use crate::{BulkFailure, BulkPublish, Error, Message, Publish, Subscribe};

/// A feature that a broker declares; names on the wire are mapped elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// Messages can be told to end; otherwise the runtime puts an expiration into the envelope.
    MessageTtl,
    /// A subscription's topic may be a pattern.
    SubscribeWildcards,
    /// Many messages go in one round trip.
    BulkPublish,
}

/// Why a message was not processed. What happens next is the broker's rule: redelivery, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Nack(pub String);

/// Singles that a default bulk publish keeps in flight.
const BULK_PARALLELISM: usize = 16;

/// What a broker does with a message that arrives: it calls this and acknowledges on `Ok`, after it was answered.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Handles one delivery.
    async fn handle(&self, delivery: Delivery) -> Result<(), Nack>;
}

/// A message and what the broker knows of this delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// How often it was delivered before, where the broker counts.
    pub redeliveries: u32,
}

impl From<Message> for Delivery {
    fn from(message: Message) -> Self {
        Self {
            message,
            redeliveries: 0,
        }
    }
}

/// A message broker.
#[async_trait]
pub trait Broker: Send + Sync + fmt::Debug {
    /// What the broker can do.
    fn features(&self) -> &[Feature];

    /// Whether the broker answers now.
    async fn ping(&self) -> Result<(), Error>;

    /// Publishes one message. Done means that the broker has it, durable where the broker is.
    async fn publish(&self, message: Publish) -> Result<(), Error>;

    /// Publishes many; the failures, in no order. The default sends singles side by side.
    async fn bulk_publish(&self, request: BulkPublish) -> Result<Vec<BulkFailure>, Error> {
        let BulkPublish {
            topic,
            entries,
            metadata,
        } = request;
        let sends = entries.into_iter().map(|entry| {
            let mut all = metadata.clone();
            all.extend(entry.metadata);
            let message = Publish {
                topic: topic.clone(),
                data: entry.data,
                content_type: Some(entry.content_type).filter(|kind| !kind.is_empty()),
                metadata: all,
            };
            async move {
                self.publish(message)
                    .await
                    .err()
                    .map(|error| BulkFailure { id: entry.id, error })
            }
        });
        Ok(stream::iter(sends)
            .buffer_unordered(BULK_PARALLELISM)
            .filter_map(|failure| async { failure })
            .collect()
            .await)
    }

    /// Begins to deliver a topic to `handler`. Returns when the subscription stands: what is published later arrives.
    async fn subscribe(
        &self,
        request: Subscribe,
        handler: Arc<dyn Handler>,
    ) -> Result<Box<dyn Subscription>, Error>;

    /// Ends every subscription and lets go of connections.
    async fn close(&self);
}

/// A standing subscription. Dropping it ends it without waiting.
#[async_trait]
pub trait Subscription: Send + Sync {
    /// Takes no further message; returns when those in hand are answered and acknowledged. Unhandled ones stay with the broker.
    async fn close(&self);
}
