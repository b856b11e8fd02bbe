//! Reading, writing, removing; one by one and in bulk.

use bytes::Bytes;
use outrigger_block_kit::{ensure, ensure_eq};

use super::{Outcome, Subject};
use crate::Value;

/// Length of a value that does not fit into one packet or page, in bytes.
const LARGE: usize = 1 << 20;

/// The store answers.
pub async fn answers_ping(subject: &Subject) -> Outcome {
    subject.store.ping().await?;
    Ok(())
}

/// Bytes come back as the same bytes and JSON as the same JSON text, whatever they look like.
pub async fn values_come_back_as_written(subject: &Subject) -> Outcome {
    let cases: [(&str, Value); 11] = [
        ("int", Value::Json(Bytes::from_static(b"123"))),
        ("bool", Value::Json(Bytes::from_static(b"true"))),
        ("string", Value::Json(Bytes::from_static(b"\"hello world\""))),
        ("empty-string", Value::Json(Bytes::from_static(b"\"\""))),
        (
            "object",
            Value::Json(Bytes::from_static(br#"{"key":"value","n":[1,2.5,null]}"#)),
        ),
        ("exact", Value::Json(Bytes::from_static(b"12345678901234567890"))),
        ("byte", Value::Bytes(Bytes::from_static(b"\x01"))),
        (
            "not-utf8",
            Value::Bytes(Bytes::from_static(b"\xff\x00\xfe\x0a\x05hello")),
        ),
        ("text", Value::Bytes(Bytes::from_static("grüße".as_bytes()))),
        (
            "like-json",
            Value::Bytes(Bytes::from_static(b"{ \"a\" : \"b\" }")),
        ),
        ("empty", Value::Bytes(Bytes::new())),
    ];
    for (name, value) in &cases {
        let mut request = subject.set_request(name, "");
        request.value = value.clone();
        subject.store.set(request).await?;
    }
    for (name, value) in &cases {
        ensure_eq!(subject.bytes(name).await?, *value.bytes(), "value of {name:?}");
    }
    Ok(())
}

/// A value of a mebibyte is no special case.
pub async fn large_values_come_back(subject: &Subject) -> Outcome {
    let large: Bytes = (0..LARGE).map(|at| (at % 251) as u8).collect();
    let mut request = subject.set_request("large", "");
    request.value = Value::Bytes(large.clone());
    subject.store.set(request).await?;
    ensure!(
        subject.bytes("large").await? == large,
        "the large value came back changed"
    );
    Ok(())
}

/// Keys are compared as they are: case, spaces, quotes, wildcards and other scripts matter and mean nothing else.
pub async fn odd_keys_are_keys(subject: &Subject) -> Outcome {
    let names = [
        "Case",
        "case",
        "a b",
        "it's \"quoted\"",
        "100%",
        "a_b",
        "a\\b",
        "鍵",
        "a/b?c#d",
        "x||y",
    ];
    for name in names {
        subject.set(name, name).await?;
    }
    for name in names {
        ensure_eq!(
            subject.bytes(name).await?,
            Bytes::from(name),
            "value of key {name:?}"
        );
    }
    Ok(())
}

/// A key that was never written reads as nothing, without an error.
pub async fn a_missing_key_is_nothing(subject: &Subject) -> Outcome {
    let found = subject.get("never-written").await?;
    ensure!(found.is_none(), "found {found:?}");
    Ok(())
}

/// A second write stands in place of the first.
pub async fn a_write_replaces(subject: &Subject) -> Outcome {
    subject.set("replaced", "one").await?;
    subject.set("replaced", "two").await?;
    ensure_eq!(
        subject.bytes("replaced").await?,
        Bytes::from("two"),
        "after two writes"
    );
    Ok(())
}

/// Removing removes; removing what is not there is no error.
pub async fn delete_removes_and_tolerates_absence(subject: &Subject) -> Outcome {
    subject.set("removed", "x").await?;
    for _ in 0..2 {
        subject
            .store
            .delete(subject.delete_request("removed", None))
            .await?;
        ensure!(subject.get("removed").await?.is_none(), "the key is still there");
    }
    Ok(())
}

/// A bulk read has exactly one answer for each key asked for, in that order; missing keys are empty answers.
pub async fn bulk_get_answers_each_key_in_order(subject: &Subject) -> Outcome {
    ensure!(
        subject.store.bulk_get(Vec::new(), 0).await?.is_empty(),
        "answers to no question"
    );
    subject.set("bulk-a", "a").await?;
    subject.set("bulk-b", "b").await?;
    let asked = ["bulk-b", "bulk-missing", "bulk-a", "bulk-b"];
    for parallelism in [0, 1, 3] {
        let requests = asked.iter().map(|name| subject.get_request(name)).collect();
        let answers = subject.store.bulk_get(requests, parallelism).await?;
        let mut found = Vec::new();
        for (key, answer) in answers {
            let item = answer?;
            ensure!(
                !subject.traits.etag || item.as_ref().is_none_or(|item| item.etag.is_some()),
                "the bulk answer for {key:?} has no etag"
            );
            found.push((key, item.map(|item| item.data)));
        }
        let expected = [Some("b"), None, Some("a"), Some("b")];
        let expected: Vec<_> = asked
            .iter()
            .zip(expected)
            .map(|(name, value)| (subject.key(name), value.map(Bytes::from)))
            .collect();
        ensure_eq!(found, expected, "answers with parallelism {parallelism}");
    }
    Ok(())
}

/// Bulk writes and removals reach every key; absent keys are no error.
pub async fn bulk_set_and_bulk_delete_reach_every_key(subject: &Subject) -> Outcome {
    let names: Vec<String> = (0..40).map(|n| format!("many-{n}")).collect();
    let writes = names.iter().map(|name| subject.set_request(name, name)).collect();
    let results = subject.store.bulk_set(writes).await;
    ensure_eq!(results.len(), names.len(), "results of the bulk write");
    for result in results {
        result?;
    }
    for name in &names {
        ensure_eq!(
            subject.bytes(name).await?,
            Bytes::from(name.clone()),
            "value of {name:?}"
        );
    }
    let removals = names
        .iter()
        .map(String::as_str)
        .chain(["many-absent"])
        .map(|name| subject.delete_request(name, None))
        .collect();
    let results = subject.store.bulk_delete(removals).await;
    ensure_eq!(results.len(), names.len() + 1, "results of the bulk removal");
    for result in results {
        result?;
    }
    for name in &names {
        ensure!(subject.get(name).await?.is_none(), "{name:?} is still there");
    }
    Ok(())
}
