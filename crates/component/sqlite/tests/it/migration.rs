//! The tables: made where they are missing, left as they are where they are not.

use std::path::Path;

use outrigger_base_std::chain;
use outrigger_block_kit::OpenError;

use crate::support::{DAPR_TABLES, one, open, raw, set, text, try_open};

const COLUMNS: &str = "SELECT group_concat(name || ' ' || type || ' ' || \"notnull\" || ' ' || coalesce(dflt_value, '-') || ' ' || pk, ', ')
     FROM pragma_table_info('state')";

#[tokio::test]
async fn a_fresh_file_gets_daprs_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fresh.db");
    open(&path, &[]).await.close().await;
    let (ours, daprs) = (raw(&path), raw(Path::new(":memory:")));
    daprs.execute_batch(DAPR_TABLES).unwrap();
    assert_eq!(one(&ours, COLUMNS), one(&daprs, COLUMNS));
    let metadata = COLUMNS.replace("'state'", "'metadata'");
    assert_eq!(one(&ours, &metadata), one(&daprs, &metadata));
    assert_eq!(
        one(&ours, "SELECT value FROM metadata WHERE key = 'migrations'"),
        "1"
    );
    assert_eq!(one(&ours, "PRAGMA journal_mode"), "wal");
}

#[tokio::test]
async fn a_file_of_daprs_is_taken_over_with_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dapr.db");
    let file = raw(&path);
    file.execute_batch(DAPR_TABLES).unwrap();
    file.execute_batch("INSERT INTO state (key, value, is_binary, etag) VALUES ('k', '1', 0, 'e')")
        .unwrap();
    let before = one(&file, "SELECT group_concat(sql) FROM sqlite_master");
    drop(file);
    let store = open(&path, &[]).await;
    assert_eq!(text(&store, "k").await.as_deref(), Some("1"));
    store.close().await;
    assert_eq!(
        one(&raw(&path), "SELECT group_concat(sql) FROM sqlite_master"),
        before
    );
}

#[tokio::test]
async fn the_integration_harness_and_we_work_on_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test-data.db");
    let harness = raw(&path);
    harness.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    harness
        .execute_batch(&DAPR_TABLES.replace("EXISTS state", "EXISTS inttest"))
        .unwrap();
    let store = open(&path, &[("tableName", "inttest"), ("actorStateStore", "true")]).await;
    harness
        .execute_batch(
            "INSERT OR REPLACE INTO inttest (key, value, is_binary, etag) VALUES ('k', 'MQ==', 1, '1765')",
        )
        .unwrap();
    assert_eq!(text(&store, "k").await.as_deref(), Some("1"));
    store.set(set("k", "2")).await.unwrap();
    assert_eq!(one(&harness, "SELECT value FROM inttest WHERE key = 'k'"), "Mg==");
    store.close().await;
    assert_eq!(one(&harness, "SELECT count(*) FROM inttest"), "1");
}

#[tokio::test]
async fn two_components_may_share_a_metadata_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.db");
    let first = open(&path, &[]).await;
    let second = open(&path, &[("tableName", "order")]).await;
    second.set(set("k", "second")).await.unwrap();
    assert_eq!(text(&first, "k").await, None);
    first.close().await;
    assert_eq!(text(&second, "k").await.as_deref(), Some("second"));
    second.close().await;
}

#[tokio::test]
async fn a_table_without_a_record_is_kept_and_a_later_level_is_no_obstacle() {
    for (name, level) in [("none", None), ("later", Some("7"))] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let file = raw(&path);
        file.execute_batch(DAPR_TABLES).unwrap();
        file.execute_batch("INSERT INTO state (key, value, is_binary, etag) VALUES ('k', '1', 0, 'e')")
            .unwrap();
        match level {
            None => file.execute_batch("DROP TABLE metadata").unwrap(),
            Some(level) => drop(file.execute("UPDATE metadata SET value = ?1", [level]).unwrap()),
        }
        let store = open(&path, &[]).await;
        assert_eq!(text(&store, "k").await.as_deref(), Some("1"), "{name}");
        store.close().await;
        let expected = level.unwrap_or("1");
        assert_eq!(
            one(&file, "SELECT value FROM metadata WHERE key = 'migrations'"),
            expected
        );
    }
}

#[tokio::test]
async fn a_level_that_is_no_number_is_named() {
    for level in ["x", "-1"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad.db");
        let file = raw(&path);
        file.execute_batch(DAPR_TABLES).unwrap();
        file.execute("UPDATE metadata SET value = ?1", [level]).unwrap();
        let error = try_open(&path, &[]).await.unwrap_err();
        assert!(matches!(error, OpenError::Unavailable { .. }));
        let expected = format!(
            "migrate the tables of the SQLite database: invalid migration level found in metadata table: {level}"
        );
        assert_eq!(chain(&error), expected);
    }
}
