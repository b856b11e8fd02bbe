//! Several writes as one: one script run, which checks everything before it writes anything.

use std::{borrow::Cow, collections::BTreeMap};

use outrigger_block_state::{Consistency, ETag, Error, Metadata, Operation};
use redis::Value;

use super::{
    RedisStore, json,
    write::{ANY, expected, ttl, wait_for_replicas},
};
use crate::{fault::Fault, link::Link, value};

/// What every failure here was about.
const ATTEMPTED: &str = "carry out a transaction in Redis";

/// One operation as the script reads it.
struct Step<'o> {
    what: &'static str,
    key: &'o str,
    expected: Cow<'o, str>,
    value: Cow<'o, [u8]>,
    ttl: Cow<'static, str>,
}

/// Applies the operations in order. In a cluster those of one slot are one step; the slots are checked first.
pub(super) async fn transact(
    store: &RedisStore,
    operations: &[Operation],
    metadata: &Metadata,
) -> Result<(), Error> {
    if operations.is_empty() {
        return Ok(());
    }
    let json = store.wants_json(metadata);
    let steps = operations
        .iter()
        .map(|operation| step(store, operation, json))
        .collect::<Result<Vec<_>, _>>()?;
    let strong = store.strong.as_ref().filter(|_| operations.iter().any(is_strong));
    let link = strong.unwrap_or(&store.link);
    let groups = by_slot(link, steps);
    if groups.len() > 1 {
        for group in &groups {
            run(store, link, group, "check").await?;
        }
    }
    for group in &groups {
        run(store, link, group, "apply").await?;
        if let Some(link) = strong {
            wait_for_replicas(link, store.replicas, group[0].key)
                .await
                .map_err(|fault| fault.into_state(ATTEMPTED))?;
        }
    }
    Ok(())
}

fn is_strong(operation: &Operation) -> bool {
    let options = match operation {
        Operation::Set(set) => set.options,
        Operation::Delete(delete) => delete.options,
    };
    options.consistency == Consistency::Strong
}

fn step<'o>(store: &RedisStore, operation: &'o Operation, json: bool) -> Result<Step<'o>, Error> {
    Ok(match operation {
        Operation::Set(set) => {
            let json = json || store.wants_json(&set.metadata);
            Step {
                what: if json { "set-json" } else { "set" },
                key: &set.key,
                expected: expected(set)?,
                value: match json {
                    true => Cow::Owned(json::document(&set.value)),
                    false => Cow::Borrowed(&set.value.bytes()[..]),
                },
                ttl: ttl(store, &set.metadata)?,
            }
        }
        Operation::Delete(delete) => Step {
            what: if json || store.wants_json(&delete.metadata) {
                "delete-json"
            } else {
                "delete"
            },
            key: &delete.key,
            expected: Cow::Borrowed(delete.etag.as_ref().map_or(ANY, ETag::as_str)),
            value: Cow::Borrowed(&[]),
            ttl: Cow::Borrowed(""),
        },
    })
}

/// The steps, apart for each slot of a cluster, in their order within it.
fn by_slot<'o>(link: &Link, steps: Vec<Step<'o>>) -> Vec<Vec<Step<'o>>> {
    if !link.is_cluster() {
        return vec![steps];
    }
    let mut groups: BTreeMap<u16, Vec<Step<'o>>> = BTreeMap::new();
    for step in steps {
        groups.entry(crate::link::slot(step.key)).or_default().push(step);
    }
    groups.into_values().collect()
}

async fn run(store: &RedisStore, link: &Link, steps: &[Step<'_>], mode: &str) -> Result<(), Error> {
    let size = steps
        .iter()
        .map(|step| step.key.len() + step.value.len() + 24)
        .sum();
    let unconditional = steps.iter().all(|step| step.expected == ANY);
    let answer = store
        .scripts
        .transact
        .run(
            link,
            link.writing(unconditional || mode == "check"),
            size,
            |command| {
                command.arg(steps.len());
                for step in steps {
                    command.arg(step.key);
                }
                command.arg(mode);
                for step in steps {
                    command
                        .arg(step.what)
                        .arg(&*step.expected)
                        .arg(&*step.value)
                        .arg(&*step.ttl);
                }
            },
        )
        .await;
    accepted(answer).map_err(|fault| fault.into_state(ATTEMPTED))?
}

/// Zero is done; another number is the operation that was refused.
fn accepted(answer: Result<Value, Fault>) -> Result<Result<(), Error>, Fault> {
    match value::number(&answer?)? {
        0 => Ok(Ok(())),
        refused => {
            tracing::debug!(
                operation = refused,
                "a transaction was refused because of a version"
            );
            Ok(Err(Error::ETagMismatch))
        }
    }
}
