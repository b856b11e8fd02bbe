//! Values that end.

use bytes::Bytes;
use outrigger_base_clock::Timestamp;
use outrigger_block_kit::{conformance::eventually, ensure, ensure_eq};

use super::{Failure, Outcome, Subject, TTL_LIMIT};
use crate::{Error, Item};

/// How far the told end may be from the expected one, in seconds: the clocks of the store and of the test differ.
const CLOCK_TOLERANCE: i64 = 600;
/// A life that no run sees the end of, in seconds.
const LONG: i64 = 86_400;

/// What is no whole number of seconds, -1 or more, is refused, and nothing is written.
pub async fn a_bad_ttl_is_refused(subject: &Subject) -> Outcome {
    if !subject.traits.ttl {
        return Ok(());
    }
    for text in ["foo", "1.5", "-2"] {
        let result = subject.set_ttl("ttl-bad", "x", text).await;
        ensure!(
            matches!(result, Err(Error::Ttl(_))),
            "ttl {text:?}: found {result:?}"
        );
    }
    ensure!(
        subject.get("ttl-bad").await?.is_none(),
        "the refused write is there"
    );
    Ok(())
}

/// A value is there during its life and gone after it, for single and bulk reads.
pub async fn a_value_ends(subject: &Subject) -> Outcome {
    if !subject.traits.ttl {
        return Ok(());
    }
    subject.set_ttl("ttl-long", "stays", &LONG.to_string()).await?;
    subject.set_ttl("ttl-short", "goes", "1").await?;
    ensure_eq!(
        subject.bytes("ttl-short").await?,
        Bytes::from("goes"),
        "during its life"
    );
    eventually("a value of one second is gone", TTL_LIMIT, async || {
        Ok(subject.get("ttl-short").await?.is_none())
    })
    .await?;
    let bulk = subject
        .store
        .bulk_get(vec![subject.get_request("ttl-short")], 0)
        .await?;
    for (_, answer) in bulk {
        ensure!(answer?.is_none(), "the bulk read still has it");
    }
    ensure_eq!(
        subject.bytes("ttl-long").await?,
        Bytes::from("stays"),
        "the long-lived value"
    );
    Ok(())
}

/// Reads tell when the value ends, as RFC 3339; values without an end tell nothing.
pub async fn the_end_is_told(subject: &Subject) -> Outcome {
    subject.set("ttl-none", "x").await?;
    let item = read(subject, "ttl-none").await?;
    ensure!(
        expire_time(&item).is_none(),
        "an end without a ttl: {:?}",
        item.metadata
    );
    if !subject.traits.ttl || !subject.traits.ttl_expire_time {
        return Ok(());
    }
    subject.set_ttl("ttl-told", "x", &LONG.to_string()).await?;
    let single = read(subject, "ttl-told").await?;
    let bulk = subject
        .store
        .bulk_get(vec![subject.get_request("ttl-told")], 0)
        .await?;
    let bulk = bulk
        .into_iter()
        .next()
        .map(|(_, answer)| answer)
        .transpose()?
        .flatten();
    for item in [Some(single), bulk] {
        let item = item.ok_or_else(|| Failure::new("the bulk read has no answer"))?;
        let text = expire_time(&item).ok_or_else(|| Failure::new("no ttlExpireTime"))?;
        let end: Timestamp = text
            .parse()
            .map_err(|_| Failure::new(format!("{text:?} is no time")))?;
        let off = end.as_second() - (now() + LONG);
        ensure!(off.abs() <= CLOCK_TOLERANCE, "the told end {text} is {off} s off");
    }
    Ok(())
}

/// `-1` lifts an end; so does a write that says nothing, where the store promises that.
pub async fn an_end_can_be_lifted(subject: &Subject) -> Outcome {
    if !subject.traits.ttl {
        return Ok(());
    }
    subject.set_ttl("ttl-lift", "x", "1").await?;
    subject.set_ttl("ttl-lift", "lifted", "-1").await?;
    subject.set_ttl("ttl-omit", "x", "1").await?;
    if subject.traits.omitted_ttl_lifts {
        subject.set("ttl-omit", "lifted").await?;
    }
    subject.set_ttl("ttl-witness", "x", "2").await?;
    eventually("the witness is gone", TTL_LIMIT, async || {
        Ok(subject.get("ttl-witness").await?.is_none())
    })
    .await?;
    let mut names = vec!["ttl-lift"];
    names.extend(subject.traits.omitted_ttl_lifts.then_some("ttl-omit"));
    for name in names {
        let item = read(subject, name).await?;
        ensure_eq!(item.data, Bytes::from("lifted"), "value of {name:?}");
        ensure!(expire_time(&item).is_none(), "{name:?} still tells an end");
    }
    Ok(())
}

/// A value that ended is not in the way of a first-write, and its version is nobody's.
pub async fn what_ended_can_be_written_first(subject: &Subject) -> Outcome {
    if !(subject.traits.ttl && subject.traits.first_write && subject.traits.etag) {
        return Ok(());
    }
    subject.set_ttl("ttl-first", "old", "1").await?;
    let etag = subject.etag("ttl-first").await?;
    eventually("the value is gone", TTL_LIMIT, async || {
        Ok(subject.get("ttl-first").await?.is_none())
    })
    .await?;
    if subject.traits.etag_needs_value {
        let late = subject.first_write("ttl-first", "late", Some(etag));
        super::ensure_mismatch(
            subject.store.set(late).await,
            "a write with the etag of what ended",
        )?;
    }
    subject
        .store
        .set(subject.first_write("ttl-first", "new", None))
        .await?;
    ensure_eq!(
        subject.bytes("ttl-first").await?,
        Bytes::from("new"),
        "after the first-write"
    );
    Ok(())
}

async fn read(subject: &Subject, name: &str) -> Result<Item, Failure> {
    let item = subject.get(name).await?;
    item.ok_or_else(|| Failure::new(format!("key {name:?} is not there")))
}

fn expire_time(item: &Item) -> Option<&str> {
    item.metadata.get("ttlExpireTime").map(String::as_str)
}

fn now() -> i64 {
    use outrigger_base_clock::Clock as _;
    outrigger_base_clock::SystemClock.now().as_second()
}
