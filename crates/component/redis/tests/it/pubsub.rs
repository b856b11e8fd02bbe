//! Layout of streams, delivery, closing.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use outrigger_block_kit::{Context, OpenError, Properties};
use outrigger_block_pubsub::{Broker, BulkEntry, BulkPublish, Error, Metadata};
use outrigger_testing_harness::{RedisServer, eventually};
use tokio::sync::Semaphore;

use crate::{
    raw::Raw,
    sink::{Rule, SOON, Sink, broker, broker_in, message, subscribe, subscribe_to},
};

type Entries = Vec<(String, Vec<String>)>;

async fn setup() -> (RedisServer, Arc<dyn Broker>, Raw) {
    let server = RedisServer::start().await.unwrap();
    let broker = broker(&server, &[]).await;
    let raw = Raw::to(&server).await;
    (server, broker, raw)
}

/// How many entries the group `app` took and did not acknowledge.
async fn pending(raw: &Raw, topic: &str) -> usize {
    let rows: Vec<redis::Value> = raw.ask(&["XPENDING", topic, "app", "-", "+", "1000"]).await;
    rows.len()
}

#[tokio::test]
async fn what_we_publish_has_daprs_layout() {
    let (_server, broker, raw) = setup().await;
    broker.publish(message("orders", "{\"n\":1}")).await.unwrap();
    let mut with = message("orders", "two");
    with.metadata = Metadata::from([("ttlInSeconds".to_owned(), "5".to_owned())]);
    broker.publish(with).await.unwrap();
    let entries: Entries = raw.ask(&["XRANGE", "orders", "-", "+"]).await;
    assert_eq!(entries[0].1, ["data", "{\"n\":1}"]);
    assert_eq!(
        entries[1].1,
        ["data", "two", "metadata", "{\"ttlInSeconds\":\"5\"}"]
    );
}

#[tokio::test]
async fn what_dapr_publishes_is_delivered() {
    let (_server, broker, raw) = setup().await;
    raw.tell(&["XADD", "orders", "*", "data", "before", "metadata", "{}"])
        .await;
    let sink = Sink::new(Rule::Succeed);
    let _subscription = subscribe(&*broker, "orders", &sink).await;
    raw.tell(&[
        "XADD",
        "orders",
        "*",
        "metadata",
        "{\"k\":\"v\"}",
        "data",
        "after",
    ])
    .await;
    raw.tell(&["XADD", "orders", "*", "metadata", "broken", "data", "odd"])
        .await;
    raw.tell(&["XADD", "orders", "*", "other", "field"]).await;
    sink.wait_for(4).await;
    assert_eq!(sink.sorted(), ["", "after", "before", "odd"]);
    let got = sink.got.lock().unwrap().clone();
    let after = got
        .iter()
        .find(|delivery| &delivery.message.data[..] == b"after")
        .unwrap();
    assert_eq!(
        after.message.metadata,
        Metadata::from([("k".to_owned(), "v".to_owned())])
    );
    assert_eq!((&*after.message.topic, after.redeliveries), ("orders", 0));
    let groups: Vec<Vec<redis::Value>> = raw.ask(&["XINFO", "GROUPS", "orders"]).await;
    assert_eq!(groups[0][1], redis::Value::BulkString(b"app".to_vec()));
    let consumers: Vec<Vec<redis::Value>> = raw.ask(&["XINFO", "CONSUMERS", "orders", "app"]).await;
    assert_eq!(consumers[0][1], redis::Value::BulkString(b"app".to_vec()));
    eventually(SOON, || async { pending(&raw, "orders").await == 0 }).await;
}

#[tokio::test]
async fn a_failed_message_is_acknowledged_as_in_dapr() {
    let (_server, broker, raw) = setup().await;
    let sink = Sink::new(Rule::Fail);
    let _subscription = subscribe(&*broker, "orders", &sink).await;
    for n in 0..20 {
        broker.publish(message("orders", &n.to_string())).await.unwrap();
    }
    sink.wait_for(20).await;
    eventually(SOON, || async { pending(&raw, "orders").await == 0 }).await;
    assert_eq!(sink.texts().len(), 20);
}

#[tokio::test]
async fn streams_are_trimmed_by_length_or_age() {
    let server = RedisServer::start().await.unwrap();
    let raw = Raw::to(&server).await;
    let short = broker(&server, &[("maxLenApprox", "100")]).await;
    let young = broker(&server, &[("streamTTL", "1h")]).await;
    // Approximate trimming drops whole nodes, of a hundred entries by default.
    for n in 0..500 {
        short.publish(message("short", &n.to_string())).await.unwrap();
        raw.tell(&["XADD", "young", &format!("{}-0", n + 1), "data", "ancient"])
            .await;
    }
    young.publish(message("young", "new")).await.unwrap();
    let length = |topic: &'static str| {
        let raw = raw.clone();
        async move { raw.ask::<i64>(&["XLEN", topic]).await }
    };
    assert!(length("short").await < 300);
    assert!(length("young").await < 300);
    let newest: Entries = raw.ask(&["XREVRANGE", "young", "+", "-", "COUNT", "1"]).await;
    assert_eq!(newest[0].1, ["data", "new"]);
}

#[tokio::test]
async fn a_bulk_is_published_in_order_and_merges_metadata() {
    let (_server, broker, raw) = setup().await;
    let entry = |n: usize| BulkEntry {
        id: n.to_string(),
        data: Bytes::from(format!("m{n}")),
        content_type: "text/plain".to_owned(),
        metadata: Metadata::from([("own".to_owned(), n.to_string())]),
    };
    let request = BulkPublish {
        topic: "orders".to_owned(),
        entries: (0..600).map(entry).collect(),
        metadata: Metadata::from([
            ("all".to_owned(), "x".to_owned()),
            ("own".to_owned(), "y".to_owned()),
        ]),
    };
    assert!(broker.bulk_publish(request.clone()).await.unwrap().is_empty());
    let entries: Entries = raw.ask(&["XRANGE", "orders", "-", "+"]).await;
    assert_eq!(entries.len(), 600);
    assert_eq!(
        entries[7].1,
        ["data", "m7", "metadata", "{\"all\":\"x\",\"own\":\"7\"}"]
    );
    raw.tell(&["SET", "wrong", "type"]).await;
    let failures = broker
        .bulk_publish(BulkPublish {
            topic: "wrong".to_owned(),
            ..request
        })
        .await
        .unwrap();
    assert_eq!(failures.len(), 600);
    assert!(matches!(failures[599].error, Error::Failed { .. }) && failures[599].id == "599");
}

#[tokio::test]
async fn topics_have_their_own_handlers_and_ends() {
    let (_server, broker, _raw) = setup().await;
    let (a, b) = (Sink::new(Rule::Succeed), Sink::new(Rule::Succeed));
    let first = subscribe(&*broker, "a", &a).await;
    let _second = subscribe(&*broker, "b", &b).await;
    broker.publish(message("a", "1")).await.unwrap();
    broker.publish(message("b", "2")).await.unwrap();
    a.wait_for(1).await;
    b.wait_for(1).await;
    first.close().await;
    broker.publish(message("a", "3")).await.unwrap();
    broker.publish(message("b", "4")).await.unwrap();
    b.wait_for(2).await;
    assert_eq!(a.texts(), ["1"]);
    let again = subscribe(&*broker, "a", &a).await;
    a.wait_for(2).await;
    assert_eq!(a.texts(), ["1", "3"], "what came meanwhile was not lost");
    drop(again);
}

#[tokio::test]
async fn no_more_handlers_run_at_once_than_set() {
    let server = RedisServer::start().await.unwrap();
    let broker = broker(&server, &[("concurrency", "3"), ("queueDepth", "5")]).await;
    let sink = Sink::new(Rule::Take(Duration::from_millis(5)));
    let _subscription = subscribe(&*broker, "orders", &sink).await;
    for n in 0..60 {
        broker.publish(message("orders", &n.to_string())).await.unwrap();
    }
    sink.wait_for(60).await;
    assert_eq!(sink.most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn close_finishes_what_is_in_hand_and_leaves_the_rest_pending() {
    let server = RedisServer::start().await.unwrap();
    let raw = Raw::to(&server).await;
    let context = Context::for_test("closing");
    let broker = broker_in(&context, &server, &[("concurrency", "1")]).await;
    let gate = Arc::new(Semaphore::new(0));
    let sink = Sink::new(Rule::Gate(gate.clone()));
    for n in 0..3 {
        broker.publish(message("orders", &n.to_string())).await.unwrap();
    }
    let subscription = subscribe(&*broker, "orders", &sink).await;
    sink.wait_for(1).await;
    eventually(SOON, || async { pending(&raw, "orders").await == 3 }).await;
    let open_for_long = tokio::time::timeout(Duration::from_millis(100), subscription.close()).await;
    assert!(open_for_long.is_err(), "a message is in hand");
    gate.add_permits(10);
    tokio::time::timeout(SOON, subscription.close()).await.unwrap();
    assert_eq!(sink.texts(), ["0"]);
    assert_eq!(
        pending(&raw, "orders").await,
        2,
        "one was acknowledged before close returned"
    );
    broker.close().await;
    assert!(matches!(
        broker.publish(message("orders", "x")).await,
        Err(Error::Closed)
    ));
    assert_eq!(context.tasks.close(SOON).await, []);
}

#[tokio::test]
async fn whoever_closes_waits_for_what_is_in_hand() {
    let (_server, broker, raw) = setup().await;
    let gate = Arc::new(Semaphore::new(0));
    let sink = Sink::new(Rule::Gate(gate.clone()));
    let _subscription = subscribe(&*broker, "orders", &sink).await;
    broker.publish(message("orders", "x")).await.unwrap();
    sink.wait_for(1).await;
    let mut closes = [Box::pin(broker.close()), Box::pin(broker.close())];
    for close in &mut closes {
        assert!(futures_util::poll!(close).is_pending());
    }
    gate.add_permits(1);
    futures_util::future::join_all(closes).await;
    assert_eq!(pending(&raw, "orders").await, 0);
}

#[tokio::test]
async fn a_subscription_that_comes_to_be_after_the_close_is_refused() {
    let server = RedisServer::start().await.unwrap();
    let context = Context::for_test("redis");
    let broker = broker_in(&context, &server, &[]).await;
    server.freeze().unwrap();
    let sink = Sink::new(Rule::Succeed);
    let mut subscribing = Box::pin(subscribe_to(&*broker, "orders", &sink));
    assert!(futures_util::poll!(&mut subscribing).is_pending());
    broker.close().await;
    server.thaw().unwrap();
    let refused = subscribing.await.err().unwrap();
    assert!(matches!(refused, Error::Closed), "{refused:?}");
    drop(broker);
    eventually(SOON, async || context.tasks.is_empty()).await;
}

#[tokio::test]
async fn a_closed_broker_ends_its_subscriptions_and_a_dropped_one_ends_itself() {
    let server = RedisServer::start().await.unwrap();
    let context = Context::for_test("closing");
    let broker = broker_in(&context, &server, &[]).await;
    let sink = Sink::new(Rule::Succeed);
    let dropped = subscribe(&*broker, "a", &sink).await;
    let _kept = subscribe(&*broker, "b", &sink).await;
    let before = context.tasks.len();
    drop(dropped);
    eventually(SOON, || std::future::ready(context.tasks.len() <= before / 2 + 1)).await;
    broker.close().await;
    let request = outrigger_block_pubsub::Subscribe {
        topic: "c".to_owned(),
        ..Default::default()
    };
    assert!(matches!(
        broker.subscribe(request, sink).await,
        Err(Error::Closed)
    ));
    assert_eq!(context.tasks.close(SOON).await, []);
}

#[tokio::test]
async fn a_topic_that_is_no_stream_is_refused_at_once() {
    let (_server, broker, raw) = setup().await;
    raw.tell(&["SET", "text", "x"]).await;
    let request = outrigger_block_pubsub::Subscribe {
        topic: "text".to_owned(),
        ..Default::default()
    };
    assert!(matches!(
        broker.subscribe(request, Sink::new(Rule::Succeed)).await,
        Err(Error::Failed { .. })
    ));
    assert!(matches!(
        broker.publish(message("text", "x")).await,
        Err(Error::Failed { .. })
    ));
    let none = Properties::new([("redisHost", "127.0.0.1:1"), ("concurrency", "0")]);
    let error = outrigger_component_redis::broker(Context::for_test("b"), none)
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        OpenError::Invalid {
            property: "concurrency",
            ..
        }
    ));
}
