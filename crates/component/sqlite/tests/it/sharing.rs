//! Several programs on one file.

use std::sync::Arc;

use outrigger_block_state::Error;

use crate::support::{Shared, etag, one, open, raw, set, set_if, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_on_one_file_lose_no_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let stores = [open(&path, &[]).await, open(&path, &[]).await];
    stores[0].set(set("counter", "0")).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for (number, store) in stores.iter().enumerate() {
        for task in 0..4 {
            let store = store.clone();
            tasks.spawn(async move {
                for round in 0..25 {
                    store
                        .set(set(&format!("{number}-{task}-{round}"), "1"))
                        .await
                        .unwrap();
                    increment(&store).await;
                }
            });
        }
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    for store in &stores {
        assert_eq!(text(store, "counter").await.as_deref(), Some("200"));
        store.close().await;
    }
    assert_eq!(one(&raw(&path), "SELECT count(*) FROM state"), "201");
}

/// Adds one, as often as it takes to be the one whose ETag still stands.
async fn increment(store: &Shared) {
    loop {
        let before = etag(store, "counter").await;
        let count: u32 = text(store, "counter").await.unwrap().parse().unwrap();
        match store
            .set(set_if("counter", &(count + 1).to_string(), &before))
            .await
        {
            Ok(()) => return,
            Err(Error::ETagMismatch) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_that_start_together_on_a_new_file_all_open() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..10 {
        let path = folder.path().join(format!("{round}.db"));
        let opening = (0..8).map(|_| open(&path, &[]));
        let stores = futures_util::future::join_all(opening).await;
        let writes = stores
            .iter()
            .enumerate()
            .map(|(n, store)| store.set(set(&format!("k{n}"), "1")));
        for result in futures_util::future::join_all(writes).await {
            result.unwrap();
        }
        for store in stores {
            store.close().await;
        }
        assert_eq!(one(&raw(&path), "SELECT count(*) FROM state"), "8");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_who_writes_in_between_is_seen_and_sees_us() {
    let folder = tempfile::tempdir().unwrap();
    let path = Arc::new(folder.path().join("state.db"));
    let store = open(&path, &[]).await;
    let stranger = raw(&path);
    for round in 0..50 {
        store.set(set("ours", &round.to_string())).await.unwrap();
        assert_eq!(
            one(&stranger, "SELECT count(*) FROM state WHERE key = 'ours'"),
            "1"
        );
        let row = format!(
            "INSERT OR REPLACE INTO state (key, value, is_binary, etag) VALUES ('theirs', '{round}', 0, 'e{round}')"
        );
        stranger.execute_batch(&row).unwrap();
        assert_eq!(text(&store, "theirs").await, Some(round.to_string()));
        assert_eq!(etag(&store, "theirs").await, format!("e{round}"));
    }
    store.close().await;
}
