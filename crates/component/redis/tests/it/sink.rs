//! Brokers, and handlers that keep what they get.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_block_kit::Context;
use outrigger_block_pubsub::{Broker, Delivery, Error, Handler, Nack, Publish, Subscribe, Subscription};
use outrigger_testing_harness::{RedisServer, eventually};
use tokio::sync::Semaphore;

use crate::raw::properties;

/// Far beyond what anything here takes.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A handler that keeps what it gets, and does what its rule says.
pub(crate) struct Sink {
    pub(crate) got: Mutex<Vec<Delivery>>,
    rule: Rule,
    now: AtomicUsize,
    /// The most handlers that ran at once.
    pub(crate) most: AtomicUsize,
}

/// What a sink does with a message.
pub(crate) enum Rule {
    Succeed,
    Fail,
    /// Takes this long.
    Take(Duration),
    /// Ends when it is given a permit.
    Gate(Arc<Semaphore>),
    /// Never ends the first time, succeeds after that.
    HangOnce,
}

impl Sink {
    pub(crate) fn new(rule: Rule) -> Arc<Self> {
        Arc::new(Self {
            got: Mutex::default(),
            rule,
            now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        })
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        let got = self.got.lock().unwrap();
        got.iter()
            .map(|delivery| String::from_utf8_lossy(&delivery.message.data).into_owned())
            .collect()
    }

    pub(crate) fn sorted(&self) -> Vec<String> {
        let mut texts = self.texts();
        texts.sort();
        texts
    }

    /// Waits until it got `count` messages.
    pub(crate) async fn wait_for(&self, count: usize) {
        eventually(SOON, || {
            let texts = self.texts();
            std::future::ready(if texts.len() >= count { Ok(()) } else { Err(texts) })
        })
        .await;
    }
}

#[async_trait]
impl Handler for Sink {
    async fn handle(&self, delivery: Delivery) -> Result<(), Nack> {
        let running = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        let count = {
            let mut got = self.got.lock().unwrap();
            got.push(delivery);
            got.len()
        };
        let result = match &self.rule {
            Rule::Succeed => Ok(()),
            Rule::Fail => Err(Nack("on purpose".to_owned())),
            Rule::Take(time) => {
                tokio::time::sleep(*time).await;
                Ok(())
            }
            Rule::Gate(gate) => {
                gate.acquire().await.unwrap().forget();
                Ok(())
            }
            Rule::HangOnce if count == 1 => std::future::pending().await,
            Rule::HangOnce => Ok(()),
        };
        self.now.fetch_sub(1, Ordering::SeqCst);
        result
    }
}

pub(crate) async fn broker_in(
    context: &Context,
    server: &RedisServer,
    more: &[(&str, &str)],
) -> Arc<dyn Broker> {
    outrigger_component_redis::broker(context.clone(), properties(server, more))
        .await
        .unwrap()
}

pub(crate) async fn broker(server: &RedisServer, more: &[(&str, &str)]) -> Arc<dyn Broker> {
    broker_in(&Context::for_test("redis"), server, more).await
}

pub(crate) async fn subscribe(broker: &dyn Broker, topic: &str, sink: &Arc<Sink>) -> Box<dyn Subscription> {
    subscribe_to(broker, topic, sink).await.unwrap()
}

pub(crate) async fn subscribe_to(
    broker: &dyn Broker,
    topic: &str,
    sink: &Arc<Sink>,
) -> Result<Box<dyn Subscription>, Error> {
    let request = Subscribe {
        topic: topic.to_owned(),
        ..Subscribe::default()
    };
    broker.subscribe(request, sink.clone()).await
}

pub(crate) fn message(topic: &str, data: &str) -> Publish {
    Publish {
        topic: topic.to_owned(),
        data: Bytes::copy_from_slice(data.as_bytes()),
        ..Publish::default()
    }
}
