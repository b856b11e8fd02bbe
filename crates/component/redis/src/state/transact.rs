//! Several writes as one: one script run, which checks everything before it writes anything.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use outrigger_block_state::{Consistency, ETag, Error, Metadata, Operation};
use redis::Value;
use tokio::sync::oneshot;

use super::{
    RedisStore, json,
    lua::Scripts,
    write::{ANY, expected, ttl, wait_for_replicas},
};
use crate::{fault::Fault, link::Link, value};

/// What every failure here was about.
const ATTEMPTED: &str = "carry out a transaction in Redis";

/// One operation as the script reads it.
struct Step {
    what: &'static str,
    key: String,
    expected: Cow<'static, str>,
    value: Bytes,
    ttl: Cow<'static, str>,
}

/// Steps in their order, apart for each slot of a cluster, and what carries them out.
struct Plan {
    groups: Vec<Vec<Step>>,
    link: Link,
    scripts: Arc<Scripts>,
    /// Replicas that each group waits for; none unless a strong write is among them.
    replicas: Option<u64>,
}

/// Applies the operations in order. In a cluster those of one slot are one step; the slots are checked first. Several
/// slots are written on a task that a close waits for, so that neither it nor a caller who goes away leaves some of
/// them unwritten.
pub(super) async fn transact(
    store: &RedisStore,
    operations: Vec<Operation>,
    metadata: &Metadata,
) -> Result<(), Error> {
    if operations.is_empty() {
        return Ok(());
    }
    let strong = store.strong.as_ref().filter(|_| operations.iter().any(is_strong));
    let json = store.wants_json(metadata);
    let steps = operations
        .into_iter()
        .map(|operation| step(store, operation, json))
        .collect::<Result<Vec<_>, _>>()?;
    let link = strong.unwrap_or(&store.link);
    let plan = Plan {
        groups: by_slot(link, steps),
        link: link.clone(),
        scripts: store.scripts.clone(),
        replicas: strong.map(|_| store.replicas),
    };
    if plan.groups.len() == 1 {
        return plan.apply().await;
    }
    plan.check().await?;
    let in_hand = store.transactions.token();
    // Looked at with the token in hand: a close that comes later waits for it.
    if store.transactions.is_closed() {
        return Err(Error::Closed);
    }
    let (report, done) = oneshot::channel();
    store.tasks.spawn("redis transaction", async move {
        let applied = plan.apply().await;
        drop(in_hand);
        // The caller may have gone.
        let _ = report.send(applied);
    });
    done.await.unwrap_or(Err(Error::Closed))
}

fn is_strong(operation: &Operation) -> bool {
    let options = match operation {
        Operation::Set(set) => set.options,
        Operation::Delete(delete) => delete.options,
    };
    options.consistency == Consistency::Strong
}

fn step(store: &RedisStore, operation: Operation, json: bool) -> Result<Step, Error> {
    Ok(match operation {
        Operation::Set(set) => {
            let json = json || store.wants_json(&set.metadata);
            Step {
                what: if json { "set-json" } else { "set" },
                expected: expected(&set)?,
                ttl: ttl(store, &set.metadata)?,
                key: set.key,
                value: match json {
                    true => json::document(&set.value).into(),
                    false => set.value.into_bytes(),
                },
            }
        }
        Operation::Delete(delete) => Step {
            what: if json || store.wants_json(&delete.metadata) {
                "delete-json"
            } else {
                "delete"
            },
            expected: match &delete.etag {
                Some(etag) => Cow::Owned(ETag::as_str(etag).to_owned()),
                None => Cow::Borrowed(ANY),
            },
            key: delete.key,
            value: Bytes::new(),
            ttl: Cow::Borrowed(""),
        },
    })
}

/// The steps, apart for each slot of a cluster, in their order within it.
fn by_slot(link: &Link, steps: Vec<Step>) -> Vec<Vec<Step>> {
    if !link.is_cluster() {
        return vec![steps];
    }
    let mut groups: BTreeMap<u16, Vec<Step>> = BTreeMap::new();
    for step in steps {
        groups.entry(crate::link::slot(&step.key)).or_default().push(step);
    }
    groups.into_values().collect()
}

impl Plan {
    /// Looks whether every group could be applied now.
    async fn check(&self) -> Result<(), Error> {
        for group in &self.groups {
            self.run(group, "check").await?;
        }
        Ok(())
    }

    async fn apply(&self) -> Result<(), Error> {
        for group in &self.groups {
            self.run(group, "apply").await?;
            if let Some(replicas) = self.replicas {
                wait_for_replicas(&self.link, replicas, &group[0].key)
                    .await
                    .map_err(|fault| fault.into_state(ATTEMPTED))?;
            }
        }
        Ok(())
    }

    async fn run(&self, steps: &[Step], mode: &str) -> Result<(), Error> {
        let size = steps
            .iter()
            .map(|step| step.key.len() + step.value.len() + 24)
            .sum();
        let repeat = mode == "check" || steps.iter().all(|step| step.expected == ANY);
        let call = self.link.writing(repeat);
        let answer = self.scripts.transact.run(&self.link, call, size, |command| {
            command.arg(steps.len());
            for step in steps {
                command.arg(&step.key);
            }
            command.arg(mode);
            for step in steps {
                command
                    .arg(step.what)
                    .arg(&*step.expected)
                    .arg(&*step.value)
                    .arg(&*step.ttl);
            }
        });
        accepted(answer.await).map_err(|fault| fault.into_state(ATTEMPTED))?
    }
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
