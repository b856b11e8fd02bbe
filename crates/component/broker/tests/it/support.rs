//! What the tests open and observe.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_base_clock::{Clock, ManualClock};
use outrigger_block_kit::{Context, Properties};
use outrigger_block_pubsub::{Broker, Delivery, Handler, Nack, Publish, Subscribe, Subscription};
use outrigger_testing_harness::eventually;

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn open(folder: &Path, more: &[(&str, &str)]) -> Arc<dyn Broker> {
    open_at(folder, more, Context::for_test("broker").clock).await
}

pub(crate) async fn open_at(folder: &Path, more: &[(&str, &str)], clock: Arc<dyn Clock>) -> Arc<dyn Broker> {
    let context = Context {
        clock,
        ..Context::for_test("broker")
    };
    let mut properties = Properties::new([("path", folder.to_str().unwrap())]);
    for (name, value) in more {
        properties.set(name, *value);
    }
    outrigger_component_broker::open(context, properties)
        .await
        .unwrap()
}

pub(crate) fn manual_clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap()))
}

pub(crate) async fn publish(broker: &Arc<dyn Broker>, topic: &str, text: &str) {
    publish_with(broker, topic, text, &[]).await;
}

pub(crate) async fn publish_with(
    broker: &Arc<dyn Broker>,
    topic: &str,
    text: &str,
    metadata: &[(&str, &str)],
) {
    let message = Publish {
        topic: topic.to_owned(),
        data: Bytes::copy_from_slice(text.as_bytes()),
        content_type: None,
        metadata: metadata
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    };
    broker.publish(message).await.unwrap();
}

pub(crate) async fn subscribe(
    broker: &Arc<dyn Broker>,
    topic: &str,
    handler: Arc<dyn Handler>,
) -> Box<dyn Subscription> {
    let request = Subscribe {
        topic: topic.to_owned(),
        ..Subscribe::default()
    };
    broker.subscribe(request, handler).await.unwrap()
}

/// Notes what comes, with how often it had come before; answers as it is told.
pub(crate) struct Notes {
    seen: Mutex<Vec<(String, u32)>>,
    answer: Answer,
}

pub(crate) enum Answer {
    Accept,
    Refuse,
    Hang,
    Panic,
}

impl Notes {
    pub(crate) fn new(answer: Answer) -> Arc<Self> {
        Arc::new(Self {
            seen: Mutex::default(),
            answer,
        })
    }

    pub(crate) fn seen(&self) -> Vec<(String, u32)> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.seen().into_iter().map(|(text, _)| text).collect()
    }

    pub(crate) async fn wait_for(&self, count: usize) -> Vec<(String, u32)> {
        eventually(PATIENCE, async || {
            let seen = self.seen();
            if seen.len() >= count {
                Ok(seen)
            } else {
                Err(format!("{seen:?}, waiting for {count}"))
            }
        })
        .await
    }
}

#[async_trait]
impl Handler for Notes {
    async fn handle(&self, delivery: Delivery) -> Result<(), Nack> {
        let text = String::from_utf8(delivery.message.data.to_vec()).unwrap();
        self.seen.lock().unwrap().push((text, delivery.redeliveries));
        match self.answer {
            Answer::Accept => Ok(()),
            Answer::Refuse => Err(Nack("on purpose".to_owned())),
            Answer::Hang => std::future::pending().await,
            Answer::Panic => panic!("on purpose"),
        }
    }
}
