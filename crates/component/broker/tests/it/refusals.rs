//! Folders and files that cannot be used, and requests that make no sense.

use std::{
    fs,
    time::{Duration, Instant},
};

use bytes::Bytes;
use outrigger_base_std::chain;
use outrigger_block_kit::{Context, OpenError, Properties};
use outrigger_block_pubsub::{Error, Publish, Subscribe};
use outrigger_testing_harness::{Folder, eventually};

use crate::{
    child::Child,
    log,
    support::{Answer, Notes, PATIENCE, open, publish, subscribe},
};

fn message(text: &'static str) -> Publish {
    Publish {
        topic: "t".to_owned(),
        data: Bytes::from_static(text.as_bytes()),
        ..Publish::default()
    }
}

async fn refusal(path: &str) -> OpenError {
    let properties = Properties::new([("path", path)]);
    outrigger_component_broker::open(Context::for_test("broker"), properties)
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = Folder::new("broker").unwrap();
    let text =
        "this is a letter to a friend, and much longer than the header of a database would be. ".repeat(20);
    fs::write(folder.file("broker.db"), &text).unwrap();
    let error = refusal(folder.path().to_str().unwrap()).await;
    let text_of_error = error.to_string();
    assert!(text_of_error.starts_with("property path: "), "{text_of_error}");
    assert!(text_of_error.contains("not a database"), "{text_of_error}");
    assert!(!error.retryable());
    assert_eq!(fs::read_to_string(folder.file("broker.db")).unwrap(), text);
}

#[tokio::test]
async fn a_database_of_something_else_is_refused() {
    let folder = Folder::new("broker").unwrap();
    let sql = rusqlite::Connection::open(folder.file("broker.db")).unwrap();
    sql.execute_batch("CREATE TABLE mine (x)").unwrap();
    drop(sql);
    let error = refusal(folder.path().to_str().unwrap()).await.to_string();
    assert!(error.contains("a database of something else"), "{error}");
}

#[tokio::test]
async fn a_file_of_a_later_version_is_refused() {
    let folder = Folder::new("broker").unwrap();
    open(folder.path(), &[]).await.close().await;
    let sql = rusqlite::Connection::open(folder.file("broker.db")).unwrap();
    sql.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(sql);
    let error = refusal(folder.path().to_str().unwrap()).await.to_string();
    assert!(
        error.contains("version 99") && error.ends_with("is not supported"),
        "{error}"
    );
}

#[tokio::test]
async fn a_place_where_no_folder_can_be_made_is_unavailable() {
    let folder = Folder::new("broker").unwrap();
    fs::write(folder.file("occupied"), "").unwrap();
    let error = refusal(folder.file("occupied").to_str().unwrap()).await;
    assert!(error.retryable());
    assert!(
        error.to_string().starts_with("make the broker's folder "),
        "{error}"
    );
    let error = refusal("/proc/version/broker").await;
    assert!(
        error.to_string().starts_with("make the broker's folder "),
        "{error}"
    );
}

#[tokio::test]
async fn damage_is_told_and_is_no_reason_to_try_again() {
    let folder = Folder::new("broker").unwrap();
    let broker = open(folder.path(), &[]).await;
    for n in 0..200 {
        publish(&broker, "t", &format!("{n}").repeat(500)).await;
    }
    broker.close().await;
    // Everything but the first page, which holds the list of tables.
    let mut bytes = fs::read(folder.file("broker.db")).unwrap();
    assert!(bytes.len() > 40 * 4096, "{} bytes", bytes.len());
    bytes[4096..].fill(0xA5);
    fs::write(folder.file("broker.db"), &bytes).unwrap();
    let error = refusal(folder.path().to_str().unwrap()).await;
    assert!(!error.retryable());
    assert!(error.to_string().contains("it is damaged"), "{error}");
}

#[tokio::test]
async fn damage_under_way_reaches_the_publisher() {
    let folder = Folder::new("broker").unwrap();
    let broker = open(folder.path(), &[]).await;
    publish(&broker, "t", "x").await;
    // Another program writes, so that the broker reads the file anew, and something overwrites it.
    let sql = rusqlite::Connection::open(folder.file("broker.db")).unwrap();
    sql.execute_batch("CREATE TABLE extra (x); DROP TABLE extra")
        .unwrap();
    let moved: i64 = sql
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .unwrap();
    assert_eq!(moved, 0, "the log is copied into the file");
    drop(sql);
    let mut bytes = fs::read(folder.file("broker.db")).unwrap();
    bytes[4096..].fill(0xA5);
    fs::write(folder.file("broker.db"), &bytes).unwrap();
    let error = broker.publish(message("y")).await.unwrap_err();
    assert!(!error.retryable(), "{error:?}");
    assert!(error.to_string().contains("damaged"), "{error}");
    broker.close().await;
}

#[tokio::test]
async fn a_tool_that_holds_the_file_is_told_to_all_who_waited_at_once() {
    let folder = Folder::new("broker").unwrap();
    let broker = open(folder.path(), &[]).await;
    publish(&broker, "t", "before").await;
    let tool = rusqlite::Connection::open(folder.file("broker.db")).unwrap();
    tool.execute_batch("BEGIN IMMEDIATE").unwrap();
    let started = Instant::now();
    let publishes = (0..8).map(|_| broker.publish(message("held up")));
    for result in futures_util::future::join_all(publishes).await {
        let error = result.unwrap_err();
        assert!(error.retryable(), "{error:?}");
        let text = chain(&error);
        assert!(
            text.starts_with("publish to the embedded broker: ") && text.contains("locked"),
            "{text}"
        );
    }
    // The patience of three seconds once for the first, and once for the others together.
    assert!(
        started.elapsed() < Duration::from_secs(9),
        "{:?}",
        started.elapsed()
    );
    tool.execute_batch("COMMIT").unwrap();
    publish(&broker, "t", "after").await;
    let notes = Notes::new(Answer::Accept);
    let _subscription = subscribe(&broker, "t", notes.clone()).await;
    notes.wait_for(2).await;
    assert_eq!(notes.texts(), ["before", "after"]);
    broker.close().await;
}

#[tokio::test]
async fn a_process_that_stands_still_with_the_lock_costs_a_publisher_the_time_limit() {
    let folder = Folder::new("broker").unwrap();
    let broker = open(folder.path(), &[]).await;
    let lock = fs::File::open(folder.file("broker.lock")).unwrap();
    lock.lock().unwrap();
    // Whoever waits for the other thread alone lets the clock run on to the limit.
    tokio::time::pause();
    let error = broker.publish(message("late")).await.unwrap_err();
    tokio::time::resume();
    assert!(error.retryable(), "{error:?}");
    assert_eq!(
        chain(&error),
        "publish to the embedded broker: no answer within 20s"
    );
    drop(lock);
    // What was late is done: a publisher that tries again may publish twice, and never in vain.
    let notes = Notes::new(Answer::Accept);
    let _subscription = subscribe(&broker, "t", notes.clone()).await;
    assert_eq!(notes.wait_for(1).await, [("late".to_owned(), 0)]);
    broker.close().await;
}

#[tokio::test]
async fn a_full_disk_is_told_as_a_passing_condition() {
    let folder = Folder::new("broker").unwrap();
    let child = Child {
        role: "filler",
        folder: folder.file("broker"),
        log: folder.file("log"),
        group: "g",
        lease: "60s",
        seed: 1,
    };
    // No file may grow beyond 2 MiB; a write beyond fails instead of ending the process.
    let plain = child.command();
    let mut limited = std::process::Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 4096; exec \"$0\" \"$@\""])
        .arg(plain.get_program())
        .args(plain.get_args());
    for (name, value) in plain.get_envs() {
        limited.env(name, value.unwrap_or_default());
    }
    let mut process = outrigger_testing_harness::Process::spawn(&mut limited, "dash").unwrap();
    let status = process.wait(PATIENCE).await.unwrap();
    let events = log::read(&child.log);
    assert!(status.success(), "{:?}", process.lines());
    let refused = events.iter().find(|event| event.kind == "error").unwrap();
    assert!(refused.text.starts_with("true "), "{}", refused.text);
    assert_eq!(events.last().unwrap().kind, "closed");
    // With room again, all that was acknowledged is there.
    let acked = events.iter().filter(|event| event.kind == "acked").count();
    assert!(acked > 5, "{acked}");
    let broker = open(&child.folder, &[]).await;
    let notes = Notes::new(Answer::Accept);
    let _subscription = subscribe(&broker, "t", notes.clone()).await;
    eventually(PATIENCE, async || notes.seen().len() >= acked).await;
    broker.close().await;
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused() {
    let folder = Folder::new("broker").unwrap();
    let broker = open(folder.path(), &[]).await;
    let nowhere = broker.publish(Publish::default()).await.unwrap_err();
    assert!(matches!(nowhere, Error::Invalid(_)), "{nowhere:?}");
    let subscribed = broker
        .subscribe(Subscribe::default(), Notes::new(Answer::Accept))
        .await;
    let error = subscribed.err().unwrap();
    assert!(matches!(error, Error::Invalid(_)), "{}", chain(&error));
    broker.close().await;
}

#[tokio::test]
async fn a_folder_with_a_very_long_path_works() {
    let folder = Folder::new("broker").unwrap();
    let long = folder.file(&"long".repeat(30)).join("path".repeat(30));
    let brokers = [open(&long, &[]).await, open(&long, &[]).await];
    let notes = Notes::new(Answer::Accept);
    let _subscription = subscribe(&brokers[0], "t", notes.clone()).await;
    publish(&brokers[1], "t", "x").await;
    notes.wait_for(1).await;
    for broker in brokers {
        broker.close().await;
    }
}
