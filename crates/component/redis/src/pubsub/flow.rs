//! From an entry to its handler, and on to its acknowledgement.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use outrigger_base_task::{StopSignal, TaskSet};
use outrigger_block_pubsub::{Delivery, Handler, Message};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::task::TaskTracker;

use super::{
    entry::{Entry, Id},
    hand::{Hand, Held},
};
use crate::{fault::Fault, link::Link};

/// Where a subscription reads.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The connection for everything that does not block.
    pub(super) link: Link,
    /// The stream.
    pub(super) topic: Arc<str>,
    /// Name of the group and of the consumer.
    pub(super) consumer: Arc<str>,
}

impl Source {
    /// Sets how long entries that we hold count as having lain. Claiming for the same consumer changes, with `JUSTID`,
    /// nothing else.
    pub(super) async fn set_idle(&self, ids: &[Id], idle: Duration) -> Result<(), Fault> {
        let mut command = redis::cmd("XCLAIM");
        command
            .arg(&*self.topic)
            .arg(&*self.consumer)
            .arg(&*self.consumer)
            .arg(0);
        for id in ids {
            command.arg(id.to_string());
        }
        command
            .arg("IDLE")
            .arg(u64::try_from(idle.as_millis()).unwrap_or(u64::MAX))
            .arg("JUSTID");
        self.link.send(&command, self.link.writing(true)).await?;
        Ok(())
    }
}

/// Spawns the tasks of one subscription, so that their end can be awaited.
#[derive(Debug, Clone)]
pub(super) struct Spawner {
    pub(super) tasks: TaskSet,
    pub(super) tracker: TaskTracker,
}

impl Spawner {
    pub(super) fn spawn(&self, name: impl Into<Arc<str>>, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(name, self.tracker.track_future(work));
    }
}

/// Everything between the stream and the handler of one subscription.
pub(super) struct Flow {
    pub(super) source: Source,
    pub(super) handler: Arc<dyn Handler>,
    /// One permit for each handler that may run, shared by the subscriptions of a broker.
    pub(super) permits: Arc<Semaphore>,
    /// How long a handler may take, and an entry must lie before it is claimed; `None` without redelivery.
    pub(super) limit: Option<Duration>,
    pub(super) hand: Arc<Hand>,
    /// To the task that acknowledges. When it is full, handlers that are through wait for a place, and none starts.
    pub(super) acks: mpsc::Sender<Held>,
    pub(super) signal: StopSignal,
    pub(super) spawner: Spawner,
    /// What a handler's task is called.
    pub(super) task: Arc<str>,
}

impl Flow {
    /// Hands entries to the handler as it finds time; waits when it has none. When the subscription ends, what was not
    /// begun is given back.
    pub(super) async fn take(self: &Arc<Self>, entries: Vec<(Entry, u32)>) {
        // All are held from now on, so that those that wait are kept alive as well.
        let mut held: VecDeque<_> = entries
            .into_iter()
            .filter_map(|(entry, redeliveries)| Some((self.hand.hold(entry.id)?, entry, redeliveries)))
            .collect();
        while !held.is_empty() {
            let Some(Ok(permit)) = self.signal.run_until(self.permits.clone().acquire_owned()).await else {
                let ids: Vec<Id> = held.drain(..).map(|(held, ..)| held.id()).collect();
                return self.give_back(&ids).await;
            };
            let Some((held, entry, redeliveries)) = held.pop_front() else {
                return;
            };
            let flow = self.clone();
            self.spawner.spawn(self.task.clone(), async move {
                flow.handle(held, entry, redeliveries, permit).await;
            });
        }
    }

    /// Leaves entries to others: they stay pending, and count as having lain long enough, so that the next who looks
    /// for pending entries finds them. Without redelivery nobody looks; they just stay.
    pub(super) async fn give_back(&self, ids: &[Id]) {
        let Some(after) = self.limit.filter(|_| !ids.is_empty()) else {
            return;
        };
        if let Err(fault) = self.source.set_idle(ids, after).await {
            tracing::debug!(topic = &*self.source.topic, %fault, "giving messages back failed: they come again later");
        }
    }

    async fn handle(&self, held: Held, entry: Entry, redeliveries: u32, permit: OwnedSemaphorePermit) {
        let delivery = Delivery {
            message: Message {
                topic: self.source.topic.clone(),
                data: entry.data,
                content_type: None,
                metadata: entry.metadata,
            },
            redeliveries,
        };
        if self.is_finished(&held, delivery).await {
            // The receiver outlives every flow; were it gone, the entry would just be delivered again.
            let _ = self.acks.send(held).await;
        }
        drop(permit);
    }

    /// Whether a message is to be acknowledged after its handler.
    async fn is_finished(&self, held: &Held, delivery: Delivery) -> bool {
        let work = self.handler.handle(delivery);
        let outcome = match self.limit {
            None => Ok(work.await),
            Some(limit) => tokio::time::timeout(limit, work).await,
        };
        let (topic, entry) = (&*self.source.topic, held.id());
        match outcome {
            Ok(Ok(())) => true,
            Ok(Err(nack)) if self.signal.is_stopped() => {
                tracing::debug!(topic, %entry, %nack, "a message failed while its subscription closed: left pending");
                false
            }
            Ok(Err(nack)) => {
                tracing::warn!(topic, %entry, %nack, "a message was not processed: dropped, as no policy kept it");
                true
            }
            Err(_) => {
                tracing::warn!(topic, %entry, "a message's handler passed processingTimeout: left pending");
                false
            }
        }
    }
}
