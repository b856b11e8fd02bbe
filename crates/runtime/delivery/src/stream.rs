//! Streams that an app opens for a topic (dapr-runtime.md §2.4), in a form that no face shapes.

mod pending;

use std::{future::pending as never, sync::Arc};

use outrigger_block_pubsub::envelope::{EnvelopeError, TopicEvent};
use outrigger_runtime_channel::{EventDelivery, EventVerdict};
use outrigger_wire_names::pubsub as words;
use tokio::sync::{Semaphore, mpsc};

use crate::life::Life;
use pending::Pending;

/// Events that one stream may have unanswered at a time: enough to hide the round trip to an app on the same machine,
/// and at most this many payloads in memory for it. Above it a delivery waits, and with it the broker. That is no
/// deadlock (invariant 6): what frees a place is an answer, which never waits for a place, and an app that publishes
/// feeds the broker's queue, not this one.
const CREDITS: usize = 256;

/// An event on its way to the app.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamEvent {
    /// The event; the app answers with its id.
    pub event: TopicEvent,
    /// The route, which is always this one.
    pub path: &'static str,
}

/// The receiving end of a stream. Dropping it is how the app leaves: what it has not answered stays with the broker.
#[derive(Debug)]
pub struct StreamSubscription {
    events: mpsc::Receiver<StreamEvent>,
    answers: Answers,
    life: Life,
}

impl StreamSubscription {
    /// The next event; `None` when the runtime has ended the stream. Events come in the order in which the broker hands
    /// them over. Nothing is lost when the wait is dropped.
    pub async fn next(&mut self) -> Option<StreamEvent> {
        self.life.ended.run_until(self.events.recv()).await.flatten()
    }

    /// Answers an event, in any order: whether anyone was waiting for that.
    pub fn answer(&self, id: &str, verdict: EventVerdict) -> bool {
        self.answers.answer(id, verdict)
    }

    /// A handle that answers, for the task that reads what the app says.
    pub fn answers(&self) -> Answers {
        self.answers.clone()
    }
}

impl Drop for StreamSubscription {
    fn drop(&mut self) {
        self.life.gone.stop();
    }
}

/// Takes the app's answers.
#[derive(Debug, Clone)]
pub struct Answers(Arc<Pending>);

impl Answers {
    /// Answers an event: whether anyone was waiting for that.
    pub fn answer(&self, id: &str, verdict: EventVerdict) -> bool {
        let waited = self.0.answer(id, verdict);
        if !waited {
            tracing::error!("no client stream expecting publish response for id {id}");
        }
        waited
    }
}

/// The sending end of a stream.
#[derive(Debug)]
pub(crate) struct Stream {
    events: mpsc::Sender<StreamEvent>,
    pending: Arc<Pending>,
    credits: Semaphore,
}

/// A stream whose subscription lives that `life`.
pub(crate) fn open(life: Life) -> (Arc<Stream>, StreamSubscription) {
    let (events, receiver) = mpsc::channel(CREDITS);
    let pending = Arc::<Pending>::default();
    let stream = Stream {
        events,
        pending: pending.clone(),
        credits: Semaphore::new(CREDITS),
    };
    let subscription = StreamSubscription {
        events: receiver,
        answers: Answers(pending),
        life,
    };
    (Arc::new(stream), subscription)
}

impl Stream {
    /// Sends an event and waits for its answer; for ever once the receiver has left.
    pub(crate) async fn deliver(&self, delivery: EventDelivery<'_>) -> Result<EventVerdict, EnvelopeError> {
        let event = TopicEvent::new(delivery.event, delivery.topic, delivery.pubsub_name)?;
        // The semaphore is never closed.
        let _credit = self.credits.acquire().await;
        let waiting = Pending::wait(&self.pending, &event.id);
        let event = StreamEvent {
            event,
            path: words::STREAM_PATH,
        };
        if self.events.send(event).await.is_err() {
            return never().await;
        }
        match waiting.verdict().await {
            Some(verdict) => Ok(verdict),
            None => never().await,
        }
    }
}
