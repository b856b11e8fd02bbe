//! The task of one subscription, and the handle that ends it.

use std::{panic::AssertUnwindSafe, sync::Arc};

use async_trait::async_trait;
use futures_util::FutureExt;
use outrigger_base_task::TaskSet;
use outrigger_block_pubsub::{Delivery, Handler, Message, Subscription};

use super::{
    queue::Queue,
    topics::{Listener, Topics},
};

/// A standing subscription.
pub(super) struct MemorySubscription {
    topics: Arc<Topics>,
    listener: Arc<Listener>,
}

impl MemorySubscription {
    pub(super) fn new(topics: Arc<Topics>, listener: Arc<Listener>) -> Self {
        Self { topics, listener }
    }

    fn stop(&self) {
        self.topics.remove(&self.listener);
        self.listener.queue.close();
    }
}

#[async_trait]
impl Subscription for MemorySubscription {
    /// What still waits in the queue is lost: memory promises nothing.
    async fn close(&self) {
        self.stop();
        self.listener.queue.ended().await;
    }
}

impl Drop for MemorySubscription {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Starts to hand the listener's messages to `handler`, until its queue is closed or the broker's tasks are stopped.
pub(super) fn start(tasks: &TaskSet, listener: &Arc<Listener>, handler: Arc<dyn Handler>) {
    let signal = tasks.signal().clone();
    let end = End(listener.clone());
    tasks.spawn(format!("subscription {}", listener.pattern), async move {
        let queue: &Queue = &end.0.queue;
        while let Some(Some(message)) = signal.run_until(queue.next()).await {
            handle(&*handler, message).await;
        }
    });
}

/// Hands over one message. A handler that panics has failed like one that says so; the subscription goes on.
async fn handle(handler: &dyn Handler, message: Message) {
    let topic = message.topic.clone();
    let handling = AssertUnwindSafe(handler.handle(Delivery::from(message)));
    match handling.catch_unwind().await {
        Ok(Ok(())) => (),
        Ok(Err(nack)) => tracing::error!(topic = &*topic, error = %nack, "the message was not processed"),
        Err(_) => tracing::error!(topic = &*topic, "the handler panicked"),
    }
}

/// Says that the task is over, however it ended.
struct End(Arc<Listener>);

impl Drop for End {
    fn drop(&mut self) {
        let lost = self.0.queue.end();
        if lost > 0 {
            tracing::warn!(
                topic = &*self.0.pattern,
                lost,
                "messages were still waiting when the subscription ended"
            );
        }
    }
}
