//! The hash layout, versions, times to live, listing.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use outrigger_block_kit::{Context, OpenError, Properties};
use outrigger_block_state::{Capability, Consistency, Error, Value};
use outrigger_testing_harness::{RedisServer, eventually};

use crate::raw::{
    Raw, delete, delete_if, first, get, held, last, properties, read, set, set_if, setup, store_with, ttl,
};

type Fields = BTreeMap<String, String>;

fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[tokio::test]
async fn what_dapr_wrote_is_read() {
    let (_server, store, raw) = setup().await;
    raw.tell(&[
        "HSET",
        "app||k",
        "data",
        "\"text\"",
        "version",
        "7",
        "first-write",
        "0",
    ])
    .await;
    assert_eq!(read(&*store, "app||k").await, held("\"text\"", "7"));
    assert_eq!(read(&*store, "app||missing").await, None);
    raw.tell(&["SET", "old", "a plain string"]).await;
    assert_eq!(
        read(&*store, "old").await,
        Some(("a plain string".to_owned(), None))
    );
    raw.tell(&["HSET", "half", "data", "x"]).await;
    assert!(matches!(store.get(get("half")).await, Err(Error::Failed { .. })));
    raw.tell(&["LPUSH", "list", "x"]).await;
    assert!(matches!(store.get(get("list")).await, Err(Error::Failed { .. })));
}

#[tokio::test]
async fn what_we_write_has_daprs_layout() {
    let (_server, store, raw) = setup().await;
    store.set(set("k", "one")).await.unwrap();
    assert_eq!(
        raw.ask::<Fields>(&["HGETALL", "k"]).await,
        fields(&[("data", "one"), ("version", "1")])
    );
    let mut json = set("k", "");
    json.value = Value::Json(Bytes::from_static(b"{\"n\":1.50}"));
    store.set(first(json)).await.unwrap();
    assert_eq!(
        raw.ask::<Fields>(&["HGETALL", "k"]).await,
        fields(&[("data", "{\"n\":1.50}"), ("version", "2"), ("first-write", "0")])
    );
    let bytes = set("b", "\0\u{1}binary");
    store.set(bytes.clone()).await.unwrap();
    assert_eq!(
        store.get(get("b")).await.unwrap().unwrap().data,
        *bytes.value.bytes()
    );
    store.set(set("empty", "")).await.unwrap();
    assert_eq!(read(&*store, "empty").await, held("", "1"));
}

#[tokio::test]
async fn versions_guard_writes() {
    let (_server, store, _raw) = setup().await;
    store.set(set("k", "a")).await.unwrap();
    assert!(matches!(
        store.set(set_if("k", "b", "9999999")).await,
        Err(Error::ETagMismatch)
    ));
    assert!(matches!(
        store.set(set_if("k", "b", "bad")).await,
        Err(Error::ETagInvalid)
    ));
    store.set(set_if("k", "b", "1")).await.unwrap();
    assert_eq!(read(&*store, "k").await, held("b", "2"));
    store.set(last(set_if("k", "c", "bad"))).await.unwrap();
    assert_eq!(read(&*store, "k").await, held("c", "3"));
    assert!(matches!(
        store.delete(delete_if("k", "1")).await,
        Err(Error::ETagMismatch)
    ));
    store.delete(delete_if("k", "3")).await.unwrap();
    assert_eq!(read(&*store, "k").await, None);
    store.delete(delete("k")).await.unwrap();
    // As in Dapr, a version asked for where nothing stands is no mismatch.
    store.set(set_if("fresh", "a", "5")).await.unwrap();
    assert_eq!(read(&*store, "fresh").await, held("a", "1"));
}

#[tokio::test]
async fn a_first_write_stays_one() {
    let (_server, store, _raw) = setup().await;
    store.set(first(set("k", "a"))).await.unwrap();
    assert!(matches!(
        store.set(first(set("k", "b"))).await,
        Err(Error::ETagMismatch)
    ));
    assert!(store.set(set("k", "b")).await.is_err(), "the mark is sticky");
    assert!(
        store.set(last(set("k", "b"))).await.is_err(),
        "for last-write as well"
    );
    store.set(first(set_if("k", "b", "1"))).await.unwrap();
    assert!(store.set(first(set_if("k", "c", "1"))).await.is_err());
    assert_eq!(read(&*store, "k").await, held("b", "2"));
    // A delete without a version does not heed the mark, and takes it away.
    store.delete(delete("k")).await.unwrap();
    store.set(set("k", "c")).await.unwrap();
    store.set(set("k", "d")).await.unwrap();
}

#[tokio::test]
async fn a_key_of_another_type_is_replaced() {
    let (_server, store, raw) = setup().await;
    raw.tell(&["SET", "k", "plain"]).await;
    store.set(set_if("k", "a", "4")).await.unwrap();
    assert_eq!(
        raw.ask::<Fields>(&["HGETALL", "k"]).await,
        fields(&[("data", "a"), ("version", "1")])
    );
    raw.tell(&["LPUSH", "list", "x"]).await;
    store.delete(delete_if("list", "4")).await.unwrap();
    assert_eq!(raw.ask::<i64>(&["EXISTS", "list"]).await, 0);
}

#[tokio::test]
async fn times_to_live_are_set_kept_and_lifted() {
    let (server, store, raw) = setup().await;
    let left = |key: &'static str| {
        let raw = raw.clone();
        async move { raw.ask::<i64>(&["TTL", key]).await }
    };
    store.set(ttl(set("k", "a"), "100")).await.unwrap();
    assert!((98..=100).contains(&left("k").await));
    store.set(set("k", "b")).await.unwrap();
    assert!((98..=100).contains(&left("k").await), "it survives an overwrite");
    store.set(ttl(set("k", "c"), "-1")).await.unwrap();
    assert_eq!(left("k").await, -1);
    assert!(matches!(
        store.set(ttl(set("k", "d"), "soon")).await,
        Err(Error::Ttl(_))
    ));
    let refused = store.set(ttl(set_if("k", "d", "77"), "100")).await;
    assert!(matches!(refused, Err(Error::ETagMismatch)));
    assert_eq!(left("k").await, -1, "a refused write changes nothing");

    store.set(ttl(set("short", "a"), "1")).await.unwrap();
    eventually(Duration::from_secs(10), || async {
        read(&*store, "short").await.is_none()
    })
    .await;

    let store = store_with(&server, &[("ttlInSeconds", "50")]).await;
    store.set(set("d", "a")).await.unwrap();
    assert!((48..=50).contains(&left("d").await));
    store.set(ttl(set("d", "a"), "-1")).await.unwrap();
    assert_eq!(left("d").await, -1);
}

#[tokio::test]
async fn bulk_operations_answer_for_each_key() {
    let (_server, store, _raw) = setup().await;
    let keys: Vec<String> = (0..600).map(|n| format!("k{n}")).collect();
    let written = store
        .bulk_set(keys.iter().map(|key| set(key, key)).collect())
        .await;
    assert!(written.len() == 600 && written.iter().all(Result::is_ok));
    let mixed = store
        .bulk_set(vec![set_if("k0", "x", "9"), set_if("k1", "y", "1")])
        .await;
    assert!(matches!(mixed[..], [Err(Error::ETagMismatch), Ok(())]));
    let asked = ["k1", "none", "k599"].map(get).to_vec();
    let answers = store.bulk_get(asked, 0).await.unwrap();
    let texts: Vec<_> = answers
        .into_iter()
        .map(|(key, item)| (key, item.unwrap().map(|item| item.data)))
        .collect();
    assert_eq!(texts[0], ("k1".to_owned(), Some(Bytes::from_static(b"y"))));
    assert_eq!(texts[1], ("none".to_owned(), None));
    assert_eq!(texts[2].1.as_deref(), Some(&b"k599"[..]));
    let gone = store
        .bulk_delete(keys.iter().map(|key| delete(key)).collect())
        .await;
    assert!(gone.len() == 600 && gone.iter().all(Result::is_ok));
}

#[tokio::test]
async fn keys_are_listed_by_pattern_in_pages() {
    let (_server, store, raw) = setup().await;
    assert!(store.capabilities().contains(&Capability::KeysLike));
    let view = store.keys_like().unwrap();
    for n in 0..1025 {
        store.set(set(&format!("app||n{n:04}"), "v")).await.unwrap();
    }
    for key in ["a%b", "a_b", "a.b", "aéb", "a*b", "a[b", "axb", "a\\b"] {
        store.set(set(key, "v")).await.unwrap();
    }
    raw.tell(&["SET", "plain", "x"]).await;
    let list = |pattern: &'static str, size, token: Option<String>| async move {
        view.keys_like(pattern, size, token.as_deref()).await.unwrap()
    };
    assert_eq!(list("app||%", None, None).await.keys.len(), 1025);
    assert_eq!(list("app||%", Some(100_000), None).await.next, None);
    assert_eq!(list("a_b", None, None).await.keys.len(), 8);
    assert_eq!(list(r"a\_b", None, None).await.keys, ["a_b"]);
    assert_eq!(list(r"a\%b", None, None).await.keys, ["a%b"]);
    assert_eq!(list("a*b", None, None).await.keys, ["a*b"]);
    assert_eq!(list("a[b", None, None).await.keys, ["a[b"]);
    assert_eq!(list(r"a\\b", None, None).await.keys, ["a\\b"]);
    assert_eq!(list("%lai_", None, None).await.keys, ["plain"]);
    assert!(matches!(
        view.keys_like("", None, None).await,
        Err(Error::Invalid(_))
    ));

    let first = list("app||n000%", Some(6), None).await;
    assert_eq!(first.keys.first().map(String::as_str), Some("app||n0000"));
    store.delete(delete("app||n0001")).await.unwrap();
    store.set(set("app||n0000a", "v")).await.unwrap();
    let second = list("app||n000%", Some(6), first.next).await;
    assert_eq!(
        second.keys,
        ["app||n0006", "app||n0007", "app||n0008", "app||n0009"]
    );
    assert_eq!(second.next, None);
}

#[tokio::test]
async fn database_and_password_are_used() {
    let server = RedisServer::start_with(&["--requirepass", "secret"])
        .await
        .unwrap();
    let refused = outrigger_component_redis::store(Context::for_test("s"), properties(&server, &[]))
        .await
        .unwrap_err();
    assert!(
        refused.retryable() && refused.to_string().contains(&server.address()),
        "{refused}"
    );
    let store = store_with(&server, &[("redisPassword", "secret"), ("redisDB", "3")]).await;
    store.set(set("k", "v")).await.unwrap();
    let url = format!("redis://:secret@{}/3", server.address());
    let mut raw = redis::Client::open(url)
        .unwrap()
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    let found: i64 = redis::cmd("EXISTS").arg("k").query_async(&mut raw).await.unwrap();
    assert_eq!(found, 1);
    assert!(!format!("{store:?}").contains("secret"));
}

#[tokio::test]
async fn what_is_not_built_or_wrong_is_refused_when_opened() {
    let open = |name: &str, value: &str| {
        let properties = Properties::new([("redisHost", "127.0.0.1:1"), (name, value)]);
        outrigger_component_redis::store(Context::for_test("s"), properties)
    };
    for (name, value) in [
        ("useOIDC", "true"),
        ("useEntraID", "true"),
        ("queryIndexes", "[]"),
    ] {
        let error = open(name, value).await.unwrap_err();
        assert!(
            matches!(error, OpenError::Unsupported(_)) && error.to_string().contains(name),
            "{error}"
        );
    }
    let error = open("redisMaxRetries", "some").await.unwrap_err();
    assert!(matches!(
        error,
        OpenError::Invalid {
            property: "redisMaxRetries",
            ..
        }
    ));
    let error = open("redisMaxRetries", "-1").await.unwrap_err();
    assert!(
        matches!(error, OpenError::Unavailable { .. }),
        "nothing listens there: {error}"
    );
}

#[tokio::test]
async fn a_strong_write_waits_for_the_replica() {
    let server = RedisServer::start().await.unwrap();
    let port = server.port().to_string();
    let replica = RedisServer::start_with(&["--replicaof", "127.0.0.1", &port])
        .await
        .unwrap();
    let (master, copy) = (Raw::to(&server).await, Raw::to(&replica).await);
    eventually(Duration::from_secs(20), || async {
        let info: String = master.ask(&["INFO", "replication"]).await;
        let state = info.contains("connected_slaves:1") && info.contains("state=online");
        state.then_some(()).ok_or(info)
    })
    .await;
    let store = store_with(&server, &[]).await;
    for n in 0..50 {
        let mut request = set("k", &n.to_string());
        request.options.consistency = Consistency::Strong;
        store.set(request).await.unwrap();
        assert_eq!(copy.ask::<String>(&["HGET", "k", "data"]).await, n.to_string());
    }
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let (server, store, _raw) = setup().await;
    let context = Context::for_test("closing");
    let closing = outrigger_component_redis::store(context.clone(), properties(&server, &[]))
        .await
        .unwrap();
    closing.set(set("k", "v")).await.unwrap();
    closing.close().await;
    assert!(matches!(closing.get(get("k")).await, Err(Error::Closed)));
    assert!(matches!(closing.set(set("k", "v")).await, Err(Error::Closed)));
    assert_eq!(context.tasks.close(Duration::from_secs(5)).await, []);
    assert_eq!(read(&*store, "k").await, held("v", "1"));
}
