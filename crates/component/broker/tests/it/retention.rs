//! What is dropped by age and by size; time is moved by hand.

use std::sync::Arc;

use outrigger_base_clock::SignedDuration;
use outrigger_block_pubsub::{Broker, BulkEntry, BulkPublish};
use outrigger_testing_harness::Folder;

use crate::support::{Answer, Notes, manual_clock, open, open_at, publish, publish_with, subscribe};

/// What a subscriber that comes now gets before `end`, which is published after it came.
async fn kept(broker: &Arc<dyn Broker>, topic: &str) -> Vec<String> {
    let notes = Notes::new(Answer::Accept);
    let subscription = subscribe(broker, topic, notes.clone()).await;
    publish(broker, topic, "end").await;
    while !notes.texts().contains(&"end".to_owned()) {
        notes.wait_for(notes.seen().len() + 1).await;
    }
    subscription.close().await;
    let mut texts = notes.texts();
    texts.pop();
    texts
}

#[tokio::test]
async fn a_message_is_not_delivered_after_its_time_to_live() {
    let folder = Folder::new("broker").unwrap();
    let clock = manual_clock();
    let broker = open_at(
        folder.path(),
        &[("ttlInSeconds", "60"), ("concurrency", "1")],
        clock.clone(),
    )
    .await;
    publish_with(&broker, "t", "short", &[("ttlInSeconds", "10")]).await;
    publish_with(&broker, "t", "long", &[("TTL", "2m")]).await;
    publish(&broker, "t", "default").await;
    publish_with(&broker, "t", "over", &[("ttlInSeconds", "-1s")]).await;
    clock.advance(SignedDuration::from_secs(11));
    assert_eq!(kept(&broker, "t").await, ["long", "default"]);
    publish(&broker, "t", "default").await;
    publish_with(&broker, "t", "long", &[("ttl", "2m")]).await;
    clock.advance(SignedDuration::from_secs(61));
    assert_eq!(kept(&broker, "t").await, ["long"]);
    broker.close().await;
}

#[tokio::test]
async fn a_message_that_expires_between_two_deliveries_does_not_come_again() {
    let folder = Folder::new("broker").unwrap();
    let clock = manual_clock();
    let broker = open_at(folder.path(), &[("concurrency", "1")], clock.clone()).await;
    let failing = Notes::new(Answer::Refuse);
    let subscription = subscribe(&broker, "t", failing.clone()).await;
    publish_with(&broker, "t", "x", &[("ttlInSeconds", "5")]).await;
    failing.wait_for(1).await;
    subscription.close().await;
    clock.advance(SignedDuration::from_secs(6));
    assert_eq!(kept(&broker, "t").await, Vec::<String>::new());
    broker.close().await;
}

#[tokio::test]
async fn a_topic_without_group_keeps_messages_for_the_retention_age() {
    let folder = Folder::new("broker").unwrap();
    let clock = manual_clock();
    let properties = [("retentionAge", "1h"), ("concurrency", "1")];
    let broker = open_at(folder.path(), &properties, clock.clone()).await;
    publish(&broker, "t", "old").await;
    clock.advance(SignedDuration::from_mins(50));
    publish(&broker, "t", "young").await;
    clock.advance(SignedDuration::from_mins(20));
    publish(&broker, "t", "new").await;
    assert_eq!(kept(&broker, "t").await, ["young", "new"]);
    broker.close().await;
}

#[tokio::test]
async fn a_topic_without_group_keeps_messages_up_to_the_retention_bytes() {
    let folder = Folder::new("broker").unwrap();
    let properties = [("retentionBytes", "1k"), ("concurrency", "1")];
    let broker = open(folder.path(), &properties).await;
    let texts: Vec<String> = (0..10).map(|n| n.to_string().repeat(300)).collect();
    for text in &texts {
        publish(&broker, "t", text).await;
    }
    assert_eq!(kept(&broker, "t").await, texts[7..]);
    // One that is larger than the bound stays as long as it is the newest.
    publish(&broker, "u", &"x".repeat(2000)).await;
    assert_eq!(kept(&broker, "u").await, ["x".repeat(2000)]);
    // A group keeps what it has not seen, whatever the size.
    for text in &texts {
        publish(&broker, "t", text).await;
    }
    assert_eq!(kept(&broker, "t").await, texts);
    broker.close().await;
}

#[tokio::test]
async fn a_group_that_is_away_for_long_is_forgotten_with_what_it_was_to_get() {
    let folder = Folder::new("broker").unwrap();
    let clock = manual_clock();
    let more = [
        ("groupRetention", "2h"),
        ("retentionAge", "1h"),
        ("concurrency", "1"),
    ];
    let broker = open_at(folder.path(), &more, clock.clone()).await;
    subscribe(&broker, "t", Notes::new(Answer::Accept))
        .await
        .close()
        .await;
    publish(&broker, "t", "unseen").await;
    clock.advance(SignedDuration::from_mins(110));
    publish(&broker, "elsewhere", "").await;
    assert_eq!(
        kept(&broker, "t").await,
        ["unseen"],
        "the group is away, not gone"
    );
    publish(&broker, "t", "unseen again").await;
    clock.advance(SignedDuration::from_mins(130));
    publish(&broker, "elsewhere", "").await;
    assert_eq!(kept(&broker, "t").await, Vec::<String>::new());
    broker.close().await;
}

#[tokio::test]
async fn room_of_acknowledged_messages_is_used_again() {
    let folder = Folder::new("broker").unwrap();
    let broker = open(folder.path(), &[]).await;
    let notes = Notes::new(Answer::Accept);
    let _subscription = subscribe(&broker, "t", notes.clone()).await;
    // A hundred times a hundred messages of 4 KiB: 40 MiB go through.
    for round in 1..=100 {
        let entries = (0..100).map(|n| BulkEntry {
            id: n.to_string(),
            data: vec![b'x'; 4096].into(),
            ..BulkEntry::default()
        });
        let request = BulkPublish {
            topic: "t".to_owned(),
            entries: entries.collect(),
            ..BulkPublish::default()
        };
        assert!(broker.bulk_publish(request).await.unwrap().is_empty());
        notes.wait_for(round * 100).await;
    }
    let size: u64 = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(size < 16 << 20, "the folder has {size} bytes");
    broker.close().await;
}
