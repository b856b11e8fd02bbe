//! Redis gone, and back.

use std::time::{Duration, Instant};

use outrigger_block_kit::Context;
use outrigger_block_state::Error;
use outrigger_testing_harness::{RedisServer, eventually};

use crate::raw::{Raw, first, get, held, properties, read, set, set_if, setup, store_with};

const SOON: Duration = Duration::from_secs(15);
const QUICK: &[(&str, &str)] = &[("redisMinRetryInterval", "5"), ("redisMaxRetryInterval", "20")];

#[tokio::test]
async fn calls_fail_in_time_while_it_is_gone_and_succeed_when_it_is_back() {
    let mut server = RedisServer::start().await.unwrap();
    let store = store_with(&server, QUICK).await;
    store.set(set("k", "before")).await.unwrap();
    server.kill();
    let start = Instant::now();
    for _ in 0..3 {
        let error = store.get(get("k")).await.unwrap_err();
        assert!(
            matches!(error, Error::Unavailable { .. }) && error.retryable(),
            "{error}"
        );
    }
    assert!(store.set(set("k", "lost")).await.unwrap_err().retryable());
    assert!(store.ping().await.is_err());
    assert!(start.elapsed() < SOON, "bounded");
    server.start_again().await.unwrap();
    assert_eq!(read(&*store, "k").await, held("before", "1"));
    store.set(set_if("k", "after", "1")).await.unwrap();
    assert_eq!(read(&*store, "k").await, held("after", "2"));
}

#[tokio::test]
async fn a_short_absence_is_bridged_by_retries() {
    let mut server = RedisServer::start().await.unwrap();
    let store = store_with(
        &server,
        &[("redisMaxRetries", "200"), ("redisMinRetryInterval", "20")],
    )
    .await;
    store.set(set("k", "a")).await.unwrap();
    server.kill();
    let (written, ()) = tokio::join!(store.set(set("k", "b")), async {
        server.start_again().await.unwrap();
    });
    written.unwrap();
    assert_eq!(read(&*store, "k").await, held("b", "2"));
}

#[tokio::test]
async fn connections_that_the_server_closes_cost_no_write_and_double_none() {
    let (_server, store, raw) = setup().await;
    store.set(set("k", "a")).await.unwrap();
    for n in 1..=10 {
        raw.tell(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
            .await;
        // Had a try been carried out and been reported as failed, the next one would meet a newer version for ever.
        eventually(SOON, || async {
            store.set(first(set_if("k", "b", &n.to_string()))).await
        })
        .await;
        assert_eq!(read(&*store, "k").await, held("b", &(n + 1).to_string()));
    }
}

#[tokio::test]
async fn a_server_that_hangs_costs_one_limit_and_no_more() {
    let server = RedisServer::start().await.unwrap();
    let store = store_with(&server, &[("readTimeout", "200")]).await;
    store.set(set("k", "a")).await.unwrap();
    server.freeze().unwrap();
    let start = Instant::now();
    let error = store.get(get("k")).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    server.thaw().unwrap();
    eventually(SOON, || async {
        store.get(get("k")).await.map(|item| assert!(item.is_some()))
    })
    .await;
}

#[tokio::test]
async fn a_server_that_forgot_the_scripts_is_taught_again() {
    let (_server, store, raw) = setup().await;
    store.set(set("k", "a")).await.unwrap();
    raw.tell(&["SCRIPT", "FLUSH"]).await;
    store.set(set("k", "b")).await.unwrap();
    assert_eq!(read(&*store, "k").await, held("b", "2"));
}

#[tokio::test]
async fn many_callers_share_one_connection() {
    let (_server, store, raw) = setup().await;
    let calls = (0..500).map(|n| {
        let store = store.clone();
        async move {
            let key = format!("k{n}");
            store.set(set(&key, &key)).await.unwrap();
            assert_eq!(read(&*store, &key).await, held(&key, "1"));
        }
    });
    futures_util::future::join_all(calls).await;
    let clients: String = raw.ask(&["CLIENT", "LIST"]).await;
    assert_eq!(clients.lines().count(), 2, "{clients}");
}

#[tokio::test]
async fn a_dropped_store_leaves_no_connection_and_no_task() {
    let (server, _store, raw) = setup().await;
    let context = Context::for_test("dropped");
    let store = outrigger_component_redis::store(context.clone(), properties(&server, &[]))
        .await
        .unwrap();
    assert_eq!(context.tasks.len(), 1);
    drop(store);
    eventually(SOON, || std::future::ready(context.tasks.is_empty())).await;
    let raw: Raw = raw;
    eventually(SOON, || async {
        raw.ask::<String>(&["CLIENT", "LIST"]).await.lines().count() == 2
    })
    .await;
}
