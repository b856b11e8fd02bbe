//! Locked, full, read-only, broken: clear errors, and nothing acknowledged is lost.

use std::{
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use outrigger_base_std::chain;
use outrigger_block_kit::OpenError;
use outrigger_block_state::Error;

use crate::support::{delete, get, open, raw, set, text, try_open, try_open_string};

#[tokio::test]
async fn a_locked_database_is_a_retryable_error_for_all_who_waited() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = open(&path, &[("busyTimeout", "100ms")]).await;
    store.set(set("before", "1")).await.unwrap();
    let other = raw(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let started = Instant::now();
    let requests = (0..8).map(|n| set(&format!("k{n}"), "1"));
    for result in join_all(requests.map(|request| store.set(request))).await {
        let error = result.unwrap_err();
        assert!(
            error.retryable() && matches!(error, Error::Unavailable { .. }),
            "{error:?}"
        );
        assert_eq!(chain(&error), "write to the SQLite database: database is locked");
    }
    // One time-out for the first and one for the rest, not one for each.
    assert!(
        started.elapsed() < Duration::from_millis(700),
        "{:?}",
        started.elapsed()
    );
    let results = store.bulk_set(vec![set("k0", "1"), set("k1", "1")]).await;
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Err(Error::Unavailable { .. }))),
        "{results:?}"
    );
    // Readers go on.
    assert_eq!(text(&store, "before").await.as_deref(), Some("1"));
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(text(&store, "k0").await, None);
    store.set(set("k0", "2")).await.unwrap();
    assert_eq!(text(&store, "k0").await.as_deref(), Some("2"));
    store.close().await;
}

#[tokio::test]
async fn a_lock_that_ends_in_time_is_waited_for() {
    for (lock, disable_wal) in [
        ("immediate", "0"),
        ("deferred", "0"),
        ("exclusive", "0"),
        ("immediate", "1"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let string = format!("file:{}?_txlock={lock}", path.display());
        let more = [("busyTimeout", "10s"), ("disableWAL", disable_wal)];
        let store = try_open_string(&string, &more).await.unwrap();
        let other = raw(&path);
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut write = store.set(set("k", "1"));
        let early = tokio::time::timeout(Duration::from_millis(50), &mut write).await;
        assert!(early.is_err(), "{lock}: {early:?} while another holds the lock");
        other.execute_batch("COMMIT").unwrap();
        write.await.unwrap();
        assert_eq!(text(&store, "k").await.as_deref(), Some("1"));
        store.close().await;
    }
}

#[tokio::test]
async fn a_refused_commit_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = open(&path, &[("disableWAL", "true"), ("busyTimeout", "50ms")]).await;
    store.set(set("k", "old")).await.unwrap();
    // Outside WAL mode a reader with an open transaction keeps the writer from committing.
    let other = raw(&path);
    other.execute_batch("BEGIN; SELECT * FROM state").unwrap();
    let error = store.set(set("k", "new")).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert_eq!(chain(&error), "write to the SQLite database: database is locked");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(text(&store, "k").await.as_deref(), Some("old"));
    store.set(set("k", "new")).await.unwrap();
    assert_eq!(text(&store, "k").await.as_deref(), Some("new"));
    store.close().await;
}

#[tokio::test]
async fn a_call_ends_with_the_timeout_of_the_component() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = open(&path, &[("busyTimeout", "3s"), ("timeout", "1")]).await;
    let other = raw(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.set(set("k", "1")).await.unwrap_err();
    assert!(error.retryable());
    assert_eq!(
        chain(&error),
        "write to the SQLite database: no answer within 1s, the timeout of the component"
    );
    other.execute_batch("COMMIT").unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_full_disk_refuses_what_has_no_room_and_keeps_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let string = format!("file:{}?_pragma=max_page_count(64)", path.display());
    let store = try_open_string(&string, &[]).await.unwrap();
    let value = "v".repeat(3000);
    let mut acknowledged = Vec::new();
    let error = loop {
        let key = format!("k{}", acknowledged.len());
        match store.set(set(&key, &value)).await {
            Ok(()) => acknowledged.push(key),
            Err(error) => break error,
        }
        assert!(acknowledged.len() < 100, "64 pages cannot hold this");
    };
    assert!(acknowledged.len() > 10);
    assert_eq!(
        chain(&error),
        "write to the SQLite database: database or disk is full"
    );
    for key in &acknowledged {
        assert_eq!(text(&store, key).await.as_ref(), Some(&value), "{key}");
    }
    // In one batch, what has no room fails alone: the delete, and then the small one, find theirs.
    let big = "b".repeat(1 << 20);
    let (too_big, removed, small) = tokio::join!(
        store.set(set("big", &big)),
        store.delete(delete("k0")),
        store.set(set("small", "s")),
    );
    assert!(matches!(too_big, Err(Error::Failed { .. })), "{too_big:?}");
    removed.unwrap();
    small.unwrap();
    assert_eq!(text(&store, "big").await, None);
    assert_eq!(text(&store, "k0").await, None);
    assert_eq!(text(&store, "small").await.as_deref(), Some("s"));
    store.close().await;
    let store = open(&path, &[]).await;
    for key in &acknowledged[1..] {
        assert_eq!(text(&store, key).await.as_ref(), Some(&value), "{key}");
    }
    store.close().await;
}

#[tokio::test]
async fn a_read_only_database_is_read_and_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let string = format!("file:{}?mode=ro", path.display());
    let error = try_open_string(&string, &[]).await.unwrap_err();
    assert!(
        chain(&error).contains("unable to open database file"),
        "{}",
        chain(&error)
    );
    let store = open(&path, &[]).await;
    store.set(set("k", "1")).await.unwrap();
    store.close().await;
    let store = try_open_string(&string, &[]).await.unwrap();
    assert_eq!(text(&store, "k").await.as_deref(), Some("1"));
    for result in [store.set(set("k", "2")).await, store.delete(delete("k")).await] {
        let error = result.unwrap_err();
        assert!(
            !error.retryable() && error.to_string().contains("reading only"),
            "{error}"
        );
    }
    assert_eq!(text(&store, "k").await.as_deref(), Some("1"));
    store.close().await;
}

#[tokio::test]
async fn what_is_no_database_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.txt");
    std::fs::write(&path, "Dear reader, ".repeat(500)).unwrap();
    let error = try_open(&path, &[]).await.unwrap_err();
    assert!(matches!(error, OpenError::Unavailable { .. }));
    assert_eq!(chain(&error), "open the SQLite database: file is not a database");
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("Dear reader"));
    for nowhere in [
        folder.path().join("none/state.db").as_path(),
        folder.path(),
        Path::new("/dev/null/x"),
    ] {
        let error = try_open(nowhere, &[]).await.unwrap_err();
        assert!(
            chain(&error).starts_with("open the SQLite database: unable to open database file"),
            "{}",
            chain(&error)
        );
    }
}

#[tokio::test]
async fn a_damaged_page_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = open(&path, &[]).await;
    let rows: Vec<_> = (0..200)
        .map(|n| set(&format!("key-{n}"), &"v".repeat(500)))
        .collect();
    assert!(store.bulk_set(rows).await.iter().all(Result::is_ok));
    store.close().await;
    // The first page, with the schema, stays; everything behind it is overwritten.
    let length = std::fs::metadata(&path).unwrap().len() as usize;
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(4096)).unwrap();
    file.write_all(&vec![0xAB; length - 4096]).unwrap();
    drop(file);
    let outcome = match try_open(&path, &[]).await {
        Err(error) => chain(&error),
        Ok(store) => {
            let read = chain(&get(&store, "key-7").await.unwrap_err());
            let written = store.set(set("key-7", "new")).await.unwrap_err();
            assert!(matches!(written, Error::Failed { .. }), "{written:?}");
            store.close().await;
            read
        }
    };
    assert!(outcome.contains("database disk image is malformed"), "{outcome}");
}
