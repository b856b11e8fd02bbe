//! From an announcement to the topic: only with a marker.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use outrigger_base_std::chain;
use outrigger_block_pubsub::{Delivery, Handler, Message, Metadata, Nack, Publish};
use outrigger_block_state::{Consistency, DeleteRequest, GetRequest, Store};
use outrigger_resilience::Backoff;
use outrigger_runtime_host::{Host, OutboxSettings};
use outrigger_wire_names::cloud_event;
use serde_json::value::to_raw_value;
use tokio::time::{Instant, sleep};

use super::{event::Attributes, publish};
use crate::life::Life;

/// Time that a transaction has to be committed after its announcement before the marker is looked for again. Dapr's.
const COMMIT_TIME: Duration = Duration::from_secs(1);

/// Pauses between later looks, and between attempts to remove a marker. Dapr's.
const PAUSES: Backoff = Backoff::Exponential {
    initial: Duration::from_millis(500),
    factor: 3.0,
    max: Duration::from_secs(3),
};

/// Time for all of them. Dapr's.
const PATIENCE: Duration = Duration::from_secs(10);

/// By how much a pause is longer or shorter, so that many do not ask at once. Dapr's.
const JITTER: f64 = 0.1;

/// Carries the announcements of one store.
#[derive(Debug)]
pub(crate) struct Carrier {
    host: Arc<Host>,
    store: Arc<str>,
    settings: OutboxSettings,
    life: Life,
}

#[async_trait]
impl Handler for Carrier {
    async fn handle(&self, delivery: Delivery) -> Result<(), Nack> {
        let carrying = self.carry(&delivery.message);
        let carried = self.life.cut.run_until(carrying).await;
        carried.unwrap_or_else(|| {
            Err(Nack(
                "the subscription ended before the event was published".to_owned(),
            ))
        })
    }
}

impl Carrier {
    pub(crate) fn new(host: Arc<Host>, store: Arc<str>, settings: OutboxSettings, life: Life) -> Self {
        Self {
            host,
            store,
            settings,
            life,
        }
    }

    async fn carry(&self, message: &Message) -> Result<(), Nack> {
        let unreadable = |problem: String| Nack(format!("cannot read an outbox message: {problem}"));
        let mut event: Attributes =
            serde_json::from_slice(&message.data).map_err(|error| unreadable(error.to_string()))?;
        let id = event
            .get(cloud_event::ID)
            .map(|id| serde_json::from_str(id.get()));
        let Some(Ok(marker)) = id else {
            return Err(unreadable("it has no id".to_owned()));
        };
        let marker: String = marker;
        let state = self.host.snapshot().state(&self.store).cloned();
        let state = state.ok_or_else(|| {
            let store = &self.store;
            Nack(format!("cannot get outbox state: state store {store} not found"))
        })?;
        if let Err(problem) = self.committed(&*state.store, &marker).await {
            return self.missing(problem);
        }
        for (name, value) in [
            (cloud_event::TOPIC, &self.settings.publish_topic),
            (cloud_event::PUBSUB_NAME, &self.settings.publish_pubsub),
        ] {
            let value = to_raw_value(value).map_err(|error| unreadable(error.to_string()))?;
            event.insert(name.to_owned(), value);
        }
        self.publish(&event).await?;
        self.forget(&*state.store, &marker).await
    }

    /// Waits until the marker is there; the error says what was there instead.
    async fn committed(&self, store: &dyn Store, marker: &str) -> Result<(), String> {
        let mut pauses = PAUSES.delays();
        let mut pause = COMMIT_TIME;
        let start = Instant::now();
        loop {
            let request = GetRequest {
                key: marker.to_owned(),
                consistency: Consistency::Unspecified,
                metadata: Metadata::new(),
            };
            let problem = match store.get(request).await {
                Ok(Some(item)) if !item.data.is_empty() => return Ok(()),
                Ok(_) => {
                    let OutboxSettings {
                        publish_topic,
                        publish_pubsub,
                        ..
                    } = &self.settings;
                    format!(
                        "cannot publish outbox message to topic {publish_topic} with pubsub {publish_pubsub}: outbox state not found"
                    )
                }
                Err(error) => chain(&error),
            };
            if start.elapsed() + pause > COMMIT_TIME + PATIENCE {
                return Err(problem);
            }
            sleep(pause).await;
            pause = self.jittered(pauses.next().unwrap_or(PATIENCE));
        }
    }

    /// An announcement whose transaction did not happen, or of which nobody can know.
    fn missing(&self, problem: String) -> Result<(), Nack> {
        let pubsub = &self.settings.publish_pubsub;
        if self.settings.discard_when_missing {
            tracing::error!(
                "failed to publish outbox topic to pubsub {pubsub}: {problem}, discarding message"
            );
            return Ok(());
        }
        tracing::error!(
            "failed to publish outbox topic to pubsub {pubsub}: {problem}, rejecting for later processing"
        );
        Err(Nack(problem))
    }

    async fn publish(&self, event: &Attributes) -> Result<(), Nack> {
        let data = serde_json::to_vec(event).map_err(|error| Nack(error.to_string()))?;
        let message = Publish {
            topic: self.settings.publish_topic.clone(),
            data: data.into(),
            // An event says what its data is.
            content_type: None,
            metadata: Metadata::new(),
        };
        let published = publish(&self.host, &self.settings.publish_pubsub, message).await;
        published.map_err(|error| Nack(chain(&error)))
    }

    /// Removes the marker. Where that fails the announcement comes again, and so does its event.
    async fn forget(&self, store: &dyn Store, marker: &str) -> Result<(), Nack> {
        let start = Instant::now();
        let mut pauses = PAUSES.delays();
        loop {
            let request = DeleteRequest {
                key: marker.to_owned(),
                ..DeleteRequest::default()
            };
            let Err(error) = store.delete(request).await else {
                return Ok(());
            };
            let pause = self.jittered(pauses.next().unwrap_or(PATIENCE));
            if start.elapsed() + pause > PATIENCE {
                return Err(Nack(format!("cannot remove an outbox marker: {}", chain(&error))));
            }
            sleep(pause).await;
        }
    }

    fn jittered(&self, pause: Duration) -> Duration {
        let chance = outrigger_base_clock::fraction(&*self.host.entropy);
        pause.mul_f64(1.0 + JITTER * (2.0 * chance - 1.0))
    }
}
