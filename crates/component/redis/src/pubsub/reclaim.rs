//! Delivering again what somebody took and did not finish.

use std::{collections::BTreeMap, sync::Arc};

use redis::{Cmd, Pipeline, Value};

use super::{
    entry::{self, Id, Pending},
    flow::Flow,
    options::Redelivery,
};
use crate::{fault::Fault, value};

/// Looks for pending entries at once and then again and again, until the subscription ends.
pub(super) async fn run(flow: Arc<Flow>, redelivery: Redelivery, depth: usize) {
    loop {
        if let Err(fault) = sweep(&flow, redelivery, depth).await {
            // The reader tells of outages and makes lost groups again; here the next round will do.
            tracing::debug!(topic = &*flow.source.topic, %fault, "looking for pending entries failed");
        }
        if flow
            .signal
            .run_until(tokio::time::sleep(redelivery.every))
            .await
            .is_none()
        {
            return;
        }
    }
}

/// Goes once through all pending entries of the group, whoever took them.
async fn sweep(flow: &Arc<Flow>, redelivery: Redelivery, depth: usize) -> Result<(), Fault> {
    let mut from = "-".to_owned();
    // A look takes nothing, so it can be broken off.
    while let Some(page) = flow.signal.run_until(page(flow, &from, depth)).await {
        let page = page?;
        let Some(last) = page.last().filter(|_| page.len() >= depth) else {
            claim(flow, redelivery, page).await?;
            break;
        };
        from = last.id.next().to_string();
        claim(flow, redelivery, page).await?;
    }
    Ok(())
}

async fn page(flow: &Flow, from: &str, depth: usize) -> Result<Vec<Pending>, Fault> {
    let source = &flow.source;
    let mut command = redis::cmd("XPENDING");
    command
        .arg(&*source.topic)
        .arg(&*source.consumer)
        .arg(from)
        .arg("+")
        .arg(depth);
    entry::pending(source.link.send(&command, source.link.reading()).await?)
}

/// Claims those that lay long enough and are not in our own hand, and hands them on.
async fn claim(flow: &Arc<Flow>, redelivery: Redelivery, page: Vec<Pending>) -> Result<(), Fault> {
    let mut due: BTreeMap<Id, u32> = page
        .into_iter()
        .filter(|pending| pending.idle >= redelivery.after && !flow.hand.holds(pending.id))
        .map(|pending| (pending.id, pending.deliveries))
        .collect();
    if due.is_empty() {
        return Ok(());
    }
    let source = &flow.source;
    let mut command = redis::cmd("XCLAIM");
    command
        .arg(&*source.topic)
        .arg(&*source.consumer)
        .arg(&*source.consumer)
        .arg(u64::try_from(redelivery.after.as_millis()).unwrap_or(u64::MAX));
    for id in due.keys() {
        command.arg(id.to_string());
    }
    // Not repeated after a lost answer: it would find what it claimed itself too young. The next round comes.
    let claimed = entry::entries(source.link.send(&command, source.link.writing(false)).await?)?;
    let claimed: Vec<_> = claimed
        .into_iter()
        .filter_map(|entry| due.remove(&entry.id).map(|deliveries| (entry, deliveries)))
        .collect();
    flow.take(claimed).await;
    forget_vanished(flow, due.into_keys().collect()).await
}

/// Takes entries off the pending list that are no longer in the stream. One that is there was claimed by another.
async fn forget_vanished(flow: &Flow, missing: Vec<Id>) -> Result<(), Fault> {
    if missing.is_empty() {
        return Ok(());
    }
    let source = &flow.source;
    let mut look = Pipeline::with_capacity(missing.len());
    for id in &missing {
        let id = id.to_string();
        look.cmd("XRANGE").arg(&*source.topic).arg(&id).arg(&id);
    }
    let answers = source.link.send_all(&look, source.link.reading()).await?;
    let mut command = Cmd::with_capacity(missing.len() + 3, missing.len() * 20 + 64);
    command.arg("XACK").arg(&*source.topic).arg(&*source.consumer);
    let mut vanished = 0;
    for (id, answer) in missing.into_iter().zip(answers) {
        if matches!(value::checked(answer)?, Value::Array(found) if found.is_empty()) {
            command.arg(id.to_string());
            vanished += 1;
        }
    }
    if vanished > 0 {
        tracing::warn!(
            topic = &*source.topic,
            vanished,
            "pending messages are no longer in the stream: given up"
        );
        source.link.send(&command, source.link.writing(true)).await?;
    }
    Ok(())
}
