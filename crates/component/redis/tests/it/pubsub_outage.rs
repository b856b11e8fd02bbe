//! Redis gone and back, seen by publishers and subscribers.

use std::{collections::BTreeSet, time::Duration};

use outrigger_testing_harness::{RedisServer, eventually};

use crate::{
    raw::Raw,
    sink::{Rule, SOON, Sink, broker, message, subscribe},
};

const QUICK: &[(&str, &str)] = &[
    ("redisMinRetryInterval", "5"),
    ("redisMaxRetryInterval", "20"),
    ("processingTimeout", "1s"),
    ("redeliverInterval", "200"),
];

#[tokio::test]
async fn no_acknowledged_publish_is_lost_when_redis_is_killed() {
    let mut server = RedisServer::start().await.unwrap();
    let broker = broker(&server, QUICK).await;
    let sink = Sink::new(Rule::Succeed);
    let _subscription = subscribe(&*broker, "orders", &sink).await;
    let (mut acknowledged, mut failed) = (BTreeSet::new(), 0);
    for round in 0..3 {
        for n in 0..200 {
            if n == 100 {
                server.kill();
            }
            if n == 110 {
                server.start_again().await.unwrap();
            }
            let text = format!("{round}-{n}");
            match broker.publish(message("orders", &text)).await {
                Ok(()) => drop(acknowledged.insert(text)),
                Err(error) => {
                    assert!(error.retryable(), "{error}");
                    failed += 1;
                }
            }
        }
    }
    assert!(
        failed > 0 && acknowledged.len() >= 500,
        "{failed} failed, {} did not",
        acknowledged.len()
    );
    eventually(SOON, || {
        let got: BTreeSet<String> = sink.texts().into_iter().collect();
        let missing: Vec<_> = acknowledged.difference(&got).cloned().collect();
        std::future::ready(if missing.is_empty() { Ok(()) } else { Err(missing) })
    })
    .await;
}

#[tokio::test]
async fn handled_messages_are_acknowledged_when_redis_is_back() {
    let mut server = RedisServer::start().await.unwrap();
    let broker = broker(&server, &[("redisMinRetryInterval", "5")]).await;
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let sink = Sink::new(Rule::Gate(gate.clone()));
    let _subscription = subscribe(&*broker, "orders", &sink).await;
    broker.publish(message("orders", "x")).await.unwrap();
    sink.wait_for(1).await;
    server.kill();
    gate.add_permits(1);
    server.start_again().await.unwrap();
    let raw = Raw::to(&server).await;
    eventually(SOON, || async {
        let rows: Vec<redis::Value> = raw.ask(&["XPENDING", "orders", "app", "-", "+", "10"]).await;
        rows.is_empty()
    })
    .await;
    assert_eq!(sink.texts(), ["x"]);
}

#[tokio::test]
async fn a_subscription_survives_a_server_that_hangs() {
    let server = RedisServer::start().await.unwrap();
    let broker = broker(&server, &[("readTimeout", "300"), ("redisMinRetryInterval", "5")]).await;
    let sink = Sink::new(Rule::Succeed);
    let _subscription = subscribe(&*broker, "orders", &sink).await;
    server.freeze().unwrap();
    let error = broker.publish(message("orders", "lost")).await.unwrap_err();
    assert!(error.retryable());
    server.thaw().unwrap();
    eventually(SOON, || broker.publish(message("orders", "after"))).await;
    eventually(SOON, || {
        std::future::ready(sink.texts().contains(&"after".to_owned()))
    })
    .await;
}

#[tokio::test]
async fn a_group_that_was_deleted_is_made_again() {
    let server = RedisServer::start().await.unwrap();
    let broker = broker(&server, &[("readTimeout", "100")]).await;
    let raw = Raw::to(&server).await;
    let sink = Sink::new(Rule::Succeed);
    let _subscription = subscribe(&*broker, "orders", &sink).await;
    broker.publish(message("orders", "1")).await.unwrap();
    sink.wait_for(1).await;
    raw.tell(&["FLUSHALL"]).await;
    broker.publish(message("orders", "2")).await.unwrap();
    sink.wait_for(2).await;
    raw.tell(&["XGROUP", "DESTROY", "orders", "app"]).await;
    broker.publish(message("orders", "3")).await.unwrap();
    eventually(SOON, || {
        std::future::ready(sink.texts().contains(&"3".to_owned()))
    })
    .await;
}

#[tokio::test]
async fn closing_while_redis_is_away_ends_in_time() {
    let mut server = RedisServer::start().await.unwrap();
    let broker = broker(&server, QUICK).await;
    let sink = Sink::new(Rule::Take(Duration::from_millis(100)));
    let subscription = subscribe(&*broker, "orders", &sink).await;
    broker.publish(message("orders", "x")).await.unwrap();
    sink.wait_for(1).await;
    server.kill();
    tokio::time::timeout(SOON, subscription.close()).await.unwrap();
    tokio::time::timeout(SOON, broker.close()).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_cannot_be_made_does_not_keep_a_subscription() {
    let mut server = RedisServer::start_with(&["--requirepass", "secret"])
        .await
        .unwrap();
    let more = [
        ("redisPassword", "secret"),
        ("dialTimeout", "-1"),
        ("redeliverInterval", "50"),
    ];
    let broker = broker(&server, &more).await;
    let subscription = subscribe(&*broker, "orders", &Sink::new(Rule::Succeed)).await;
    server.kill();
    // It takes connections and never says a word: to the reader, and to who looks for pending entries.
    let silence = tokio::net::TcpListener::bind(server.address()).await.unwrap();
    let _reader = silence.accept().await.unwrap();
    let _other = silence.accept().await.unwrap();
    tokio::time::timeout(SOON, subscription.close()).await.unwrap();
    tokio::time::timeout(SOON, broker.close()).await.unwrap();
}
