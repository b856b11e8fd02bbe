//! A broker that a test holds in its hand: it delivers when told to, and shows what is answered.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_base_task::StopSignal;
use outrigger_block_pubsub::{
    Broker, Delivery, Error, Feature, Handler, Message, Metadata, Nack, Publish, Subscribe, Subscription,
};
use tokio::sync::watch;

#[derive(Default)]
pub(crate) struct FakeBroker {
    lines: Mutex<BTreeMap<String, Vec<Arc<Line>>>>,
    pub(crate) requests: Mutex<Vec<Subscribe>>,
    pub(crate) published: Mutex<Vec<Publish>>,
    pub(crate) refuse_publish: AtomicBool,
    pub(crate) stuck_publish: AtomicBool,
    pub(crate) refuse_subscribe: AtomicUsize,
}

/// One subscription.
struct Line {
    handler: Arc<dyn Handler>,
    closing: StopSignal,
    in_hand: watch::Sender<usize>,
}

/// How a delivery was answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Acked,
    Nacked(Nack),
    /// Nacked while the subscription closed: a broker keeps such a message.
    Kept(Nack),
}

impl FakeBroker {
    /// Delivers to the newest subscription of the topic.
    pub(crate) async fn deliver(&self, topic: &str, message: Message) -> Answer {
        let line = self.lines.lock().unwrap()[topic].last().unwrap().clone();
        line.in_hand.send_modify(|count| *count += 1);
        let answer = line.handler.handle(Delivery::from(message)).await;
        line.in_hand.send_modify(|count| *count -= 1);
        match answer {
            Ok(()) => Answer::Acked,
            Err(nack) if line.closing.is_stopped() => Answer::Kept(nack),
            Err(nack) => Answer::Nacked(nack),
        }
    }

    pub(crate) fn standing(&self, topic: &str) -> usize {
        let lines = self.lines.lock().unwrap();
        let lines = lines.get(topic).map(Vec::as_slice).unwrap_or_default();
        lines.iter().filter(|line| !line.closing.is_stopped()).count()
    }
}

/// A message with a payload and nothing else.
pub(crate) fn message(topic: &str, data: impl Into<Bytes>) -> Message {
    Message {
        topic: topic.into(),
        data: data.into(),
        content_type: None,
        metadata: Metadata::new(),
    }
}

/// An event of a type, with a text as data.
pub(crate) fn event(topic: &str, kind: &str, data: &str) -> Message {
    let json = serde_json::json!({
        "id": format!("id-{data}"), "source": "test", "type": kind, "specversion": "1.0",
        "datacontenttype": "text/plain", "data": data,
    });
    message(topic, json.to_string())
}

impl std::fmt::Debug for FakeBroker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FakeBroker")
    }
}

#[async_trait]
impl Broker for FakeBroker {
    fn features(&self) -> &[Feature] {
        &[]
    }

    async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn publish(&self, message: Publish) -> Result<(), Error> {
        if self.stuck_publish.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.refuse_publish.load(Ordering::SeqCst) {
            return Err(Error::unavailable("publish", "the test says so"));
        }
        self.published.lock().unwrap().push(message);
        Ok(())
    }

    async fn subscribe(
        &self,
        request: Subscribe,
        handler: Arc<dyn Handler>,
    ) -> Result<Box<dyn Subscription>, Error> {
        let refuse = self
            .refuse_subscribe
            .try_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if refuse.is_ok() {
            return Err(Error::unavailable("subscribe", "the test says so"));
        }
        let line = Arc::new(Line {
            handler,
            closing: StopSignal::default(),
            in_hand: watch::Sender::new(0),
        });
        let mut lines = self.lines.lock().unwrap();
        lines.entry(request.topic.clone()).or_default().push(line.clone());
        self.requests.lock().unwrap().push(request);
        Ok(Box::new(FakeSubscription(line)))
    }

    async fn close(&self) {}
}

struct FakeSubscription(Arc<Line>);

#[async_trait]
impl Subscription for FakeSubscription {
    async fn close(&self) {
        self.0.closing.stop();
        let mut in_hand = self.0.in_hand.subscribe();
        in_hand.wait_for(|count| *count == 0).await.unwrap();
    }
}

impl Drop for FakeSubscription {
    fn drop(&mut self) {
        self.0.closing.stop();
    }
}
