//! A standing subscription: its tasks, and their end.

use std::sync::Arc;

use async_trait::async_trait;
use outrigger_base_task::StopSignal;
use outrigger_block_pubsub::{Error, Handler, Subscription};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::{
    RedisBroker, ack,
    flow::{Flow, Source, Spawner},
    hand::Hand,
    keep, read, reclaim,
};

/// How a subscription ends: told to, then awaited.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    signal: StopSignal,
    tracker: TaskTracker,
}

impl Ending {
    /// No further message is taken.
    pub(super) fn begin(&self) {
        self.signal.stop();
        self.tracker.close();
    }

    /// Waits until those in hand are answered and acknowledged.
    pub(super) async fn complete(&self) {
        self.tracker.wait().await;
    }

    /// Whether nothing of it is left.
    pub(super) fn is_over(&self) -> bool {
        self.tracker.is_empty()
    }
}

/// A standing subscription.
#[derive(Debug)]
pub(super) struct RedisSubscription(Ending);

impl RedisSubscription {
    pub(super) fn ending(&self) -> Ending {
        self.0.clone()
    }
}

#[async_trait]
impl Subscription for RedisSubscription {
    async fn close(&self) {
        self.0.begin();
        self.0.complete().await;
    }
}

impl Drop for RedisSubscription {
    fn drop(&mut self) {
        self.0.begin();
    }
}

/// Makes the group and starts the tasks.
pub(super) async fn start(
    broker: &RedisBroker,
    topic: &str,
    handler: Arc<dyn Handler>,
) -> Result<RedisSubscription, Error> {
    let source = Source {
        link: broker.link.clone(),
        topic: topic.into(),
        consumer: broker.options.consumer.as_str().into(),
    };
    read::make_group(&source)
        .await
        .map_err(|fault| fault.into_pubsub("make the consumer group of a topic in Redis"))?;
    let ending = Ending {
        signal: broker.tasks.signal().child(),
        tracker: TaskTracker::new(),
    };
    let spawner = Spawner {
        tasks: broker.tasks.clone(),
        tracker: ending.tracker.clone(),
    };
    spawn_all(broker, source, handler, &ending.signal, spawner);
    Ok(RedisSubscription(ending))
}

/// The reader and the claimer feed the flow; its handlers feed the acknowledger, which ends when all of them have.
fn spawn_all(
    broker: &RedisBroker,
    source: Source,
    handler: Arc<dyn Handler>,
    signal: &StopSignal,
    spawner: Spawner,
) {
    let options = &broker.options;
    let (acks, finished) = mpsc::channel(ack::QUEUE);
    let (hand, over) = (Arc::new(Hand::default()), StopSignal::default());
    let name = |what: &str| format!("redis {what} of {}", source.topic);
    if let Some(every) = options.redelivery.and_then(|redelivery| redelivery.renew) {
        spawner.spawn(
            name("renewal"),
            keep::run(source.clone(), hand.clone(), every, over.clone()),
        );
    }
    let acknowledger = ack::run(source.clone(), signal.clone(), finished);
    spawner.spawn(name("acknowledgement"), async move {
        acknowledger.await;
        over.stop();
    });
    let flow = Arc::new(Flow {
        handler,
        permits: broker.handlers.clone(),
        limit: options.redelivery.map(|redelivery| redelivery.after),
        hand,
        acks,
        signal: signal.clone(),
        spawner: spawner.clone(),
        task: name("message").into(),
        source: source.clone(),
    });
    if let Some(redelivery) = options.redelivery {
        spawner.spawn(
            name("redelivery"),
            reclaim::run(flow.clone(), redelivery, options.depth),
        );
    }
    spawner.spawn(
        name("reading"),
        read::run(flow, read::reading_link(&broker.link), options.depth),
    );
}
