//! An app that notes what it gets and answers what the test says.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use http::Response;
use outrigger_block_pubsub::Metadata;
use outrigger_runtime_channel::{
    AppChannel, AppSubscription, BulkDelivery, BulkEntry, Error, EventDelivery, EventVerdict, InvokeRequest,
    Protocol, Verdicts,
};
use outrigger_transport::Body;
use tokio::sync::{Semaphore, watch};

/// What the app saw of an event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) topic: String,
    pub(crate) pubsub: String,
    pub(crate) envelope: Bytes,
    pub(crate) metadata: Metadata,
    pub(crate) traceparent: Option<String>,
}

impl Seen {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.envelope).unwrap()
    }
}

/// A bulk call that the app saw.
#[derive(Debug, Clone)]
pub(crate) struct SeenBulk {
    pub(crate) path: String,
    pub(crate) topic: String,
    pub(crate) entries: Vec<BulkEntry>,
}

type Answer = Box<dyn Fn(&Seen, usize) -> Result<EventVerdict, Error> + Send + Sync>;
type BulkAnswer = Box<dyn Fn(&SeenBulk, usize) -> Result<Verdicts, Error> + Send + Sync>;

pub(crate) struct App {
    pub(crate) subscriptions: Vec<AppSubscription>,
    pub(crate) asked: AtomicUsize,
    /// How often it cannot be asked for its subscriptions.
    pub(crate) mute: AtomicUsize,
    pub(crate) seen: watch::Sender<Vec<Seen>>,
    pub(crate) bulks: watch::Sender<Vec<SeenBulk>>,
    pub(crate) answer: Mutex<Answer>,
    pub(crate) bulk_answer: Mutex<BulkAnswer>,
    /// Deliveries that may be answered.
    pub(crate) gate: Semaphore,
    pub(crate) well: AtomicBool,
}

impl App {
    pub(crate) fn new(subscriptions: Vec<AppSubscription>) -> Self {
        let all = |bulk: &SeenBulk, _: usize| {
            let ids = bulk.entries.iter().map(|entry| entry.id.clone());
            Ok(ids.map(|id| (id, EventVerdict::Success)).collect())
        };
        Self {
            subscriptions,
            asked: AtomicUsize::new(0),
            mute: AtomicUsize::new(0),
            seen: watch::Sender::default(),
            bulks: watch::Sender::default(),
            answer: Mutex::new(Box::new(|_, _| Ok(EventVerdict::Success))),
            bulk_answer: Mutex::new(Box::new(all)),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            well: AtomicBool::new(true),
        }
    }

    /// What the app answers from now on; the number counts what it saw before.
    pub(crate) fn answers(
        &self,
        answer: impl Fn(&Seen, usize) -> Result<EventVerdict, Error> + Send + Sync + 'static,
    ) {
        *self.answer.lock().unwrap() = Box::new(answer);
    }

    pub(crate) fn answers_bulk(
        &self,
        answer: impl Fn(&SeenBulk, usize) -> Result<Verdicts, Error> + Send + Sync + 'static,
    ) {
        *self.bulk_answer.lock().unwrap() = Box::new(answer);
    }

    /// Waits until it saw so many events.
    pub(crate) async fn saw(&self, events: usize) -> Vec<Seen> {
        let mut seen = self.seen.subscribe();
        seen.wait_for(|seen| seen.len() >= events).await.unwrap().clone()
    }

    pub(crate) async fn saw_bulks(&self, calls: usize) -> Vec<SeenBulk> {
        let mut seen = self.bulks.subscribe();
        seen.wait_for(|seen| seen.len() >= calls).await.unwrap().clone()
    }

    /// Shuts the gate: what comes waits for `open`.
    pub(crate) fn shut(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn open(&self) {
        self.gate.add_permits(1_000);
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("App")
    }
}

/// An error as of an app that is not there.
pub(crate) fn absent() -> Error {
    Error::Unhealthy
}

#[async_trait]
impl AppChannel for App {
    async fn invoke(&self, _request: InvokeRequest) -> Result<Response<Body>, Error> {
        Err(Error::Unhealthy)
    }

    async fn subscriptions(&self) -> Result<Vec<AppSubscription>, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mute = self
            .mute
            .try_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match mute {
            Ok(_) => Err(absent()),
            Err(_) => Ok(self.subscriptions.clone()),
        }
    }

    async fn app_config(&self) -> Result<Option<Bytes>, Error> {
        Ok(None)
    }

    async fn deliver(&self, delivery: EventDelivery<'_>) -> Result<EventVerdict, Error> {
        let seen = Seen {
            path: delivery.path.to_owned(),
            topic: delivery.topic.to_owned(),
            pubsub: delivery.pubsub_name.to_owned(),
            envelope: delivery.envelope.clone(),
            metadata: delivery.metadata.clone(),
            traceparent: delivery.traceparent.map(str::to_owned),
        };
        let mut before = 0;
        self.seen.send_modify(|all| {
            before = all.len();
            all.push(seen.clone());
        });
        self.gate.acquire().await.unwrap().forget();
        (self.answer.lock().unwrap())(&seen, before)
    }

    async fn deliver_bulk(&self, delivery: BulkDelivery<'_>) -> Result<Verdicts, Error> {
        let seen = SeenBulk {
            path: delivery.path.to_owned(),
            topic: delivery.topic.to_owned(),
            entries: delivery.entries.to_vec(),
        };
        let mut before = 0;
        self.bulks.send_modify(|all| {
            before = all.len();
            all.push(seen.clone());
        });
        self.gate.acquire().await.unwrap().forget();
        (self.bulk_answer.lock().unwrap())(&seen, before)
    }

    async fn probe(&self, _path: &str) -> Result<bool, Error> {
        Ok(self.well.load(Ordering::SeqCst))
    }

    fn protocol(&self) -> Protocol {
        Protocol::Http
    }
}

/// Verdicts for entries by their `data`, as `(data, verdict)`; others get none.
pub(crate) fn verdicts_by_data(bulk: &SeenBulk, verdicts: &[(&str, EventVerdict)]) -> Verdicts {
    let by_data: BTreeMap<_, _> = verdicts.iter().copied().collect();
    bulk.entries
        .iter()
        .filter_map(|entry| {
            let json: serde_json::Value = serde_json::from_slice(&entry.event).ok()?;
            let verdict = by_data.get(json["data"].as_str()?)?;
            Some((entry.id.clone(), *verdict))
        })
        .collect()
}

pub(crate) fn shared(subscriptions: Vec<AppSubscription>) -> Arc<App> {
    Arc::new(App::new(subscriptions))
}
