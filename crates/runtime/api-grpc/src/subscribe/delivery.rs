//! The runtime's own deliveries as the source of streams.

use async_trait::async_trait;
use outrigger_runtime_api::Error;
use outrigger_runtime_channel::EventVerdict;
use outrigger_runtime_delivery::{StreamSubscription, Subscriptions};

use super::{EventStream, StreamEvent, StreamSubscriber, StreamTopic};

#[async_trait]
impl StreamSubscriber for Subscriptions {
    async fn subscribe(&self, topic: StreamTopic) -> Result<Box<dyn EventStream>, Error> {
        let StreamTopic {
            pubsub,
            topic,
            metadata,
            dead_letter_topic,
        } = topic;
        let opened = self
            .open_stream(&pubsub, &topic, metadata, dead_letter_topic)
            .await?;
        Ok(Box::new(opened))
    }
}

#[async_trait]
impl EventStream for StreamSubscription {
    async fn next(&mut self) -> Option<StreamEvent> {
        let event = Self::next(self).await?;
        Some(StreamEvent {
            event: event.event,
            path: event.path,
        })
    }

    fn answer(&self, id: &str, verdict: EventVerdict) {
        // An answer that nobody waits for is logged there.
        Self::answer(self, id, verdict);
    }
}
