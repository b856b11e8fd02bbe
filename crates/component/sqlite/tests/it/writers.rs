//! Many writers at once: they share commits and nothing else.

use std::path::Path;

use futures_util::{future::join_all, poll};
use outrigger_block_state::{Error, Operation};

use crate::support::{Shared, delete, etag, open, raw, set, set_if, text, transact};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_writers_get_a_result_each() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("state.db"), &[]).await;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..32 {
        let store = store.clone();
        tasks.spawn(async move { one_writer(&store, task).await });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    store.close().await;
}

/// Writes, is refused, and writes again, twenty times over.
async fn one_writer(store: &Shared, task: usize) {
    let key = format!("key-{task}");
    store.set(set(&key, "0")).await.unwrap();
    for round in 1..=20 {
        let good = etag(store, &key).await;
        let (value, wrong) = (round.to_string(), format!("wrong-{round}"));
        let transaction = vec![
            Operation::Delete(delete(&key)),
            Operation::Set(set_if(&key, "never", &wrong)),
        ];
        let (refused, taken_back) = tokio::join!(
            store.set(set_if(&key, "never", &wrong)),
            transact(store, transaction),
        );
        assert!(matches!(refused, Err(Error::ETagMismatch)), "{refused:?}");
        assert!(matches!(taken_back, Err(Error::ETagMismatch)), "{taken_back:?}");
        store.set(set_if(&key, &value, &good)).await.unwrap();
        assert_eq!(text(store, &key).await, Some(value));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_with_the_same_etag_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("state.db"), &[]).await;
    store.set(set("k", "0")).await.unwrap();
    let good = etag(&store, "k").await;
    let writes = (0..32).map(|n| {
        let request = set_if("k", &n.to_string(), &good);
        let store = &store;
        async move { store.set(request).await }
    });
    let results = join_all(writes).await;
    let winners: Vec<_> = (0..32).filter(|n: &usize| results[*n].is_ok()).collect();
    assert_eq!(winners.len(), 1);
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Ok(()) | Err(Error::ETagMismatch)))
    );
    assert_eq!(text(&store, "k").await, Some(winners[0].to_string()));
    store.close().await;
}

fn wal_size(path: &Path) -> u64 {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    std::fs::metadata(name).unwrap().len()
}

#[tokio::test]
async fn what_waits_shares_a_commit_and_what_was_dropped_is_not_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = open(&path, &[("busyTimeout", "10s")]).await;
    // While another process holds the lock, the writer stands in its first transaction, and the others queue up.
    let other = raw(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let before = wal_size(&path);
    let mut writes: Vec<_> = (0..33)
        .map(|n| {
            Box::pin({
                let request = set(&format!("k{n}"), "1");
                let store = store.clone();
                async move { store.set(request).await }
            })
        })
        .collect();
    for write in &mut writes {
        assert!(poll!(write).is_pending());
    }
    // This caller goes away with its request in the queue.
    drop(writes.pop());
    let mut transaction = Box::pin(transact(
        &store,
        vec![Operation::Set(set("t1", "1")), Operation::Set(set("t2", "1"))],
    ));
    assert!(poll!(&mut transaction).is_pending());
    drop(transaction);
    other.execute_batch("COMMIT").unwrap();
    for result in join_all(writes).await {
        result.unwrap();
    }
    // One commit wrote the few pages that hold the rows, once; 32 commits would have written them 32 times.
    let written = wal_size(&path) - before;
    assert!(written < 32 * 4096, "{written} bytes");
    for n in 0..32 {
        assert_eq!(text(&store, &format!("k{n}")).await.as_deref(), Some("1"));
    }
    for dropped in ["k32", "t1", "t2"] {
        assert_eq!(text(&store, dropped).await, None, "{dropped}");
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_dropped_anywhere_is_done_or_not_and_never_half() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("state.db"), &[]).await;
    for round in 0..200 {
        let keys = [format!("{round}-a"), format!("{round}-b")];
        let operations = keys.iter().map(|key| Operation::Set(set(key, "1"))).collect();
        let mut transaction = Box::pin(transact(&store, operations));
        // It is dropped after as many polls as the round says, wherever the writer is then.
        for _ in 0..round % 4 {
            if poll!(&mut transaction).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(transaction);
        // An acknowledged write comes after everything that was in the queue before it.
        store.set(set("after", "1")).await.unwrap();
        let (a, b) = (text(&store, &keys[0]).await, text(&store, &keys[1]).await);
        assert_eq!(a, b, "round {round}");
        if round % 4 == 0 {
            assert_eq!(a, None, "a request that was never polled");
        }
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_sees_every_write_that_was_acknowledged_before() {
    let folder = tempfile::tempdir().unwrap();
    for more in [&[][..], &[("disableWAL", "true")]] {
        let store = open(&folder.path().join(format!("{}.db", more.len())), more).await;
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..8 {
            let store = store.clone();
            tasks.spawn(async move {
                for round in 0..50 {
                    let (key, value) = (format!("k{task}"), round.to_string());
                    store.set(set(&key, &value)).await.unwrap();
                    assert_eq!(text(&store, &key).await, Some(value));
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        store.close().await;
    }
}
