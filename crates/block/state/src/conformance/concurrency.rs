//! Versions, and writers that meet.

use bytes::Bytes;
use futures_util::future::join_all;
use outrigger_block_kit::{ensure, ensure_eq};

use super::{Outcome, Subject, ensure_mismatch};
use crate::{ETag, Error};

/// Writers that try at once.
const WRITERS: usize = 16;

/// A value has a version where the store keeps them, the same for single and bulk reads, another one after each write.
pub async fn every_write_changes_the_etag(subject: &Subject) -> Outcome {
    subject.set("version", "one").await?;
    if !subject.traits.etag {
        let item = subject.get("version").await?;
        ensure!(
            item.is_some_and(|item| item.etag.is_none()),
            "an etag without the capability"
        );
        return Ok(());
    }
    let first = subject.etag("version").await?;
    ensure_eq!(subject.etag("version").await?, first, "a second read");
    let bulk = subject
        .store
        .bulk_get(vec![subject.get_request("version")], 0)
        .await?;
    for (_, answer) in bulk {
        let etag = answer?.and_then(|item| item.etag);
        ensure_eq!(etag.as_ref(), Some(&first), "the bulk read");
    }
    subject.set("version", "one").await?;
    ensure!(
        subject.etag("version").await? != first,
        "the same value written again keeps {first:?}"
    );
    Ok(())
}

/// A write or removal with another version than the stored one changes nothing; with that one it succeeds once.
pub async fn a_wrong_etag_is_a_mismatch(subject: &Subject) -> Outcome {
    if !subject.traits.etag {
        return Ok(());
    }
    let store = &subject.store;
    subject.set("guarded", "one").await?;
    let first = subject.etag("guarded").await?;

    let mut write = subject.set_request("guarded", "two");
    write.etag = subject.bad_etag();
    ensure_mismatch(store.set(write.clone()).await, "write with a wrong etag")?;
    let removal = subject.delete_request("guarded", subject.bad_etag());
    ensure_mismatch(store.delete(removal).await, "removal with a wrong etag")?;
    ensure_eq!(
        subject.bytes("guarded").await?,
        Bytes::from("one"),
        "after refused calls"
    );
    ensure_eq!(
        subject.etag("guarded").await?,
        first,
        "the etag after refused calls"
    );

    write.etag = Some(first.clone());
    store.set(write.clone()).await?;
    ensure_mismatch(store.set(write).await, "second write with a used etag")?;
    let removal = subject.delete_request("guarded", Some(first));
    ensure_mismatch(store.delete(removal).await, "removal with a used etag")?;

    let current = subject.etag("guarded").await?;
    store
        .delete(subject.delete_request("guarded", Some(current)))
        .await?;
    ensure!(
        subject.get("guarded").await?.is_none(),
        "still there after its removal"
    );
    Ok(())
}

/// A text that cannot be a version is told apart from a wrong one, where the store can.
pub async fn an_invalid_etag_is_called_so(subject: &Subject) -> Outcome {
    let Some(invalid) = subject.traits.invalid_etag else {
        return Ok(());
    };
    subject.set("invalid", "one").await?;
    let mut write = subject.set_request("invalid", "two");
    write.etag = ETag::new(invalid);
    let result = subject.store.set(write).await;
    ensure!(
        matches!(result, Err(Error::ETagInvalid)),
        "write: found {result:?}"
    );
    let removal = subject.delete_request("invalid", ETag::new(invalid));
    let result = subject.store.delete(removal).await;
    ensure!(
        matches!(result, Err(Error::ETagInvalid)),
        "removal: found {result:?}"
    );
    ensure_eq!(
        subject.bytes("invalid").await?,
        Bytes::from("one"),
        "after refused calls"
    );
    Ok(())
}

/// A version was given and the key is not there: the writer is late.
pub async fn an_etag_of_nothing_is_a_mismatch(subject: &Subject) -> Outcome {
    if !subject.traits.etag || !subject.traits.etag_needs_value {
        return Ok(());
    }
    let mut write = subject.set_request("etag-of-nothing", "x");
    write.etag = subject.bad_etag();
    ensure_mismatch(subject.store.set(write).await, "write")?;
    ensure!(
        subject.get("etag-of-nothing").await?.is_none(),
        "the refused write is there"
    );
    Ok(())
}

/// One wrong version in a bulk call fails that key alone; the results stand in the order asked.
pub async fn bulk_writes_fail_one_by_one(subject: &Subject) -> Outcome {
    if !subject.traits.etag {
        return Ok(());
    }
    let names = ["one-by-one-a", "one-by-one-b", "one-by-one-c"];
    for name in names {
        subject.set(name, "old").await?;
    }
    let mut writes: Vec<_> = names
        .iter()
        .map(|name| subject.set_request(name, "new"))
        .collect();
    writes[1].etag = subject.bad_etag();
    let results = subject.store.bulk_set(writes).await;
    ensure!(
        matches!(&results[..], [Ok(()), Err(Error::ETagMismatch), Ok(())]),
        "bulk write: {results:?}"
    );
    ensure_eq!(subject.bytes(names[0]).await?, Bytes::from("new"), "first key");
    ensure_eq!(subject.bytes(names[1]).await?, Bytes::from("old"), "refused key");
    ensure_eq!(subject.bytes(names[2]).await?, Bytes::from("new"), "last key");

    let removals = names
        .iter()
        .zip([None, subject.bad_etag(), None])
        .map(|(name, etag)| subject.delete_request(name, etag))
        .collect();
    let results = subject.store.bulk_delete(removals).await;
    ensure!(
        matches!(&results[..], [Ok(()), Err(Error::ETagMismatch), Ok(())]),
        "bulk removal: {results:?}"
    );
    ensure!(
        subject.get(names[1]).await?.is_some(),
        "the refused removal happened"
    );
    ensure!(
        subject.get(names[0]).await?.is_none(),
        "the first key is still there"
    );
    Ok(())
}

/// Many writers hold the same version at once: exactly one of them wins.
pub async fn of_writers_with_one_etag_one_wins(subject: &Subject) -> Outcome {
    if !subject.traits.etag {
        return Ok(());
    }
    subject.set("race", "start").await?;
    let etag = subject.etag("race").await?;
    let writes = (0..WRITERS).map(|writer| {
        let mut write = subject.set_request("race", &writer.to_string());
        write.etag = Some(etag.clone());
        subject.store.set(write)
    });
    one_wins(subject, "race", join_all(writes).await).await
}

/// Without a version the first of two first-writes works and the second does not; with one it works once.
pub async fn the_first_write_wins(subject: &Subject) -> Outcome {
    if !subject.traits.first_write {
        return Ok(());
    }
    let store = &subject.store;
    store.set(subject.first_write("first", "one", None)).await?;
    let again = subject.first_write("first", "two", None);
    ensure!(
        store.set(again).await.is_err(),
        "a second first-write was accepted"
    );
    ensure_eq!(
        subject.bytes("first").await?,
        Bytes::from("one"),
        "after a refused first-write"
    );

    let etag = Some(subject.etag("first").await?);
    store
        .set(subject.first_write("first", "three", etag.clone()))
        .await?;
    ensure_eq!(
        subject.bytes("first").await?,
        Bytes::from("three"),
        "after a first-write with its etag"
    );
    let stale = subject.first_write("first", "four", etag);
    ensure_mismatch(store.set(stale).await, "first-write with a used etag")
}

/// Many first-writes at once: exactly one of them wins.
pub async fn of_first_writers_one_wins(subject: &Subject) -> Outcome {
    if !subject.traits.first_write {
        return Ok(());
    }
    let writes = (0..WRITERS).map(|writer| {
        let write = subject.first_write("first-race", &writer.to_string(), None);
        subject.store.set(write)
    });
    one_wins(subject, "first-race", join_all(writes).await).await
}

async fn one_wins(subject: &Subject, name: &str, results: Vec<Result<(), Error>>) -> Outcome {
    let winners: Vec<usize> = (0..results.len())
        .filter(|writer| results[*writer].is_ok())
        .collect();
    ensure_eq!(winners.len(), 1, "writers that won, of {results:?}");
    let value = subject.bytes(name).await?;
    ensure_eq!(value, Bytes::from(winners[0].to_string()), "the winner's value");
    Ok(())
}
