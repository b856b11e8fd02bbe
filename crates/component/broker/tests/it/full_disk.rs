//! A disk that is full, and has room again.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use outrigger_base_std::chain;
use outrigger_block_kit::{Context, OpenError, Properties};
use outrigger_block_pubsub::{Broker, Delivery, Error, Handler, Nack, Publish};
use outrigger_testing_harness::{Process, SmallDisk, eventually};
use tokio::sync::Semaphore;

use crate::support::{Answer, Notes, PATIENCE, publish as publish_small, subscribe};

/// Tells this test binary that it runs with the small disk, and where that is.
const DISK: &str = "OUTRIGGER_BROKER_SMALL_DISK";
/// The disk's size in MiB: some times what the log grows to before it is copied into the file, which is 4 MiB.
const SIZE: u32 = 32;
/// Bytes of a message; some hundreds fill the disk.
const MESSAGE: usize = 64 << 10;
/// Bytes of each file that is put in the way first, and removed when there is to be room: enough to copy the log.
const BALLAST: usize = 6 << 20;

type Shared = Arc<dyn Broker>;

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
    let status = process.wait(PATIENCE * 3).await.unwrap();
    assert!(status.success(), "{:#?}", process.lines());
    process.wait_for_line("1 passed", PATIENCE).await.unwrap();
}

async fn goes_on_within_its_file(disk: &Path) {
    let broker = try_open(disk).await.unwrap();
    let notes = Notes::new(Answer::Accept);
    let _subscription = subscribe(&broker, "small", notes.clone()).await;
    for n in 0..50 {
        publish_small(&broker, "small", &n.to_string()).await;
    }
    notes.wait_for(50).await;
    // The file has all its pages; then somebody else takes every page of the disk that is left.
    let sql = rusqlite::Connection::open(disk.join("broker/broker.db")).unwrap();
    sql.query_row("PRAGMA wal_checkpoint", [], |_| Ok(())).unwrap();
    let mut other = fs::File::create(disk.join("other")).unwrap();
    while other.write_all(&[0; 4096]).is_ok() {}
    for n in 50..500 {
        publish_small(&broker, "small", &n.to_string()).await;
        notes.wait_for(n + 1).await;
    }
    // The log has room for some new pages, and no more.
    let mut written = 0;
    let refused = loop {
        match publish(&broker, 'x', written).await {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 100, "the disk is not full");
    };
    assert!(chain(&refused).contains("disk is full"), "{}", chain(&refused));
    broker.close().await;
}

async fn gets_full_and_has_room_again(disk: &Path) {
    let [first, second] = ["first", "second"].map(|name| ballast(disk, name));
    let mut acknowledged = BTreeSet::new();

    // Full while a message is in hand: its acknowledgement may find no room either.
    let broker = try_open(disk).await.unwrap();
    let consumer = Consumer::closed();
    let subscription = subscribe(&broker, "t", consumer.clone()).await;
    fill(&broker, 'a', &mut acknowledged).await;
    broker.ping().await.unwrap();
    consumer.gate.add_permits(1);

    fs::remove_file(first).unwrap();
    consumer.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    everything_comes(&consumer, &acknowledged).await;
    publish(&broker, 'b', 0).await.unwrap();
    acknowledged.insert(('b', 0));
    everything_comes(&consumer, &acknowledged).await;

    // Full once more, and started again while it is: the broker opens, or says why it does not.
    subscription.close().await;
    let mut kept = BTreeSet::new();
    fill(&broker, 'c', &mut kept).await;
    broker.close().await;
    match try_open(disk).await {
        Ok(broker) => broker.close().await,
        Err(error) => assert!(error.retryable(), "{}", chain(&error)),
    }
    fs::remove_file(second).unwrap();
    let broker = try_open(disk).await.unwrap();
    let consumer = Consumer::closed();
    consumer.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    let _subscription = subscribe(&broker, "t", consumer.clone()).await;
    everything_comes(&consumer, &kept).await;
    broker.close().await;
}

fn ballast(disk: &Path, name: &str) -> PathBuf {
    let path = disk.join(name);
    fs::write(&path, vec![0; BALLAST]).unwrap();
    path
}

async fn try_open(disk: &Path) -> Result<Shared, OpenError> {
    let path = disk.join("broker");
    let properties = Properties::new([
        ("path", path.to_str().unwrap()),
        ("concurrency", "1"),
        ("processingTimeout", "2s"),
    ]);
    outrigger_component_broker::open(Context::for_test("broker"), properties).await
}

/// A message that tells its letter and its number, and is long.
async fn publish(broker: &Shared, letter: char, number: usize) -> Result<(), Error> {
    let mut text = format!("{letter}{number} ");
    text.extend(std::iter::repeat_n(letter, MESSAGE));
    let message = Publish {
        topic: "t".to_owned(),
        data: text.into(),
        ..Publish::default()
    };
    broker.publish(message).await
}

/// Publishes until the disk is full.
async fn fill(broker: &Shared, letter: char, acknowledged: &mut BTreeSet<(char, usize)>) {
    let error = loop {
        let number = acknowledged.len();
        match publish(broker, letter, number).await {
            Ok(()) => drop(acknowledged.insert((letter, number))),
            Err(error) => break error,
        }
        assert!(number < 2000, "the disk cannot hold this");
    };
    assert!(error.retryable(), "{error:?}");
    let text = chain(&error);
    assert!(text.contains("disk is full"), "{text}");
    assert!(acknowledged.len() > 10, "{} had room", acknowledged.len());
}

async fn everything_comes(consumer: &Consumer, acknowledged: &BTreeSet<(char, usize)>) {
    eventually(PATIENCE, async || {
        let missing: Vec<_> = acknowledged.difference(&consumer.seen()).copied().collect();
        if missing.is_empty() { Ok(()) } else { Err(missing) }
    })
    .await;
}

/// Handles a message when it is given a permit.
struct Consumer {
    gate: Semaphore,
    seen: Mutex<BTreeSet<(char, usize)>>,
}

impl Consumer {
    fn closed() -> Arc<Self> {
        Arc::new(Self {
            gate: Semaphore::new(0),
            seen: Mutex::default(),
        })
    }

    fn seen(&self) -> BTreeSet<(char, usize)> {
        self.seen.lock().unwrap().clone()
    }
}

#[async_trait]
impl Handler for Consumer {
    async fn handle(&self, delivery: Delivery) -> Result<(), Nack> {
        self.gate.acquire().await.unwrap().forget();
        let text = std::str::from_utf8(&delivery.message.data).unwrap();
        let mut letters = text.chars();
        let letter = letters.next().unwrap();
        let (number, filling) = letters.as_str().split_once(' ').unwrap();
        assert!(filling.len() == MESSAGE && filling.chars().all(|other| other == letter));
        self.seen
            .lock()
            .unwrap()
            .insert((letter, number.parse().unwrap()));
        Ok(())
    }
}
