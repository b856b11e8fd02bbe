//! What the conformance suite cannot see: the clock is stopped, memory is counted.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use outrigger_base_clock::{ManualClock, SeededEntropy, SignedDuration, Timestamp};
use outrigger_block_kit::Context;
use outrigger_block_state::{ETag, GetRequest, Options, SetRequest, Store, Value};

use super::MemoryStore;

fn store_at(clock: &Arc<ManualClock>) -> Arc<MemoryStore> {
    MemoryStore::open(&Context {
        clock: clock.clone(),
        entropy: Arc::new(SeededEntropy::new(1)),
        ..Context::for_test("store")
    })
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_second(1_000).unwrap()))
}

fn write(key: &str, ttl: Option<&str>) -> SetRequest {
    SetRequest {
        key: key.to_owned(),
        value: Value::Bytes(Bytes::from_static(b"value")),
        etag: None,
        options: Options::default(),
        metadata: ttl
            .map(|ttl| ("ttlInSeconds".to_owned(), ttl.to_owned()))
            .into_iter()
            .collect(),
    }
}

fn read(key: &str) -> GetRequest {
    GetRequest {
        key: key.to_owned(),
        ..GetRequest::default()
    }
}

#[tokio::test]
async fn a_value_is_there_up_to_its_end_and_not_after() {
    let clock = clock();
    let store = store_at(&clock);
    store.set(write("k", Some("2"))).await.unwrap();
    clock.advance(SignedDuration::from_secs(2));
    let item = store.get(read("k")).await.unwrap().unwrap();
    assert_eq!(item.metadata["ttlExpireTime"], "1970-01-01T00:16:42Z");
    clock.advance(SignedDuration::from_millis(1));
    assert_eq!(store.get(read("k")).await.unwrap(), None);
}

#[tokio::test]
async fn etags_come_from_the_injected_entropy() {
    let (a, b) = (store_at(&clock()), store_at(&clock()));
    let mut etags = Vec::new();
    for store in [a, b] {
        store.set(write("k", None)).await.unwrap();
        etags.push(store.get(read("k")).await.unwrap().unwrap().etag.unwrap());
    }
    assert_eq!(etags[0], etags[1]);
    assert_eq!(etags[0].as_str().len(), 36);
    assert_ne!(Some(etags[0].clone()), ETag::new("x"));
}

#[tokio::test(start_paused = true)]
async fn the_sweep_frees_what_ended() {
    let clock = clock();
    let store = store_at(&clock);
    for n in 0..100 {
        let ttl = (n % 2 == 0).then_some("5");
        store.set(write(&n.to_string(), ttl)).await.unwrap();
    }
    // Written again with another end, without an end, and removed: each has at most one end on the list.
    store.set(write("0", Some("9"))).await.unwrap();
    store.set(write("2", None)).await.unwrap();
    store.set(write("4", Some("5"))).await.unwrap();
    assert_eq!(store.shards.sizes(), (100, 49));
    clock.advance(SignedDuration::from_secs(6));
    assert_eq!(store.shards.sizes(), (100, 49));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(store.shards.sizes(), (52, 1));
}

#[tokio::test(start_paused = true)]
async fn the_sweep_ends_with_the_store() {
    let ctx = Context::for_test("store");
    let dropped = MemoryStore::open(&ctx);
    let tasks = dropped.tasks.clone();
    drop(dropped);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(tasks.is_empty());

    let closed = MemoryStore::open(&ctx);
    closed.close().await;
    assert!(closed.tasks.is_empty());
    assert_eq!(closed.shards.sizes(), (0, 0));
}

#[tokio::test]
async fn a_value_does_not_keep_its_request_alive() {
    let store = store_at(&clock());
    let body = Bytes::from(vec![7u8; 1 << 16]);
    let mut request = write("k", None);
    request.value = Value::Bytes(body.slice(10..20));
    store.set(request).await.unwrap();
    assert!(body.is_unique());
}
