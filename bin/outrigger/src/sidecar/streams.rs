//! Streaming subscriptions: the delivery room, as the gRPC face asks for it.

use async_trait::async_trait;
use outrigger_runtime_api::Error;
use outrigger_runtime_api_grpc::{EventStream, StreamEvent, StreamSubscriber, StreamTopic};
use outrigger_runtime_channel::EventVerdict;
use outrigger_runtime_delivery::{StreamSubscription, Subscriptions};

/// Opens streams at the delivery room.
#[derive(Debug)]
pub(crate) struct Streams(pub(crate) Subscriptions);

#[async_trait]
impl StreamSubscriber for Streams {
    async fn subscribe(&self, topic: StreamTopic) -> Result<Box<dyn EventStream>, Error> {
        let StreamTopic {
            pubsub,
            topic,
            metadata,
            dead_letter_topic,
        } = topic;
        let stream = self
            .0
            .open_stream(&pubsub, &topic, metadata, dead_letter_topic)
            .await?;
        Ok(Box::new(Stream(stream)))
    }
}

struct Stream(StreamSubscription);

#[async_trait]
impl EventStream for Stream {
    async fn next(&mut self) -> Option<StreamEvent> {
        self.0.next().await.map(|event| StreamEvent {
            event: event.event,
            path: event.path,
        })
    }

    fn answer(&self, id: &str, verdict: EventVerdict) {
        // An answer that nobody waits for has been logged.
        let _ = self.0.answer(id, verdict);
    }
}
