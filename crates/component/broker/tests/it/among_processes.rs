//! Latency, and what becomes of a message whose consumer is killed.

use std::{collections::HashMap, time::Duration};

use outrigger_testing_harness::{Folder, Signal, eventually};

use crate::{
    child::Child,
    log,
    support::{Answer, Notes, PATIENCE, open, publish, subscribe},
};

fn child(folder: &Folder, role: &'static str) -> Child {
    Child {
        role,
        folder: folder.file("broker"),
        log: folder.file(role),
        group: "g",
        lease: "60s",
        seed: 1,
    }
}

async fn wait_for(child: &Child, kind: &str, count: usize) {
    eventually(PATIENCE, async || {
        let events = log::read(&child.log);
        if events.iter().filter(|event| event.kind == kind).count() >= count {
            Ok(())
        } else {
            Err(format!("{events:?}"))
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_of_all_messages_reach_another_process_within_five_milliseconds() {
    let folder = Folder::new("broker").unwrap();
    let consumer = child(&folder, "consumer");
    let _process = consumer.spawn();
    wait_for(&consumer, "ready", 1).await;
    let broker = open(&consumer.folder, &[]).await;
    let mut sent = HashMap::new();
    for n in 0..200 {
        sent.insert(n.to_string(), log::now());
        publish(&broker, "t", &n.to_string()).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    wait_for(&consumer, "got", 200).await;
    let mut micros: Vec<i64> = log::read(&consumer.log)
        .iter()
        .filter(|event| event.kind == "got")
        .map(|event| event.at - sent[&event.text])
        .collect();
    micros.sort_unstable();
    let (p50, p99) = (micros[micros.len() / 2], micros[micros.len() * 99 / 100]);
    println!("from the call of publish to the handler in another process: p50 {p50} us, p99 {p99} us");
    assert!(p50 < 5000, "p50 {p50} us, p99 {p99} us");
    broker.close().await;
}

#[tokio::test]
async fn when_a_consumer_is_killed_another_gets_its_messages_without_waiting_for_the_lease() {
    let folder = Folder::new("broker").unwrap();
    let hanging = child(&folder, "hanging");
    let mut process = hanging.spawn();
    wait_for(&hanging, "ready", 1).await;
    let broker = open(&hanging.folder, &[("consumerID", "g")]).await;
    publish(&broker, "t", "x").await;
    wait_for(&hanging, "got", 1).await;
    let notes = Notes::new(Answer::Accept);
    let _subscription = subscribe(&broker, "t", notes.clone()).await;
    assert_eq!(notes.seen(), []);
    process.kill();
    // The lease is 60 seconds; patience is less.
    assert_eq!(notes.wait_for(1).await, [("x".to_owned(), 1)]);
    broker.close().await;
}

#[tokio::test]
async fn a_consumer_that_starts_after_a_kill_gets_what_the_dead_one_held() {
    let folder = Folder::new("broker").unwrap();
    let hanging = child(&folder, "hanging");
    let mut process = hanging.spawn();
    wait_for(&hanging, "ready", 1).await;
    let publisher = open(&hanging.folder, &[]).await;
    publish(&publisher, "t", "x").await;
    wait_for(&hanging, "got", 1).await;
    process.kill();
    let restarted = Child {
        role: "consumer",
        log: folder.file("restarted"),
        ..hanging
    };
    let _process = restarted.spawn();
    wait_for(&restarted, "done", 1).await;
    publisher.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_hangs_keeps_nobody_else_from_being_woken() {
    let folder = Folder::new("broker").unwrap();
    let consumers = ["stopped", "awake"].map(|group| Child {
        group,
        log: folder.file(group),
        ..child(&folder, "consumer")
    });
    let processes = consumers.each_ref().map(Child::spawn);
    for consumer in &consumers {
        wait_for(consumer, "ready", 1).await;
    }
    processes[0].signal(Signal::Stop).unwrap();
    let broker = open(&consumers[0].folder, &[]).await;
    // Far more rings than any socket queues.
    for n in 0..600 {
        publish(&broker, "t", &n.to_string()).await;
    }
    wait_for(&consumers[1], "done", 600).await;
    processes[0].signal(Signal::Continue).unwrap();
    wait_for(&consumers[0], "done", 600).await;
    broker.close().await;
}
