//! A disk that is full, and has room again.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use futures_util::future::join_all;
use outrigger_base_std::chain;
use outrigger_block_state::{Error, Operation};
use outrigger_testing_harness::{Process, SmallDisk};

use crate::support::{LONG, Shared, delete, one, open, raw, set, text, transact, try_open};

/// Tells this test binary that it runs with the small disk, and where that is.
const DISK: &str = "OUTRIGGER_SQLITE_SMALL_DISK";
/// The disk's size in MiB: some times what the log grows to before it is copied into the file, which is 4 MiB.
const SIZE: u32 = 32;
/// Bytes of a value; some dozens fill the disk.
const VALUE: usize = 100_000;
/// Bytes of each file that is put in the way first, and removed when there is to be room: enough to copy the log.
const BALLAST: usize = 6 << 20;

/// What was acknowledged: the letter of which each value is made.
type Acknowledged = BTreeMap<String, char>;

#[tokio::test]
async fn a_full_disk_loses_nothing_and_is_used_again_when_it_has_room() {
    match std::env::var_os(DISK) {
        Some(disk) => gets_full_and_has_room_again(Path::new(&disk)).await,
        None => on_a_small_disk("a_full_disk_loses_nothing_and_is_used_again_when_it_has_room").await,
    }
}

#[tokio::test]
async fn a_full_disk_stops_only_what_makes_the_file_grow() {
    match std::env::var_os(DISK) {
        Some(disk) => goes_on_within_its_file(Path::new(&disk)).await,
        None => on_a_small_disk("a_full_disk_stops_only_what_makes_the_file_grow").await,
    }
}

/// Runs the test `name` once more, in a process that has the disk.
async fn on_a_small_disk(name: &str) {
    let disk = SmallDisk::new(SIZE).unwrap();
    let mut command = disk.command(std::env::current_exe().unwrap());
    command
        .args(["--exact", &format!("full_disk::{name}"), "--nocapture"])
        .env(DISK, disk.path());
    let mut process = Process::spawn(&mut command, "util-linux").unwrap();
    let status = process.wait(LONG * 3).await.unwrap();
    assert!(status.success(), "{:#?}", process.lines());
    process.wait_for_line("1 passed", LONG).await.unwrap();
}

async fn goes_on_within_its_file(disk: &Path) {
    let path = disk.join("state.db");
    let keys: Vec<String> = (0..50).map(|n| format!("k{n}")).collect();
    let store = open(&path, &[]).await;
    for key in &keys {
        store.set(set(key, "before")).await.unwrap();
    }
    // The file has all its pages; then somebody else takes every page of the disk that is left.
    one(&raw(&path), "PRAGMA wal_checkpoint");
    let mut other = fs::File::create(disk.join("other")).unwrap();
    while other.write_all(&[0; 4096]).is_ok() {}
    for round in 0..20 {
        for key in &keys {
            store.set(set(key, &format!("round{round}"))).await.unwrap();
        }
    }
    for key in &keys[1..] {
        store.delete(delete(key)).await.unwrap();
    }
    // The log has room for some new pages, and no more.
    let mut written = 0;
    let refused = loop {
        let request = set(&format!("large{written}"), &value('x'));
        match store.set(request).await {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 100, "the disk is not full");
    };
    is_full(&refused);
    store.close().await;
    let store = open(&path, &[]).await;
    assert_eq!(text(&store, "k0").await.as_deref(), Some("round19"));
    assert_eq!(text(&store, "k1").await, None);
    store.close().await;
}

async fn gets_full_and_has_room_again(disk: &Path) {
    let path = disk.join("state.db");
    let [first, second] = ["first", "second"].map(|name| ballast(disk, name));
    let mut acknowledged = Acknowledged::new();

    let store = open(&path, &[]).await;
    fill(&store, 'a', &mut acknowledged).await;
    nothing_has_room(&store).await;
    all_is_there(&store, &acknowledged).await;

    fs::remove_file(first).unwrap();
    store.set(set("after", "room")).await.unwrap();
    fill(&store, 'b', &mut acknowledged).await;
    store.close().await;

    // Started again while the disk is full: it opens, or says why it does not.
    match try_open(&path, &[]).await {
        Ok(store) => {
            all_is_there(&store, &acknowledged).await;
            store.close().await;
        }
        Err(error) => assert!(error.retryable(), "{}", chain(&error)),
    }
    fs::remove_file(second).unwrap();
    let store = open(&path, &[]).await;
    all_is_there(&store, &acknowledged).await;
    assert_eq!(text(&store, "after").await.as_deref(), Some("room"));
    store.set(set("after", "more room")).await.unwrap();
    store.close().await;
}

fn ballast(disk: &Path, name: &str) -> PathBuf {
    let path = disk.join(name);
    fs::write(&path, vec![0; BALLAST]).unwrap();
    path
}

fn value(letter: char) -> String {
    letter.to_string().repeat(VALUE)
}

/// Writes until the disk is full.
async fn fill(store: &Shared, letter: char, acknowledged: &mut Acknowledged) {
    let before = acknowledged.len();
    let error = loop {
        let key = format!("{letter}{}", acknowledged.len());
        match store.set(set(&key, &value(letter))).await {
            Ok(()) => drop(acknowledged.insert(key, letter)),
            Err(error) => break error,
        }
        assert!(acknowledged.len() < 1000, "the disk cannot hold this");
    };
    is_full(&error);
    let written = acknowledged.len() - before;
    assert!(written > 10, "{written} values had room");
}

fn is_full(error: &Error) {
    assert!(error.retryable(), "{error:?}");
    assert_eq!(
        chain(error),
        "write to the SQLite database: database or disk is full"
    );
}

/// Of many who write at once each hears why it failed, and a transaction leaves no part of itself.
async fn nothing_has_room(store: &Shared) {
    let large = value('x');
    let writes = (0..8).map(|n| {
        let request = set(&format!("x{n}"), &large);
        async move { store.set(request).await }
    });
    for result in join_all(writes).await {
        is_full(&result.unwrap_err());
    }
    let parts = [("small", "s"), ("large", large.as_str())];
    let parts = parts.map(|(key, value)| Operation::Set(set(key, value)));
    is_full(&transact(store, parts.to_vec()).await.unwrap_err());
    for key in ["x0", "x7", "small", "large"] {
        assert_eq!(text(store, key).await, None, "{key}");
    }
    store.ping().await.unwrap();
}

async fn all_is_there(store: &Shared, acknowledged: &Acknowledged) {
    for (key, letter) in acknowledged {
        let found = text(store, key).await;
        assert!(
            found.is_some_and(|found| found == value(*letter)),
            "{key} is lost"
        );
    }
}
