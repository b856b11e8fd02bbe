//! Delivery in bulk: messages are gathered and go to the app in one call, each with a verdict of its own.
//!
//! The broker knows nothing of it. It hands over messages one by one; each waits here until its batch has been answered,
//! and is acknowledged by its own verdict. So a broker that waits for an acknowledgement before it hands over the next
//! message makes batches of one, each after the full wait: with the peers it is the same, and their suite asserts it.

mod batch;
mod group;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use outrigger_block_pubsub::{Delivery, Handler, Message, Nack};
use outrigger_resource_manifest::BulkSubscribe;
use outrigger_runtime_channel::AppChannel;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};

use crate::courier::Courier;

/// Most messages of a batch where the subscription names no number (dapr-runtime.md §3.5).
const MESSAGES_DEFAULT: u32 = 100;
/// Longest wait for a batch to fill where the subscription names none, in milliseconds (dapr-runtime.md §3.5).
const AWAIT_DEFAULT_MS: u32 = 1_000;
/// Most messages of a batch whatever the subscription says: they are all in memory, and in one request body.
const MESSAGES_MAX: u32 = 10_000;

/// How batches are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Batching {
    messages: usize,
    wait: Duration,
}

impl Batching {
    /// What a subscription asks for; `None` when it wants single deliveries.
    pub(crate) fn of(bulk: &BulkSubscribe) -> Option<Self> {
        let positive = |number: Option<u32>, default| number.filter(|number| *number > 0).unwrap_or(default);
        bulk.enabled.then(|| Self {
            messages: positive(bulk.max_messages_count, MESSAGES_DEFAULT).min(MESSAGES_MAX) as usize,
            wait: Duration::from_millis(positive(bulk.max_await_duration_ms, AWAIT_DEFAULT_MS).into()),
        })
    }
}

/// A message that waits for its batch.
struct Entry {
    message: Message,
    answer: oneshot::Sender<Result<(), Nack>>,
}

/// What the broker calls: puts a message into the next batch and waits for its verdict.
struct Gatherer {
    /// As long as a batch. When it is full the broker waits: what is gathered was not asked for by the app's own doing.
    entries: mpsc::Sender<Entry>,
}

#[async_trait]
impl Handler for Gatherer {
    async fn handle(&self, delivery: Delivery) -> Result<(), Nack> {
        let (answer, answered) = oneshot::channel();
        let entry = Entry {
            message: delivery.message,
            answer,
        };
        let ended = || Nack("the subscription ended before the app answered".to_owned());
        self.entries.send(entry).await.map_err(|_| ended())?;
        answered.await.unwrap_or_else(|_| Err(ended()))
    }
}

/// The handler of a bulk subscription, and the task that gathers and delivers. The task ends when the broker has let go
/// of the handler, or the subscription is cut.
pub(crate) fn gather(
    courier: Arc<Courier>,
    channel: Arc<dyn AppChannel>,
    batching: Batching,
) -> (Arc<dyn Handler>, impl Future<Output = ()> + Send) {
    let (entries, receiver) = mpsc::channel(batching.messages);
    let batches = Batches {
        courier,
        channel,
        batching,
        entries: receiver,
    };
    (Arc::new(Gatherer { entries }), batches.run())
}

struct Batches {
    courier: Arc<Courier>,
    channel: Arc<dyn AppChannel>,
    batching: Batching,
    entries: mpsc::Receiver<Entry>,
}

impl Batches {
    async fn run(mut self) {
        let life = self.courier.life.clone();
        // Entries that are dropped here are given back by their handlers.
        while let Some(Some(first)) = life.cut.run_until(self.entries.recv()).await {
            let batch = self.fill(first).await;
            if life.cut.run_until(self.deliver(batch)).await.is_none() {
                return;
            }
        }
    }

    /// A batch that begins with `first`: full, or as full as it got in the time since then. A subscription that closes
    /// waits for nothing.
    async fn fill(&mut self, first: Entry) -> Vec<Entry> {
        let deadline = Instant::now() + self.batching.wait;
        let life = self.courier.life.clone();
        let mut batch = vec![first];
        while batch.len() < self.batching.messages {
            if let Ok(entry) = self.entries.try_recv() {
                batch.push(entry);
                continue;
            }
            let next = timeout_at(deadline, self.entries.recv());
            match life.closing.run_until(next).await {
                Some(Ok(Some(entry))) => batch.push(entry),
                Some(Ok(None) | Err(_)) | None => break,
            }
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_have_defaults_and_a_bound() {
        let of = |enabled, messages, wait| {
            Batching::of(&BulkSubscribe {
                enabled,
                max_messages_count: messages,
                max_await_duration_ms: wait,
            })
        };
        assert_eq!(of(false, Some(1), None), None);
        let standard = of(true, None, Some(0)).unwrap();
        assert_eq!((standard.messages, standard.wait), (100, Duration::from_secs(1)));
        let own = of(true, Some(u32::MAX), Some(40)).unwrap();
        assert_eq!((own.messages, own.wait), (10_000, Duration::from_millis(40)));
    }
}
