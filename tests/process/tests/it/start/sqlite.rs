//! A SQLite file that is none, and one that somebody holds.

use outrigger_testing_harness::Folder;
use rusqlite::{Connection, TransactionBehavior};

use super::flags::{ends, says};
use crate::rig::{Plan, component, get, post};

fn plan(folder: &Folder, metadata: &[(&str, &str)]) -> Plan {
    let file = folder.file("state.db");
    let mut all = vec![("connectionString", file.to_str().unwrap())];
    all.extend_from_slice(metadata);
    Plan::new("app", folder.path()).resources(folder, &[component("db", "state.sqlite", &all)])
}

#[tokio::test]
async fn a_file_that_is_no_database_is_fatal_and_left_alone() {
    let folder = Folder::new("corrupt").unwrap();
    let text = "this is no database, and more than a hundred bytes of it, ".repeat(200);
    std::fs::write(folder.file("state.db"), &text).unwrap();
    let (status, process) = ends(&plan(&folder, &[])).await;
    assert_eq!(status.code(), Some(1));
    let line = says(&process, "level=fatal").await;
    assert!(
        line.contains("db (state.sqlite/v1)") && line.contains("not a database"),
        "{line}"
    );
    assert_eq!(std::fs::read_to_string(folder.file("state.db")).unwrap(), text);
}

#[tokio::test]
async fn a_file_that_somebody_holds_at_the_start_is_fatal_after_the_wait() {
    let folder = Folder::new("locked").unwrap();
    let mut other = Connection::open(folder.file("state.db")).unwrap();
    let held = other
        .transaction_with_behavior(TransactionBehavior::Exclusive)
        .unwrap();
    let (status, process) = ends(&plan(&folder, &[("busyTimeout", "200ms")])).await;
    assert_eq!(status.code(), Some(1), "{:#?}", process.lines());
    let line = says(&process, "level=fatal").await;
    assert!(
        line.contains("db (state.sqlite/v1)") && line.contains("locked"),
        "{line}"
    );
    drop(held);
}

#[tokio::test]
async fn a_file_that_somebody_holds_for_a_while_fails_calls_and_heals() {
    let folder = Folder::new("held").unwrap();
    let sidecar = plan(&folder, &[("busyTimeout", "100ms"), ("timeout", "1s")])
        .start()
        .await;
    post(&sidecar, "/v1.0/state/db", "[{\"key\":\"k\",\"value\":1}]")
        .await
        .ok();
    let mut other = Connection::open(folder.file("state.db")).unwrap();
    let held = other
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .unwrap();
    let answer = post(&sidecar, "/v1.0/state/db", "[{\"key\":\"k\",\"value\":2}]").await;
    assert_eq!(
        answer.code(),
        (500, "ERR_STATE_SAVE".to_owned()),
        "{}",
        answer.text()
    );
    // Who only reads is not held up.
    assert_eq!(get(&sidecar, "/v1.0/state/db/k").await.text(), "1");
    drop(held);
    post(&sidecar, "/v1.0/state/db", "[{\"key\":\"k\",\"value\":3}]")
        .await
        .ok();
    assert_eq!(get(&sidecar, "/v1.0/state/db/k").await.text(), "3");
}
