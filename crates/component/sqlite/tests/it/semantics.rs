//! ETags, first write, time to live, transactions, bulk: what the rows mean.

use std::sync::Arc;

use outrigger_base_clock::{ManualClock, SignedDuration, Timestamp};
use outrigger_block_state::{Capability, Concurrency, Error, GetRequest, Operation, Options, SetRequest};

use crate::support::{
    Shared, delete, delete_if, etag, get, open, open_at, set, set_if, set_ttl, text, transact,
};

fn first(key: &str, value: &str) -> SetRequest {
    SetRequest {
        options: Options {
            concurrency: Concurrency::FirstWrite,
            ..Options::default()
        },
        ..set(key, value)
    }
}

async fn fresh() -> (tempfile::TempDir, Shared) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("state.db"), &[]).await;
    (folder, store)
}

#[tokio::test]
async fn capabilities_are_daprs_and_actors() {
    let (_folder, store) = fresh().await;
    assert_eq!(
        store.capabilities(),
        [
            Capability::ETag,
            Capability::Transactional,
            Capability::Ttl,
            Capability::KeysLike,
            Capability::Actor
        ]
    );
    assert!(
        store.transactional().is_some()
            && store.keys_like().is_some()
            && store.delete_with_prefix().is_none()
    );
    store.ping().await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn an_etag_is_checked_whatever_the_concurrency() {
    let (_folder, store) = fresh().await;
    store.set(set("k", "1")).await.unwrap();
    let old = etag(&store, "k").await;
    let last_write = SetRequest {
        options: Options {
            concurrency: Concurrency::LastWrite,
            ..Options::default()
        },
        ..set_if("k", "2", "wrong")
    };
    assert!(matches!(store.set(last_write).await, Err(Error::ETagMismatch)));
    store.set(set_if("k", "2", &old)).await.unwrap();
    assert!(matches!(
        store.set(set_if("k", "3", &old)).await,
        Err(Error::ETagMismatch)
    ));
    assert!(matches!(
        store.set(set_if("none", "3", &old)).await,
        Err(Error::ETagMismatch)
    ));
    assert!(matches!(
        store.delete(delete_if("k", &old)).await,
        Err(Error::ETagMismatch)
    ));
    assert!(matches!(
        store.delete(delete_if("none", &old)).await,
        Err(Error::ETagMismatch)
    ));
    assert_eq!(text(&store, "k").await.as_deref(), Some("2"));
    let now = etag(&store, "k").await;
    store.delete(delete_if("k", &now)).await.unwrap();
    store.delete(delete("k")).await.unwrap();
    assert_eq!(text(&store, "k").await, None);
    store.close().await;
}

#[tokio::test]
async fn first_write_yields_to_a_live_row_only() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(
        "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap(),
    ));
    let store = open_at(&folder.path().join("state.db"), clock.clone(), &[]).await;
    store.set(first("k", "1")).await.unwrap();
    assert!(matches!(
        store.set(first("k", "2")).await,
        Err(Error::ETagMismatch)
    ));
    store.set(set_ttl("k", "3", "10")).await.unwrap();
    clock.advance(SignedDuration::from_secs(9));
    assert!(matches!(
        store.set(first("k", "4")).await,
        Err(Error::ETagMismatch)
    ));
    let old = etag(&store, "k").await;
    clock.advance(SignedDuration::from_secs(1));
    assert_eq!(text(&store, "k").await, None);
    assert!(matches!(
        store.set(set_if("k", "5", &old)).await,
        Err(Error::ETagMismatch)
    ));
    store.set(first("k", "6")).await.unwrap();
    assert_eq!(text(&store, "k").await.as_deref(), Some("6"));
    store.close().await;
}

#[tokio::test]
async fn time_to_live_is_told_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(
        "2026-01-01T00:00:00.9Z".parse::<Timestamp>().unwrap(),
    ));
    let store = open_at(&folder.path().join("state.db"), clock.clone(), &[]).await;
    for bad in ["foo", "-2", "2147483648"] {
        assert!(
            matches!(store.set(set_ttl("k", "1", bad)).await, Err(Error::Ttl(_))),
            "{bad}"
        );
    }
    store.set(set_ttl("k", "1", "60")).await.unwrap();
    let item = get(&store, "k").await.unwrap().unwrap();
    assert_eq!(item.metadata["ttlExpireTime"], "2026-01-01T00:01:00Z");
    let request = GetRequest {
        key: "k".to_owned(),
        ..GetRequest::default()
    };
    let bulk = store.bulk_get(vec![request], 0).await.unwrap();
    assert_eq!(bulk[0].1.as_ref().unwrap().as_ref().unwrap(), &item);
    for lifted in [set_ttl("k", "2", "-1"), set("k", "3")] {
        store.set(set_ttl("k", "1", "60")).await.unwrap();
        store.set(lifted).await.unwrap();
        assert!(get(&store, "k").await.unwrap().unwrap().metadata.is_empty());
    }
    store.set(set_ttl("k", "1", "2147483647")).await.unwrap();
    clock.advance(SignedDuration::from_secs(2_147_483_646));
    assert!(get(&store, "k").await.unwrap().is_some());
    clock.advance(SignedDuration::from_secs(1));
    assert!(get(&store, "k").await.unwrap().is_none());
    store.close().await;
}

#[tokio::test]
async fn a_transaction_is_all_or_nothing_and_keeps_its_order() {
    let (_folder, store) = fresh().await;
    store.set(set("a", "0")).await.unwrap();
    let operations = vec![
        Operation::Delete(delete("a")),
        Operation::Set(set("b", "1")),
        Operation::Delete(delete("b")),
        Operation::Set(set("b", "2")),
        Operation::Delete(delete("never")),
    ];
    transact(&store, operations).await.unwrap();
    assert_eq!(
        (text(&store, "a").await, text(&store, "b").await.as_deref()),
        (None, Some("2"))
    );
    let operations = vec![
        Operation::Set(set("c", "1")),
        Operation::Delete(delete("b")),
        Operation::Set(set_if("b", "3", "wrong")),
    ];
    assert!(matches!(
        transact(&store, operations).await,
        Err(Error::ETagMismatch)
    ));
    let operations = vec![
        Operation::Set(set("c", "1")),
        Operation::Set(set_ttl("d", "1", "foo")),
    ];
    assert!(matches!(transact(&store, operations).await, Err(Error::Ttl(_))));
    assert_eq!(
        (text(&store, "c").await, text(&store, "b").await.as_deref()),
        (None, Some("2"))
    );
    transact(&store, Vec::new()).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn bulk_requests_have_a_result_each() {
    let (_folder, store) = fresh().await;
    let results = store
        .bulk_set(vec![
            set("a", "1"),
            set_ttl("b", "1", "foo"),
            set_if("c", "1", "wrong"),
            set("", "1"),
            set("a", "2"),
        ])
        .await;
    assert!(results[0].is_ok() && results[4].is_ok());
    assert!(matches!(results[1], Err(Error::Ttl(_))));
    assert!(matches!(results[2], Err(Error::ETagMismatch)));
    assert!(matches!(&results[3], Err(Error::Invalid(text)) if text == "missing key in set option"));
    let keys: Vec<_> = (0..100)
        .map(|n| format!("k{n}"))
        .chain(["a".to_owned(), "a".to_owned()])
        .collect();
    let requests: Vec<_> = keys
        .iter()
        .map(|key| GetRequest {
            key: key.clone(),
            ..GetRequest::default()
        })
        .collect();
    let answers = store.bulk_get(requests, 0).await.unwrap();
    assert!(answers.iter().map(|(key, _)| key).eq(&keys));
    let found = answers
        .iter()
        .filter(|(_, item)| item.as_ref().unwrap().is_some());
    assert_eq!(found.map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["a", "a"]);
    let results = store
        .bulk_delete(vec![delete_if("a", "wrong"), delete("none"), delete("a")])
        .await;
    assert!(matches!(results[..], [Err(Error::ETagMismatch), Ok(()), Ok(())]));
    assert_eq!(text(&store, "a").await, None);
    store.close().await;
}

#[tokio::test]
async fn keys_must_not_be_empty_and_may_be_anything_else() {
    let (_folder, store) = fresh().await;
    assert!(matches!(get(&store, "").await, Err(Error::Invalid(_))));
    assert!(matches!(store.delete(delete("")).await, Err(Error::Invalid(_))));
    for key in ["'; DROP TABLE state; --", "a\u{0}b", "a", "\u{1F6F6}", "%_\\"] {
        store.set(set(key, key)).await.unwrap();
        assert_eq!(text(&store, key).await.as_deref(), Some(key));
    }
    let long = "x".repeat(1 << 20);
    store.set(set("long", &long)).await.unwrap();
    assert_eq!(text(&store, "long").await.as_deref(), Some(&*long));
    store.close().await;
}
