//! What the conformance suite cannot see: bounds, and handlers that misbehave.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_block_kit::Context;
use outrigger_block_pubsub::{Broker, Delivery, Error, Handler, Nack, Publish, Subscribe};
use tokio::sync::Semaphore;

use super::{MemoryBroker, queue::Limits};

/// Notes payloads; takes each only when it gets a permit.
struct Gate {
    seen: Mutex<Vec<Bytes>>,
    permits: Semaphore,
    entered: AtomicUsize,
}

impl Gate {
    fn with(permits: usize) -> Arc<Self> {
        Arc::new(Self {
            seen: Mutex::default(),
            permits: Semaphore::new(permits),
            entered: AtomicUsize::new(0),
        })
    }
}

#[async_trait]
impl Handler for Gate {
    async fn handle(&self, delivery: Delivery) -> Result<(), Nack> {
        self.entered.fetch_add(1, Ordering::SeqCst);
        self.permits.acquire().await.unwrap().forget();
        assert!(&delivery.message.data[..] != b"panic", "on purpose");
        self.seen.lock().unwrap().push(delivery.message.data);
        Ok(())
    }
}

fn message(topic: &str, data: &'static [u8]) -> Publish {
    Publish {
        topic: topic.to_owned(),
        data: Bytes::from_static(data),
        ..Publish::default()
    }
}

fn topic(topic: &str) -> Subscribe {
    Subscribe {
        topic: topic.to_owned(),
        ..Subscribe::default()
    }
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_full_queue_sheds_for_all_subscriptions_and_says_so() {
    let limits = Limits {
        messages: 2,
        bytes: 10_000,
    };
    let broker = MemoryBroker::with_limits(&Context::for_test("bus"), limits);
    let (slow, fast) = (Gate::with(0), Gate::with(100));
    let _slow = broker.subscribe(topic("t"), slow.clone()).await.unwrap();
    let _fast = broker.subscribe(topic("t"), fast.clone()).await.unwrap();
    broker.publish(message("t", b"in hand")).await.unwrap();
    until(|| slow.entered.load(Ordering::SeqCst) == 1).await;
    broker.publish(message("t", b"1")).await.unwrap();
    broker.publish(message("t", b"2")).await.unwrap();
    let error = broker.publish(message("t", b"shed")).await.unwrap_err();
    assert!(matches!(error, Error::Full { limit: 2, .. }), "{error:?}");
    assert!(error.retryable());

    slow.permits.add_permits(100);
    until(|| slow.seen.lock().unwrap().len() == 3).await;
    broker.publish(message("t", b"room again")).await.unwrap();
    for gate in [slow, fast] {
        until(|| gate.seen.lock().unwrap().len() == 4).await;
        assert_eq!(gate.seen.lock().unwrap().last().unwrap(), "room again");
    }
    broker.close().await;
}

#[tokio::test]
async fn bytes_are_bounded_and_one_large_message_fits() {
    let limits = Limits {
        messages: 100,
        bytes: 300,
    };
    let broker = MemoryBroker::with_limits(&Context::for_test("bus"), limits);
    let gate = Gate::with(0);
    let _subscription = broker.subscribe(topic("t"), gate.clone()).await.unwrap();
    broker.publish(message("t", b"in hand")).await.unwrap();
    until(|| gate.entered.load(Ordering::SeqCst) == 1).await;
    broker.publish(message("t", &[0; 1_000])).await.unwrap();
    let error = broker.publish(message("t", b"1")).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    gate.permits.add_permits(100);
    broker.close().await;
}

#[tokio::test]
async fn a_subscription_that_ended_takes_no_room() {
    let limits = Limits {
        messages: 2,
        bytes: 10_000,
    };
    let broker = MemoryBroker::with_limits(&Context::for_test("bus"), limits);
    for pattern in ["t", "t*"] {
        let closed = broker.subscribe(topic(pattern), Gate::with(1)).await.unwrap();
        closed.close().await;
        drop(broker.subscribe(topic(pattern), Gate::with(1)).await.unwrap());
    }
    for _ in 0..10 {
        broker.publish(message("t", b"x")).await.unwrap();
        broker.publish(message("tt", b"x")).await.unwrap();
    }
    until(|| broker.tasks.is_empty()).await;
}

#[tokio::test]
async fn a_handler_that_panics_does_not_end_its_subscription() {
    let broker = MemoryBroker::open(&Context::for_test("bus"));
    let gate = Gate::with(100);
    let _subscription = broker.subscribe(topic("t"), gate.clone()).await.unwrap();
    broker.publish(message("t", b"panic")).await.unwrap();
    broker.publish(message("t", b"after")).await.unwrap();
    until(|| gate.seen.lock().unwrap().len() == 1).await;
    broker.close().await;
}

#[tokio::test]
async fn stopping_the_owner_ends_every_subscription() {
    let ctx = Context::for_test("bus");
    let broker = MemoryBroker::open(&ctx);
    let subscription = broker.subscribe(topic("t"), Gate::with(1)).await.unwrap();
    ctx.tasks.stop();
    subscription.close().await;
    until(|| broker.tasks.is_empty()).await;
}
