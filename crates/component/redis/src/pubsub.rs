//! `pubsub.redis`: the broker (components.md §2.2).
//!
//! One stream for each topic, named as the topic; entries with the fields `data` and, where there is any, `metadata`
//! (a JSON map). A subscription reads as a consumer group; group and consumer are both named `consumerID`.
//!
//! A message whose handler ends is acknowledged, whether it succeeded or not: trying again is for resiliency policies.
//! It stays pending, to be delivered again, when its handler passed `processingTimeout`, when it failed while the
//! subscription was closing, or when we died; whoever shares the group then claims it (every `redeliverInterval`).
//! What was read and not begun when a subscription ends can be claimed at once.
//! What we hold is kept from being claimed (`entryKeepAliveInterval`; by default a third of `processingTimeout`).

mod ack;
mod entry;
mod flow;
mod hand;
mod keep;
mod options;
mod publish;
mod read;
mod reclaim;
mod subscription;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use outrigger_base_clock::Clock;
use outrigger_base_task::TaskSet;
use outrigger_block_kit::{Context, OpenError, Properties};
use outrigger_block_pubsub::{
    Broker, BulkFailure, BulkPublish, Error, Feature, Handler, Publish, Subscribe, Subscription,
};
use tokio::sync::Semaphore;

use crate::{
    link::Link,
    settings::{Kind, Settings},
};
use options::Options;
use subscription::Ending;

/// Opens the broker: connects.
pub async fn broker(context: Context, properties: Properties) -> Result<Arc<dyn Broker>, OpenError> {
    let options = Options::new(&properties, &context.app_id)?;
    let link = Link::open(Settings::new(&properties, Kind::PubSub)?, &context).await?;
    Ok(Arc::new(RedisBroker {
        link,
        handlers: Arc::new(Semaphore::new(options.concurrency)),
        options: Arc::new(options),
        clock: context.clock,
        tasks: context.tasks,
        standing: Mutex::default(),
    }))
}

/// The broker.
#[derive(Debug)]
struct RedisBroker {
    link: Link,
    options: Arc<Options>,
    /// One for each handler that may run at once, on whatever topic.
    handlers: Arc<Semaphore>,
    clock: Arc<dyn Clock>,
    tasks: TaskSet,
    standing: Mutex<Standing>,
}

/// The subscriptions that stand.
#[derive(Debug, Default)]
struct Standing {
    /// The broker takes no further one.
    closed: bool,
    /// Those that have not ended, to be closed with the broker.
    endings: Vec<Ending>,
}

impl RedisBroker {
    /// Keeps a new subscription, to be closed with the broker. One that comes after the close is refused.
    fn remember(&self, ending: Ending) -> Result<(), Error> {
        let mut standing = self.standing();
        if standing.closed {
            return Err(Error::Closed);
        }
        standing.endings.retain(|ending| !ending.is_over());
        standing.endings.push(ending);
        Ok(())
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Broker for RedisBroker {
    fn features(&self) -> &[Feature] {
        &[]
    }

    async fn ping(&self) -> Result<(), Error> {
        self.link
            .ping()
            .await
            .map_err(|fault| fault.into_pubsub("ping Redis"))
    }

    async fn publish(&self, message: Publish) -> Result<(), Error> {
        publish::one(self, &message).await
    }

    async fn bulk_publish(&self, request: BulkPublish) -> Result<Vec<BulkFailure>, Error> {
        publish::many(self, &request).await
    }

    async fn subscribe(
        &self,
        request: Subscribe,
        handler: Arc<dyn Handler>,
    ) -> Result<Box<dyn Subscription>, Error> {
        if self.standing().closed {
            return Err(Error::Closed);
        }
        let subscription = subscription::start(self, &request.topic, handler).await?;
        self.remember(subscription.ending())?;
        Ok(Box::new(subscription))
    }

    async fn close(&self) {
        // Also when the wait is given up: then the last acknowledgements would try for nothing, and for ever.
        let _link = self.link.closing();
        let endings = {
            let mut standing = self.standing();
            standing.closed = true;
            // They stay for one who closes at the same time: the connection is needed until all have ended.
            standing.endings.clone()
        };
        for ending in &endings {
            ending.begin();
        }
        for ending in &endings {
            ending.complete().await;
        }
    }
}
