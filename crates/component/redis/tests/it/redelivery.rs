//! What was taken and not finished comes again; what is held does not.

use std::time::Duration;

use outrigger_testing_harness::{RedisServer, eventually};

use crate::{
    raw::Raw,
    sink::{Rule, SOON, Sink, broker, message, subscribe},
};

async fn pending(raw: &Raw) -> Vec<redis::Value> {
    raw.ask(&["XPENDING", "orders", "group", "-", "+", "1000"]).await
}

async fn setup() -> (RedisServer, Raw) {
    let server = RedisServer::start().await.unwrap();
    let raw = Raw::to(&server).await;
    (server, raw)
}

/// Takes everything as a consumer of the group would that dies right after.
async fn take_and_die(raw: &Raw, count: usize) {
    raw.tell(&["XGROUP", "CREATE", "orders", "group", "0", "MKSTREAM"])
        .await;
    for n in 0..count {
        raw.tell(&[
            "XADD",
            "orders",
            "*",
            "data",
            &format!("{n:03}"),
            "metadata",
            "{}",
        ])
        .await;
    }
    raw.tell(&[
        "XREADGROUP",
        "GROUP",
        "group",
        "dead",
        "COUNT",
        "1000",
        "STREAMS",
        "orders",
        ">",
    ])
    .await;
    assert_eq!(pending(raw).await.len(), count);
}

#[tokio::test]
async fn messages_of_a_dead_consumer_are_delivered() {
    let (server, raw) = setup().await;
    take_and_die(&raw, 25).await;
    // Pages of four: all pages must be gone through.
    let settings = [
        ("consumerID", "group"),
        ("processingTimeout", "150ms"),
        ("redeliverInterval", "50"),
        ("queueDepth", "4"),
    ];
    let broker = broker(&server, &settings).await;
    let sink = Sink::new(Rule::Succeed);
    let _subscription = subscribe(&*broker, "orders", &sink).await;
    sink.wait_for(25).await;
    eventually(SOON, || async { pending(&raw).await.is_empty() }).await;
    assert_eq!(
        sink.sorted(),
        (0..25).map(|n| format!("{n:03}")).collect::<Vec<_>>(),
        "once each"
    );
    assert!(
        sink.got
            .lock()
            .unwrap()
            .iter()
            .all(|delivery| delivery.redeliveries == 1)
    );
}

#[tokio::test]
async fn young_entries_are_left_alone_and_zero_turns_redelivery_off() {
    let (server, raw) = setup().await;
    take_and_die(&raw, 3).await;
    let later = [
        ("consumerID", "group"),
        ("processingTimeout", "1h"),
        ("redeliverInterval", "10"),
    ];
    let never = [
        ("consumerID", "group"),
        ("processingTimeout", "1"),
        ("redeliverInterval", "0"),
    ];
    let sink = Sink::new(Rule::Succeed);
    for (count, settings) in [(1, later), (2, never)] {
        let broker = broker(&server, &settings).await;
        let subscription = subscribe(&*broker, "orders", &sink).await;
        broker.publish(message("orders", "new")).await.unwrap();
        sink.wait_for(count).await;
        subscription.close().await;
    }
    assert_eq!(sink.texts(), ["new", "new"]);
    assert_eq!(pending(&raw).await.len(), 3);
}

#[tokio::test]
async fn entries_that_vanished_are_taken_off_the_pending_list() {
    let (server, raw) = setup().await;
    take_and_die(&raw, 3).await;
    raw.tell(&["XTRIM", "orders", "MAXLEN", "1"]).await;
    let settings = [
        ("consumerID", "group"),
        ("processingTimeout", "50"),
        ("redeliverInterval", "20"),
    ];
    let broker = broker(&server, &settings).await;
    let sink = Sink::new(Rule::Succeed);
    let _subscription = subscribe(&*broker, "orders", &sink).await;
    eventually(SOON, || async { pending(&raw).await.is_empty() }).await;
    assert_eq!(sink.texts(), ["002"]);
}

#[tokio::test]
async fn a_handler_that_passes_its_time_gets_the_message_again() {
    let (server, raw) = setup().await;
    let settings = [
        ("consumerID", "group"),
        ("processingTimeout", "200"),
        ("redeliverInterval", "50"),
    ];
    let broker = broker(&server, &settings).await;
    let sink = Sink::new(Rule::HangOnce);
    let _subscription = subscribe(&*broker, "orders", &sink).await;
    broker.publish(message("orders", "slow")).await.unwrap();
    sink.wait_for(2).await;
    eventually(SOON, || async { pending(&raw).await.is_empty() }).await;
    assert_eq!(sink.texts(), ["slow", "slow"]);
    assert!(sink.got.lock().unwrap()[1].redeliveries >= 1);
}

#[tokio::test]
async fn what_waits_in_our_hand_is_claimed_by_nobody() {
    let (server, raw) = setup().await;
    // Eight messages, one handler of 100 ms: the last waits four times as long as entries may lie.
    let settings = [
        ("consumerID", "group"),
        ("processingTimeout", "200"),
        ("redeliverInterval", "20"),
        ("entryKeepAliveInterval", "40ms"),
        ("concurrency", "1"),
    ];
    let slow = broker(&server, &settings).await;
    let sink = Sink::new(Rule::Take(Duration::from_millis(100)));
    for n in 0..8 {
        slow.publish(message("orders", &n.to_string())).await.unwrap();
    }
    let _slow = subscribe(&*slow, "orders", &sink).await;
    sink.wait_for(1).await;
    let other = broker(&server, &settings).await;
    let thief = Sink::new(Rule::Succeed);
    let _other = subscribe(&*other, "orders", &thief).await;
    sink.wait_for(8).await;
    eventually(SOON, || async { pending(&raw).await.is_empty() }).await;
    assert_eq!(sink.sorted(), ["0", "1", "2", "3", "4", "5", "6", "7"]);
    assert_eq!(thief.texts(), [""; 0]);
}
