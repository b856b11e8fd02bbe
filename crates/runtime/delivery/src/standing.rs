//! A subscription at its broker, from the first attempt to its end: one task.

use std::{sync::Arc, time::Duration};

use futures_util::poll;
use outrigger_base_std::chain;
use outrigger_base_task::{StopSignal, TaskSet};
use outrigger_block_pubsub::{Error, Handler, Metadata, Subscribe, Subscription};
use outrigger_resilience::Backoff;
use outrigger_runtime_host::PubSub;
use tokio::sync::oneshot;

use crate::life::Life;

/// Time that what is in hand has to be answered once a subscription closes. Dapr's bound.
const DRAIN_TIME: Duration = Duration::from_secs(30);

/// Pauses between attempts at a broker that refuses a subscription: it may be down for long, and nobody waits.
const SUBSCRIBE_PAUSES: Backoff = Backoff::Exponential {
    initial: Duration::from_millis(500),
    factor: 1.5,
    max: Duration::from_secs(60),
};

/// A subscription that is to stand.
pub(crate) struct Standing {
    pub(crate) pubsub: PubSub,
    /// The topic as the app named it.
    pub(crate) topic: Arc<str>,
    pub(crate) metadata: Metadata,
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) life: Life,
    /// Whether a broker that refuses is asked again.
    pub(crate) persistent: bool,
}

impl Standing {
    /// Starts the task. The answer tells how the first attempt went.
    pub(crate) fn start(self, tasks: &TaskSet) -> (Life, oneshot::Receiver<Result<(), Error>>) {
        let life = self.life.clone();
        let (first, answer) = oneshot::channel();
        let name = format!("subscription {} of {}", self.topic, self.pubsub.name);
        // However the task ends, whoever waits for it hears of it.
        let ended = Ended(life.ended.clone());
        tasks.spawn(name, async move {
            self.run(first).await;
            drop(ended);
        });
        (life, answer)
    }

    async fn run(self, first: oneshot::Sender<Result<(), Error>>) {
        let life = &self.life;
        if let Some(subscription) = self.subscribe(first).await {
            life.over().await;
            close(subscription, life, &self.topic).await;
        }
        life.cut.stop();
    }

    /// Asks the broker until it agrees; `None` when it is over before that.
    async fn subscribe(&self, first: oneshot::Sender<Result<(), Error>>) -> Option<Box<dyn Subscription>> {
        let (name, topic) = (&self.pubsub.name, &self.topic);
        let error = match self.attempt().await? {
            Ok(subscription) => {
                // Nobody may wait for it.
                let _ = first.send(Ok(()));
                return Some(subscription);
            }
            Err(error) => error,
        };
        if !self.persistent {
            let _ = first.send(Err(error));
            return None;
        }
        tracing::error!(
            "Failed to start subscription for pubsub {name}, topic {topic}: failed to subscribe to topic {topic}: {}",
            chain(&error)
        );
        let _ = first.send(Err(error));
        for pause in SUBSCRIBE_PAUSES.delays() {
            self.life.closing.run_until(tokio::time::sleep(pause)).await?;
            match self.attempt().await? {
                Ok(subscription) => {
                    tracing::info!(
                        "Successfully started subscription after retry for pubsub {name}, topic {topic}"
                    );
                    return Some(subscription);
                }
                Err(error) => tracing::error!(
                    "Retry failed for subscription pubsub {name}, topic {topic}: {}. Will retry.",
                    chain(&error)
                ),
            }
        }
        None
    }

    async fn attempt(&self) -> Option<Result<Box<dyn Subscription>, Error>> {
        let request = Subscribe {
            topic: self.pubsub.broker_topic(&self.topic),
            metadata: self.metadata.clone(),
        };
        let subscribing = self.pubsub.broker.subscribe(request, self.handler.clone());
        self.life.closing.run_until(subscribing).await
    }
}

/// Says that it is over.
struct Ended(StopSignal);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Ends the intake, waits for what is in hand, and lets go.
async fn close(subscription: Box<dyn Subscription>, life: &Life, topic: &str) {
    let mut closing = subscription.close();
    // The first step tells the broker; only then may anybody give up on a message (see `Life`).
    let mut closed = poll!(&mut closing).is_ready();
    life.told.stop();
    if !closed {
        closed = tokio::select! {
            drained = tokio::time::timeout(DRAIN_TIME, &mut closing) => drained.is_ok(),
            // Whoever should answer has left: what is in hand goes back at once.
            () = life.gone.stopped() => false,
        };
    }
    life.cut.stop();
    if closed {
        return;
    }
    if !life.gone.is_stopped() {
        tracing::warn!(
            "drain exceeded {DRAIN_TIME:?}; messages in hand on topic {topic} go back to the broker"
        );
    }
    // With nobody waiting any longer this takes the broker's own time only.
    if tokio::time::timeout(DRAIN_TIME, closing).await.is_err() {
        tracing::warn!("the broker did not end the subscription of topic {topic} in time; it is left");
    }
}
