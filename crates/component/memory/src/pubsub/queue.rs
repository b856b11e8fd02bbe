//! The queue of one subscription: bounded in messages and in bytes, never waiting for room.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use outrigger_base_task::StopSignal;
use outrigger_block_pubsub::{Error, Message, Metadata, Publish};
use tokio::sync::Notify;

/// Most messages that wait for one subscription. A handler that takes 1 ms is a minute behind by then: more room would
/// not help it.
const MESSAGES_MAX: usize = 65_536;
/// Most bytes that wait for one subscription, so that large messages cannot eat the machine's memory.
const BYTES_MAX: usize = 256 << 20;
/// Memory of a message beside its payload and metadata, roughly, in bytes.
const MESSAGE_OVERHEAD: usize = 128;

/// How much may wait. What is above is shed: the publisher gets an error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            messages: MESSAGES_MAX,
            bytes: BYTES_MAX,
        }
    }
}

/// The bytes that wait for a subscription have reached their bound.
#[derive(Debug, thiserror::Error)]
#[error("{limit} bytes wait for a subscription of topic {topic:?} already")]
struct BytesFull {
    topic: String,
    limit: usize,
}

/// A queue with one consumer.
pub(super) struct Queue {
    limits: Limits,
    state: Mutex<State>,
    /// Tells the consumer that there is a message.
    filled: Notify,
    /// Tells the consumer to take no further message.
    closed: StopSignal,
    /// Tells everyone that the consumer's task is over.
    ended: StopSignal,
}

#[derive(Default)]
struct State {
    messages: VecDeque<(Message, usize)>,
    /// Messages and bytes that wait, those with a permit included.
    count: usize,
    bytes: usize,
}

/// Room for one message. Dropping it gives the room back.
pub(super) struct Permit<'a> {
    queue: &'a Queue,
    /// The message's size; nothing once the room is used.
    bytes: Option<usize>,
}

impl Queue {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: Mutex::default(),
            filled: Notify::new(),
            closed: StopSignal::default(),
            ended: StopSignal::default(),
        }
    }

    /// Room for `message`, if there is any.
    pub(super) fn reserve(&self, message: &Publish) -> Result<Permit<'_>, Error> {
        let bytes = size(message);
        let mut state = self.state();
        if state.count >= self.limits.messages {
            return Err(Error::Full {
                topic: message.topic.clone(),
                limit: self.limits.messages,
            });
        }
        // A message that is larger than the bound itself fits into an empty queue.
        if state.count > 0 && state.bytes.saturating_add(bytes) > self.limits.bytes {
            let full = BytesFull {
                topic: message.topic.clone(),
                limit: self.limits.bytes,
            };
            return Err(Error::unavailable("queue the message", full));
        }
        state.count += 1;
        state.bytes += bytes;
        Ok(Permit {
            queue: self,
            bytes: Some(bytes),
        })
    }

    /// The next message; `None` when the queue was closed, whatever still waits in it.
    pub(super) async fn next(&self) -> Option<Message> {
        loop {
            if self.closed.is_stopped() {
                return None;
            }
            if let Some(message) = self.pop() {
                return Some(message);
            }
            // A message that comes between the look and the wait leaves a token behind: nothing is missed.
            self.closed.run_until(self.filled.notified()).await;
        }
    }

    fn pop(&self) -> Option<Message> {
        let mut state = self.state();
        let (message, bytes) = state.messages.pop_front()?;
        state.count -= 1;
        state.bytes -= bytes;
        Some(message)
    }

    /// Ends the consumer after the message it has in hand.
    pub(super) fn close(&self) {
        self.closed.stop();
    }

    /// Says that the consumer's task is over; how many messages nobody will take any more.
    pub(super) fn end(&self) -> usize {
        self.ended.stop();
        std::mem::take(&mut self.state().messages).len()
    }

    /// Completes when the consumer's task is over.
    pub(super) async fn ended(&self) {
        self.ended.stopped().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No panic can leave the numbers wrong: nothing between lock and unlock can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// Uses the room.
    pub(super) fn send(mut self, message: Message) {
        let Some(bytes) = self.bytes.take() else {
            return;
        };
        self.queue.state().messages.push_back((message, bytes));
        self.queue.filled.notify_one();
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let Some(bytes) = self.bytes else {
            return;
        };
        let mut state = self.queue.state();
        state.count -= 1;
        state.bytes -= bytes;
    }
}

fn size(message: &Publish) -> usize {
    let metadata: &Metadata = &message.metadata;
    let texts: usize = metadata
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    message.data.len() + texts + MESSAGE_OVERHEAD
}
