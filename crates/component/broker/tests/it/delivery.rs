//! Groups, leases, failures, order, in one process.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use outrigger_block_pubsub::{Delivery, Handler, Nack};
use outrigger_testing_harness::{Folder, eventually};
use tokio::sync::Semaphore;

use crate::support::{Answer, Notes, PATIENCE, open, publish, subscribe};

#[tokio::test]
async fn each_group_gets_every_message_and_a_new_one_begins_with_what_is_kept() {
    let folder = Folder::new("broker").unwrap();
    let first = open(folder.path(), &[("consumerID", "first")]).await;
    let second = open(folder.path(), &[("consumerID", "second")]).await;
    publish(&first, "orders", "before any group").await;
    let (a, b) = (Notes::new(Answer::Accept), Notes::new(Answer::Accept));
    let _a = subscribe(&first, "orders", a.clone()).await;
    a.wait_for(1).await;
    let _b = subscribe(&second, "orders", b.clone()).await;
    publish(&second, "orders", "after").await;
    a.wait_for(2).await;
    b.wait_for(1).await;
    assert_eq!(a.texts(), ["before any group", "after"]);
    // The first message was done for every group that was known, and dropped.
    assert_eq!(b.texts(), ["after"]);
    first.close().await;
    second.close().await;
}

#[tokio::test]
async fn a_message_that_a_group_has_not_acknowledged_outlives_its_brokers() {
    let folder = Folder::new("broker").unwrap();
    for consumer in ["one", "two"] {
        let broker = open(folder.path(), &[("consumerID", consumer)]).await;
        subscribe(&broker, "orders", Notes::new(Answer::Accept))
            .await
            .close()
            .await;
        broker.close().await;
    }
    let publisher = open(folder.path(), &[]).await;
    publish(&publisher, "orders", "kept").await;
    publisher.close().await;
    for consumer in ["one", "two"] {
        let properties = [("consumerID", consumer), ("concurrency", "1")];
        let broker = open(folder.path(), &properties).await;
        let notes = Notes::new(Answer::Accept);
        let subscription = subscribe(&broker, "orders", notes.clone()).await;
        assert_eq!(notes.wait_for(1).await[0], ("kept".to_owned(), 0));
        subscription.close().await;
        // What was acknowledged does not come again.
        let again = Notes::new(Answer::Accept);
        let _again = subscribe(&broker, "orders", again.clone()).await;
        publish(&broker, "orders", consumer).await;
        again.wait_for(1).await;
        assert!(!again.texts().contains(&"kept".to_owned()), "{:?}", again.seen());
        broker.close().await;
    }
}

#[tokio::test]
async fn with_a_concurrency_of_one_messages_come_one_after_the_other_in_order() {
    let folder = Folder::new("broker").unwrap();
    let broker = open(folder.path(), &[("concurrency", "1")]).await;
    let notes = Notes::new(Answer::Accept);
    let _subscription = subscribe(&broker, "numbers", notes.clone()).await;
    let sent: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    for text in &sent {
        publish(&broker, "numbers", text).await;
    }
    notes.wait_for(100).await;
    assert_eq!(notes.texts(), sent);
    broker.close().await;
}

#[tokio::test]
async fn concurrency_bounds_what_is_in_hand() {
    let folder = Folder::new("broker").unwrap();
    let broker = open(
        folder.path(),
        &[("concurrency", "3"), ("processingTimeout", "2s")],
    )
    .await;
    let notes = Notes::new(Answer::Hang);
    let subscription = subscribe(&broker, "numbers", notes.clone()).await;
    for n in 0..10 {
        publish(&broker, "numbers", &n.to_string()).await;
    }
    notes.wait_for(3).await;
    assert_eq!(notes.texts(), ["0", "1", "2"]);
    // Nothing more is taken; those in hand end with their lease.
    let began = Instant::now();
    subscription.close().await;
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    assert_eq!(notes.texts(), ["0", "1", "2"]);
    broker.close().await;
}

#[tokio::test]
async fn a_refused_message_comes_again_after_growing_pauses() {
    let folder = Folder::new("broker").unwrap();
    let broker = open(folder.path(), &[]).await;
    let notes = Notes::new(Answer::Refuse);
    let began = Instant::now();
    let _subscription = subscribe(&broker, "orders", notes.clone()).await;
    publish(&broker, "orders", "x").await;
    let seen = notes.wait_for(4).await;
    assert_eq!(
        seen.iter().map(|(_, before)| *before).collect::<Vec<_>>(),
        [0, 1, 2, 3]
    );
    // 100 + 200 + 400 ms lie between the first and the fourth.
    assert!(began.elapsed().as_millis() >= 700, "{:?}", began.elapsed());
    broker.close().await;
}

#[tokio::test]
async fn a_panic_of_the_handler_is_a_failed_delivery() {
    let folder = Folder::new("broker").unwrap();
    let broker = open(folder.path(), &[]).await;
    let notes = Notes::new(Answer::Panic);
    let _subscription = subscribe(&broker, "orders", notes.clone()).await;
    publish(&broker, "orders", "x").await;
    assert_eq!(notes.wait_for(2).await[1], ("x".to_owned(), 1));
    broker.close().await;
}

#[tokio::test]
async fn a_message_that_keeps_failing_moves_to_the_dead_letter_topic() {
    let folder = Folder::new("broker").unwrap();
    let properties = [("deadLetterTopic", "poison"), ("maxDeliveryAttempts", "3")];
    let broker = open(folder.path(), &properties).await;
    let (failing, dead) = (Notes::new(Answer::Refuse), Notes::new(Answer::Accept));
    let _dead = subscribe(&broker, "poison", dead.clone()).await;
    let failing_subscription = subscribe(&broker, "orders", failing.clone()).await;
    publish(&broker, "orders", "x").await;
    assert_eq!(dead.wait_for(1).await, [("x".to_owned(), 0)]);
    assert_eq!(
        failing.seen(),
        [("x".to_owned(), 0), ("x".to_owned(), 1), ("x".to_owned(), 2)]
    );
    failing_subscription.close().await;
    // It moved: the group is done with it.
    let again = Notes::new(Answer::Accept);
    let _again = subscribe(&broker, "orders", again.clone()).await;
    publish(&broker, "orders", "next").await;
    assert_eq!(again.wait_for(1).await, [("next".to_owned(), 0)]);
    broker.close().await;
}

#[tokio::test]
async fn on_the_dead_letter_topic_itself_a_message_never_moves_in_a_circle() {
    let folder = Folder::new("broker").unwrap();
    let properties = [("deadLetterTopic", "poison"), ("maxDeliveryAttempts", "1")];
    let broker = open(folder.path(), &properties).await;
    let notes = Notes::new(Answer::Refuse);
    let _subscription = subscribe(&broker, "poison", notes.clone()).await;
    publish(&broker, "poison", "x").await;
    assert_eq!(notes.wait_for(3).await[2], ("x".to_owned(), 2));
    broker.close().await;
}

#[tokio::test]
async fn when_a_lease_ends_another_consumer_gets_the_message() {
    let folder = Folder::new("broker").unwrap();
    let slow = open(folder.path(), &[("processingTimeout", "1s")]).await;
    let hanging = Notes::new(Answer::Hang);
    let subscription = subscribe(&slow, "orders", hanging.clone()).await;
    let began = Instant::now();
    publish(&slow, "orders", "x").await;
    hanging.wait_for(1).await;
    let quick = open(folder.path(), &[]).await;
    let notes = Notes::new(Answer::Accept);
    let _notes = subscribe(&quick, "orders", notes.clone()).await;
    // The slow one takes nothing more, so that the message cannot come back to it.
    subscription.close().await;
    assert_eq!(notes.wait_for(1).await, [("x".to_owned(), 1)]);
    assert!(began.elapsed().as_millis() >= 1000, "{:?}", began.elapsed());
    slow.close().await;
    quick.close().await;
}

#[tokio::test]
async fn a_dropped_broker_gives_back_what_it_holds() {
    let folder = Folder::new("broker").unwrap();
    let dropped = open(folder.path(), &[("processingTimeout", "2s")]).await;
    let hanging = Notes::new(Answer::Hang);
    let subscription = subscribe(&dropped, "orders", hanging.clone()).await;
    publish(&dropped, "orders", "x").await;
    hanging.wait_for(1).await;
    let other = open(folder.path(), &[]).await;
    let notes = Notes::new(Answer::Accept);
    let _notes = subscribe(&other, "orders", notes.clone()).await;
    drop((subscription, dropped));
    assert_eq!(notes.wait_for(1).await[0].0, "x");
    let members = folder.path().join("members");
    eventually(PATIENCE, async || {
        let files = std::fs::read_dir(&members).unwrap().count();
        if files == 3 { Ok(()) } else { Err(files) }
    })
    .await;
    other.close().await;
    assert_eq!(std::fs::read_dir(&members).unwrap().count(), 0);
}

#[tokio::test]
async fn consumers_of_one_group_share_the_work() {
    let folder = Folder::new("broker").unwrap();
    let brokers = [open(folder.path(), &[]).await, open(folder.path(), &[]).await];
    let notes = [Notes::new(Answer::Accept), Notes::new(Answer::Accept)];
    let mut subscriptions = Vec::new();
    for (broker, notes) in brokers.iter().zip(&notes) {
        subscriptions.push(subscribe(broker, "orders", notes.clone()).await);
    }
    for n in 0..200 {
        publish(&brokers[n % 2], "orders", &n.to_string()).await;
    }
    eventually(PATIENCE, async || {
        let counts = (notes[0].seen().len(), notes[1].seen().len());
        if counts.0 + counts.1 == 200 {
            Ok(())
        } else {
            Err(counts)
        }
    })
    .await;
    let mut all: Vec<usize> = notes
        .iter()
        .flat_map(|notes| notes.texts())
        .map(|text| text.parse().unwrap())
        .collect();
    all.sort_unstable();
    assert_eq!(all, (0..200).collect::<Vec<_>>());
    for notes in &notes {
        assert!(!notes.seen().is_empty(), "one consumer did all the work");
    }
    for broker in brokers {
        broker.close().await;
    }
}

#[tokio::test]
async fn whoever_closes_waits_for_what_is_in_hand() {
    let folder = Folder::new("broker").unwrap();
    let broker = open(folder.path(), &[]).await;
    let slow = Slow::new();
    let _subscription = subscribe(&broker, "orders", slow.clone()).await;
    publish(&broker, "orders", "x").await;
    eventually(PATIENCE, async || slow.count() == (1, 0)).await;
    let mut closes = [Box::pin(broker.close()), Box::pin(broker.close())];
    for close in &mut closes {
        assert!(futures_util::poll!(close).is_pending());
    }
    // Longer than tasks get that have nothing in hand, less than the lease.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(30)).await;
    for close in &mut closes {
        assert!(futures_util::poll!(close).is_pending());
    }
    tokio::time::resume();
    slow.gate.add_permits(1);
    futures_util::future::join_all(closes).await;
    assert_eq!(slow.count(), (1, 1));
    // It was acknowledged.
    let broker = open(folder.path(), &[("concurrency", "1")]).await;
    let notes = Notes::new(Answer::Accept);
    let _again = subscribe(&broker, "orders", notes.clone()).await;
    publish(&broker, "orders", "next").await;
    assert_eq!(notes.wait_for(1).await, [("next".to_owned(), 0)]);
    broker.close().await;
}

/// Counts messages that came and that were handled; handles each when it gets a permit.
struct Slow {
    gate: Semaphore,
    came: AtomicUsize,
    handled: AtomicUsize,
}

impl Slow {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            gate: Semaphore::new(0),
            came: AtomicUsize::new(0),
            handled: AtomicUsize::new(0),
        })
    }

    fn count(&self) -> (usize, usize) {
        (
            self.came.load(Ordering::SeqCst),
            self.handled.load(Ordering::SeqCst),
        )
    }
}

#[async_trait]
impl Handler for Slow {
    async fn handle(&self, _: Delivery) -> Result<(), Nack> {
        self.came.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        self.handled.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

#[tokio::test]
async fn one_who_subscribes_and_goes_away_meanwhile_leaves_no_member_behind() {
    let folder = Folder::new("broker").unwrap();
    let broker = open(folder.path(), &[]).await;
    let lock = std::fs::File::open(folder.file("broker.lock")).unwrap();
    lock.lock().unwrap();
    let mut subscribing = Box::pin(subscribe(&broker, "orders", Notes::new(Answer::Accept)));
    assert!(futures_util::poll!(&mut subscribing).is_pending());
    tokio::task::yield_now().await;
    drop(subscribing);
    drop(lock);
    let sql = rusqlite::Connection::open(folder.file("broker.db")).unwrap();
    let count = |table: &str| -> i64 {
        let count = format!("SELECT count(*) FROM {table}");
        sql.query_row(&count, [], |row| row.get(0)).unwrap()
    };
    // It had been asked for, so it came to be; and it ended.
    eventually(PATIENCE, async || {
        (count("consumer"), count("interest")) == (1, 0)
    })
    .await;
    broker.close().await;
}

#[tokio::test]
async fn closing_again_or_side_by_side_is_no_error() {
    let folder = Folder::new("broker").unwrap();
    let broker = open(folder.path(), &[]).await;
    let subscription = subscribe(&broker, "orders", Notes::new(Answer::Accept)).await;
    let other = Arc::clone(&broker);
    tokio::join!(broker.close(), subscription.close(), other.close());
    broker.close().await;
    subscription.close().await;
}
