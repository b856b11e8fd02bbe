//! Rows: Dapr's are read, ours are the same.

use std::sync::Arc;

use outrigger_base_clock::{ManualClock, SignedDuration, Timestamp};
use outrigger_block_state::GetRequest;

use crate::support::{
    DAPR_TABLES, delete_if, get, one, open, open_at, raw, set, set_if, set_json, set_ttl, text,
};

/// The statement with which Dapr writes, parameters filled in.
fn dapr_row(key: &str, value: &str, is_binary: u8, expiration: &str) -> String {
    format!(
        "INSERT OR REPLACE INTO state (key, value, is_binary, etag, update_time, expiration_time)
         VALUES('{key}', '{value}', {is_binary}, '0d9f2f0e-6b7c-4d2b-9f5c-3c4d5e6f7a8b', CURRENT_TIMESTAMP, {expiration})"
    )
}

#[tokio::test]
async fn rows_that_dapr_wrote_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dapr.db");
    let file = raw(&path);
    file.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    file.execute_batch(DAPR_TABLES).unwrap();
    let live = "DATETIME(CURRENT_TIMESTAMP, '+600 seconds')";
    let over = "DATETIME(CURRENT_TIMESTAMP, '-1 seconds')";
    for row in [
        dapr_row("app||bytes", "AAH/aGVsbG8=", 1, "NULL"),
        dapr_row("app||json", r#"{"a":[1,"x"]}"#, 0, "NULL"),
        dapr_row("app||string", r#""quoted""#, 0, "NULL"),
        dapr_row("app||live", "MQ==", 1, live),
        dapr_row("app||over", "MQ==", 1, over),
    ] {
        file.execute_batch(&row).unwrap();
    }

    let store = open(&path, &[]).await;
    let bytes = get(&store, "app||bytes").await.unwrap().unwrap();
    assert_eq!(&bytes.data[..], b"\x00\x01\xffhello");
    assert_eq!(
        bytes.etag.unwrap().as_str(),
        "0d9f2f0e-6b7c-4d2b-9f5c-3c4d5e6f7a8b"
    );
    assert!(bytes.metadata.is_empty());
    assert_eq!(text(&store, "app||json").await.unwrap(), r#"{"a":[1,"x"]}"#);
    assert_eq!(text(&store, "app||string").await.unwrap(), r#""quoted""#);
    assert_eq!(get(&store, "app||over").await.unwrap(), None);

    let live = get(&store, "app||live").await.unwrap().unwrap();
    let expected = one(
        &file,
        "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', expiration_time) FROM state WHERE key = 'app||live'",
    );
    assert_eq!(live.metadata["ttlExpireTime"], expected);

    // An ETag of Dapr's is as good as one of ours.
    let old = "0d9f2f0e-6b7c-4d2b-9f5c-3c4d5e6f7a8b";
    store.set(set_if("app||json", "new", old)).await.unwrap();
    store.delete(delete_if("app||bytes", old)).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn our_rows_are_daprs_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ours.db");
    let clock = Arc::new(ManualClock::new(
        "2026-05-06T07:08:09.75Z".parse::<Timestamp>().unwrap(),
    ));
    let store = open_at(&path, clock.clone(), &[]).await;
    store.set(set("k-bytes", "\u{0}hello")).await.unwrap();
    store.set(set_json("k-json", r#"{"a":1}"#)).await.unwrap();
    store.set(set_ttl("k-ttl", "", "90")).await.unwrap();

    let file = raw(&path);
    let mut statement = file
        .prepare(
            "SELECT key, value, typeof(value), is_binary, typeof(is_binary), typeof(etag), expiration_time, update_time
             FROM state ORDER BY key",
        )
        .unwrap();
    let rows: Vec<[String; 8]> = statement
        .query_map([], |row| {
            let expiration: Option<String> = row.get(6)?;
            Ok([
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get::<_, i64>(3)?.to_string(),
                row.get(4)?,
                row.get(5)?,
                expiration.unwrap_or_else(|| "NULL".to_owned()),
                row.get(7)?,
            ])
        })
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let now = "2026-05-06 07:08:09";
    assert_eq!(
        rows,
        [
            ["k-bytes", "AGhlbGxv", "text", "1", "integer", "text", "NULL", now],
            [
                "k-json",
                r#"{"a":1}"#,
                "text",
                "0",
                "integer",
                "text",
                "NULL",
                now
            ],
            [
                "k-ttl",
                "",
                "text",
                "1",
                "integer",
                "text",
                "2026-05-06 07:09:39",
                now
            ],
        ]
        .map(|row| row.map(str::to_owned))
    );
    // As Dapr tells it: random, version 4, lower case, with hyphens.
    let shape = one(
        &file,
        "SELECT count(*) FROM state WHERE etag GLOB '[0-9a-f]*-*-4*-[89ab]*-*' AND length(etag) = 36 AND etag = lower(etag)",
    );
    assert_eq!(shape, "3");

    // An overwrite without a time to live lifts the end, and moves the update time.
    clock.advance(SignedDuration::from_secs(5));
    store.set(set("k-ttl", "x")).await.unwrap();
    assert_eq!(
        one(&file, "SELECT expiration_time FROM state WHERE key = 'k-ttl'"),
        "NULL"
    );
    assert_eq!(
        one(&file, "SELECT update_time FROM state WHERE key = 'k-ttl'"),
        "2026-05-06 07:08:14"
    );
    store.close().await;
}

#[tokio::test]
async fn a_row_that_makes_no_sense_is_an_error_and_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.db");
    let store = open(&path, &[]).await;
    store.set(set("good", "1")).await.unwrap();
    let insert = "INSERT INTO state (key, value, is_binary, etag, expiration_time)";
    raw(&path)
        .execute_batch(&format!(
            "{insert} VALUES ('base64', '*', 1, 'e', NULL); {insert} VALUES ('time', 'MQ==', 1, 'e', 'tomorrow');"
        ))
        .unwrap();
    for (key, column) in [("base64", "value"), ("time", "expiration_time")] {
        let error = get(&store, key).await.unwrap_err();
        assert_eq!(error.to_string(), "read from the SQLite database");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(
            cause.starts_with(&format!("the column {column} holds ")),
            "{cause}"
        );
    }
    let requests = ["base64", "good", "none"].map(|key| GetRequest {
        key: key.to_owned(),
        ..GetRequest::default()
    });
    let answers = store.bulk_get(requests.to_vec(), 0).await.unwrap();
    assert!(answers[0].1.is_err());
    assert_eq!(&answers[1].1.as_ref().unwrap().as_ref().unwrap().data[..], b"1");
    assert_eq!(answers[2].1.as_ref().unwrap(), &None);
    store.close().await;
}
