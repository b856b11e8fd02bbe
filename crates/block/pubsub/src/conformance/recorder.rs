//! The handler of the suite: notes what comes, decides what to answer.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_block_kit::conformance::{Outcome, eventually};
use tokio::sync::Semaphore;

use crate::{Delivery, Handler, Message, Nack};

/// Answers a delivery: its payload, and how often this payload was refused before.
type Decide = Box<dyn Fn(&[u8], u32) -> Result<(), Nack> + Send + Sync>;

/// Permits of a gate that is not there.
const OPEN: usize = 1 << 20;

/// A handler that notes every message it accepted.
pub struct Recorder {
    accepted: Mutex<Vec<Message>>,
    refused: Mutex<BTreeMap<Bytes, u32>>,
    decide: Decide,
    /// Each message takes a permit before it is decided on.
    gate: Semaphore,
    entered: AtomicUsize,
    running: AtomicUsize,
    most_running: AtomicUsize,
}

impl Recorder {
    /// Accepts everything.
    pub fn new() -> Arc<Self> {
        Self::build(OPEN, |_, _| Ok(()))
    }

    /// Accepts everything, but each message only after [`Recorder::open`] let one more through.
    pub fn gated() -> Arc<Self> {
        Self::build(0, |_, _| Ok(()))
    }

    /// Answers as `decide` says, which gets the payload and how often it was refused before.
    pub fn deciding(decide: impl Fn(&[u8], u32) -> Result<(), Nack> + Send + Sync + 'static) -> Arc<Self> {
        Self::build(OPEN, decide)
    }

    fn build(
        permits: usize,
        decide: impl Fn(&[u8], u32) -> Result<(), Nack> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            accepted: Mutex::default(),
            refused: Mutex::default(),
            decide: Box::new(decide),
            gate: Semaphore::new(permits),
            entered: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            most_running: AtomicUsize::new(0),
        })
    }

    /// Lets `messages` more through the gate.
    pub fn open(&self, messages: usize) {
        self.gate.add_permits(messages);
    }

    /// How many messages came in, decided on or not.
    pub fn entered(&self) -> usize {
        self.entered.load(Ordering::SeqCst)
    }

    /// The most messages that were in hand at once.
    pub fn most_running(&self) -> usize {
        self.most_running.load(Ordering::SeqCst)
    }

    /// The accepted messages in the order of their acceptance.
    pub fn accepted(&self) -> Vec<Message> {
        lock(&self.accepted).clone()
    }

    /// The payloads of the accepted messages as text.
    pub fn texts(&self) -> Vec<String> {
        let accepted = lock(&self.accepted);
        let texts = accepted
            .iter()
            .map(|message| String::from_utf8_lossy(&message.data).into_owned());
        texts.collect()
    }

    /// How often `payload` was refused.
    pub fn refusals(&self, payload: &str) -> u32 {
        lock(&self.refused)
            .get(payload.as_bytes())
            .copied()
            .unwrap_or_default()
    }

    /// Waits until every one of `texts` was accepted.
    ///
    /// # Errors
    ///
    /// When that takes longer than `patience`.
    pub async fn wait_for(&self, texts: &[impl AsRef<str>], patience: Duration) -> Outcome {
        let missing = || {
            let have = self.texts();
            let missing = texts
                .iter()
                .map(AsRef::as_ref)
                .filter(|text| !have.iter().any(|one| one == text));
            missing.map(str::to_owned).collect::<Vec<_>>()
        };
        eventually("every message is accepted", patience, async || {
            Ok(missing().is_empty())
        })
        .await
        .map_err(|failure| super::Failure::new(format!("{failure:?}; missing {:?}", missing())))
    }

    /// Waits until `messages` came in, decided on or not.
    ///
    /// # Errors
    ///
    /// When that takes longer than `patience`.
    pub async fn wait_entered(&self, messages: usize, patience: Duration) -> Outcome {
        eventually("the message comes in", patience, async || {
            Ok(self.entered() >= messages)
        })
        .await
    }
}

#[async_trait]
impl Handler for Recorder {
    async fn handle(&self, delivery: Delivery) -> Result<(), Nack> {
        self.entered.fetch_add(1, Ordering::SeqCst);
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_running.fetch_max(running, Ordering::SeqCst);
        // Others get a chance to come in while this one is in hand.
        tokio::task::yield_now().await;
        if let Ok(permit) = self.gate.acquire().await {
            permit.forget();
        }
        let data = delivery.message.data.clone();
        let before = lock(&self.refused).get(&data).copied().unwrap_or_default();
        let answer = (self.decide)(&data, before);
        match &answer {
            Ok(()) => lock(&self.accepted).push(delivery.message),
            Err(_) => *lock(&self.refused).entry(data).or_default() += 1,
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        answer
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("accepted", &self.texts())
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
