//! The end of a store.

use futures_util::{future::join_all, poll};
use outrigger_block_state::{Error, GetRequest};
use outrigger_testing_harness::eventually;

use crate::support::{LONG, Shared, delete, get, open, raw, set, text, try_open_string};

#[tokio::test]
async fn close_finishes_the_writes_in_hand_and_then_everything_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = open(&path, &[("busyTimeout", "10s")]).await;
    let other = raw(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut writes: Vec<_> = (0..10)
        .map(|n| {
            Box::pin({
                let store = store.clone();
                async move { store.set(set(&format!("k{n}"), "1")).await }
            })
        })
        .collect();
    for write in &mut writes {
        assert!(poll!(write).is_pending());
    }
    let mut closing = Box::pin(store.close());
    assert!(poll!(&mut closing).is_pending());
    other.execute_batch("COMMIT").unwrap();
    drop(other);
    let ((), results) = tokio::join!(closing, join_all(writes));
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    all_is_closed(&store).await;
    store.close().await;
    // The last one out has brought the log into the file.
    assert!(!folder.path().join("state.db-wal").exists());
    let store = open(&path, &[]).await;
    for n in 0..10 {
        assert_eq!(text(&store, &format!("k{n}")).await.as_deref(), Some("1"));
    }
    store.close().await;
}

#[tokio::test]
async fn a_closed_store_in_memory_is_closed_too() {
    let store = try_open_string(":memory:", &[]).await.unwrap();
    store.close().await;
    all_is_closed(&store).await;
}

async fn all_is_closed(store: &Shared) {
    assert!(matches!(store.set(set("k", "1")).await, Err(Error::Closed)));
    assert!(matches!(store.delete(delete("k")).await, Err(Error::Closed)));
    assert!(matches!(get(store, "k").await, Err(Error::Closed)));
    assert!(matches!(store.ping().await, Err(Error::Closed)));
    assert!(matches!(
        store.bulk_get(vec![GetRequest::default()], 0).await,
        Err(Error::Closed)
    ));
    let results = store.bulk_set(vec![set("k", "1"), set("", "1")]).await;
    assert!(matches!(
        results[..],
        [Err(Error::Closed), Err(Error::Invalid(_))]
    ));
}

#[tokio::test]
async fn a_store_that_is_dropped_lets_go_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = open(&path, &[("cleanupInterval", "1h")]).await;
    store.set(set("k", "1")).await.unwrap();
    drop(store);
    // Its threads end, and the last connection to go removes the log.
    eventually(LONG, async || !folder.path().join("state.db-wal").exists()).await;
}
