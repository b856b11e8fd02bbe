//! `pubsub.in-memory`: queues in memory (components.md §2.2).
//!
//! Publishing puts a message into the queue of every subscription whose topic matches and returns; each subscription has
//! one task that hands its messages to the handler one after the other, in the order of publishing. A handler's error is
//! only logged: nothing is delivered twice. A topic that ends in `*` matches every longer topic that begins like it.
//!
//! A handler may publish to the topic it is subscribed to, so a full queue must not make its publisher wait (invariant 6):
//! the message is shed, for all subscriptions alike, and the publisher is told so with an error that may be retried.

mod queue;
mod subscription;
mod topics;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use outrigger_base_task::TaskSet;
use outrigger_block_kit::Context;
use outrigger_block_pubsub::{
    Broker, BulkFailure, BulkPublish, Error, Feature, Handler, Message, Publish, Subscribe, Subscription,
};

use self::{
    queue::{Limits, Queue},
    subscription::MemorySubscription,
    topics::{Listener, Topics},
};

/// A broker in memory.
pub(crate) struct MemoryBroker {
    topics: Arc<Topics>,
    tasks: TaskSet,
    limits: Limits,
    next_id: AtomicU64,
}

impl MemoryBroker {
    /// A broker without subscriptions.
    pub(crate) fn open(ctx: &Context) -> Self {
        Self::with_limits(ctx, Limits::default())
    }

    fn with_limits(ctx: &Context, limits: Limits) -> Self {
        Self {
            topics: Arc::default(),
            tasks: ctx.tasks.child(ctx.name.clone()),
            limits,
            next_id: AtomicU64::new(0),
        }
    }

    /// Queues the message for every subscription, or for none.
    fn deliver(&self, message: Publish) -> Result<(), Error> {
        let listeners = self.topics.matching(&message.topic)?;
        let mut permits = Vec::with_capacity(listeners.len());
        for listener in &*listeners {
            permits.push(listener.queue.reserve(&message)?);
        }
        let Some(last) = permits.pop() else {
            return Ok(());
        };
        // The content type does not travel, as with the peers: the envelope says what the payload is.
        let message = Message {
            topic: message.topic.into(),
            data: message.data,
            content_type: None,
            metadata: message.metadata,
        };
        for permit in permits {
            permit.send(message.clone());
        }
        last.send(message);
        Ok(())
    }
}

#[async_trait]
impl Broker for MemoryBroker {
    fn features(&self) -> &[Feature] {
        &[Feature::SubscribeWildcards]
    }

    async fn ping(&self) -> Result<(), Error> {
        self.topics.check_open()
    }

    async fn publish(&self, message: Publish) -> Result<(), Error> {
        self.deliver(message)
    }

    /// One after the other, so that the order of the entries is the order of delivery.
    async fn bulk_publish(&self, request: BulkPublish) -> Result<Vec<BulkFailure>, Error> {
        self.topics.check_open()?;
        let BulkPublish {
            topic,
            entries,
            metadata,
        } = request;
        let failures = entries.into_iter().filter_map(|entry| {
            let mut all = metadata.clone();
            all.extend(entry.metadata);
            let message = Publish {
                topic: topic.clone(),
                data: entry.data,
                content_type: Some(entry.content_type),
                metadata: all,
            };
            self.deliver(message)
                .err()
                .map(|error| BulkFailure { id: entry.id, error })
        });
        Ok(failures.collect())
    }

    async fn subscribe(
        &self,
        request: Subscribe,
        handler: Arc<dyn Handler>,
    ) -> Result<Box<dyn Subscription>, Error> {
        let listener = Arc::new(Listener {
            id: self.next_id.fetch_add(1, Ordering::Relaxed),
            pattern: request.topic.into(),
            queue: Arc::new(Queue::new(self.limits)),
        });
        self.topics.add(listener.clone())?;
        subscription::start(&self.tasks, &listener, handler);
        Ok(Box::new(MemorySubscription::new(self.topics.clone(), listener)))
    }

    async fn close(&self) {
        let listeners = self.topics.close();
        for listener in &listeners {
            listener.queue.close();
        }
        for listener in &listeners {
            listener.queue.ended().await;
        }
    }
}

impl fmt::Debug for MemoryBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBroker").finish_non_exhaustive()
    }
}
