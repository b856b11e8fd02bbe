//! A subscription at its broker, from the first attempt to its end: one task.

use std::{sync::Arc, time::Duration};

use futures_util::poll;
use outrigger_base_std::chain;
use outrigger_base_task::{StopSignal, TaskSet};
use outrigger_block_pubsub::{Error, Handler, Subscribe, Subscription};
use outrigger_resilience::Backoff;
use outrigger_runtime_channel::AppChannel;
use tokio::sync::oneshot;

use crate::{
    bulk::{self, Batching},
    courier::Courier,
    life::Life,
};

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
    pub(crate) courier: Arc<Courier>,
    /// Delivery in bulk, and to whom.
    pub(crate) bulk: Option<(Batching, Arc<dyn AppChannel>)>,
    pub(crate) request: Subscribe,
    /// Whether a broker that refuses is asked again.
    pub(crate) persistent: bool,
}

impl Standing {
    /// Starts the task. The answer tells how the first attempt went.
    pub(crate) fn start(self, tasks: &TaskSet) -> (Life, oneshot::Receiver<Result<(), Error>>) {
        let life = self.courier.life.clone();
        let (first, answer) = oneshot::channel();
        let name = format!(
            "subscription {} of {}",
            self.courier.topic, self.courier.pubsub.name
        );
        // However the task ends, whoever waits for it hears of it.
        let ended = Ended(life.ended.clone());
        let owner = tasks.clone();
        tasks.spawn(name, async move {
            self.run(first, &owner).await;
            drop(ended);
        });
        (life, answer)
    }

    async fn run(self, first: oneshot::Sender<Result<(), Error>>, tasks: &TaskSet) {
        let handler = self.handler(tasks);
        let life = &self.courier.life;
        if let Some(subscription) = self.subscribe(handler, first).await {
            life.over().await;
            close(subscription, life, &self.courier.topic).await;
        }
        life.cut.stop();
    }

    fn handler(&self, tasks: &TaskSet) -> Arc<dyn Handler> {
        match &self.bulk {
            None => self.courier.clone(),
            Some((batching, channel)) => {
                let (handler, batches) = bulk::gather(self.courier.clone(), channel.clone(), *batching);
                tasks.spawn(format!("batches of {}", self.courier.topic), batches);
                handler
            }
        }
    }

    /// Asks the broker until it agrees; `None` when it is over before that.
    async fn subscribe(
        &self,
        handler: Arc<dyn Handler>,
        first: oneshot::Sender<Result<(), Error>>,
    ) -> Option<Box<dyn Subscription>> {
        let (name, topic) = (&self.courier.pubsub.name, &self.courier.topic);
        let error = match self.attempt(&handler).await? {
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
            let closing = &self.courier.life.closing;
            closing.run_until(tokio::time::sleep(pause)).await?;
            match self.attempt(&handler).await? {
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

    async fn attempt(&self, handler: &Arc<dyn Handler>) -> Option<Result<Box<dyn Subscription>, Error>> {
        let subscribing = self
            .courier
            .pubsub
            .broker
            .subscribe(self.request.clone(), handler.clone());
        self.courier.life.closing.run_until(subscribing).await
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
