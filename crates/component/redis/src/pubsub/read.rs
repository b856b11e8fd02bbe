//! Reading new entries.

use std::{
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use super::{
    entry::{self, Entry, Id},
    flow::{Flow, Source},
};
use crate::{
    fault::Fault,
    link::{Call, Link},
    value,
};

/// How long a read waits for an entry when `readTimeout` is off.
const BLOCK: Duration = Duration::from_secs(3);
/// How much later than promised the answer of such a read may come before the connection is given up.
const MARGIN: Duration = Duration::from_secs(5);
/// The shortest and the longest pause after a read that failed, whatever the settings say: no spinning, no oversleeping.
const MIN_PAUSE: Duration = Duration::from_millis(10);
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// How often, and how long each time, a read that waits is told to end before its connection is broken.
const UNBLOCK_TRIES: u32 = 10;
const UNBLOCK_PAUSE: Duration = Duration::from_millis(50);
/// The server's answer when the group, or the whole stream, is not there (any more).
const NO_GROUP: &str = "NOGROUP";

/// A connection for reads that wait.
pub(super) fn reading_link(link: &Link) -> Link {
    link.sibling(Some(block(link) + MARGIN))
}

fn block(link: &Link) -> Duration {
    link.settings().read_timeout.unwrap_or(BLOCK)
}

/// The pause before the next try of something that is tried until it succeeds.
pub(super) fn retry_pause(link: &Link, tried: u32) -> Duration {
    link.pause(tried).clamp(MIN_PAUSE, MAX_PAUSE)
}

/// Makes the group, and the stream if it must be; from the stream's beginning, as in Dapr.
pub(super) async fn make_group(source: &Source) -> Result<(), Fault> {
    let mut command = redis::cmd("XGROUP");
    command
        .arg("CREATE")
        .arg(&*source.topic)
        .arg(&*source.consumer)
        .arg("0")
        .arg("MKSTREAM");
    match source.link.send(&command, source.link.writing(true)).await {
        Err(fault) if fault.code() == Some("BUSYGROUP") => Ok(()),
        answer => answer.map(drop),
    }
}

/// Reads until the subscription ends.
pub(super) async fn run(flow: Arc<Flow>, link: Link, depth: usize) {
    let mut failures = 0;
    let mut client = None;
    while !flow.signal.is_stopped() {
        if client.is_none() {
            client = flow.signal.run_until(client_id(&link)).await.flatten();
        }
        let mut read = pin!(next(&flow.source, &link, depth));
        let read = match flow.signal.run_until(read.as_mut()).await {
            Some(read) => read,
            None => {
                let last = finish(&flow.source, read, client).await;
                let ids: Vec<Id> = last.into_iter().map(|entry| entry.id).collect();
                flow.give_back(&ids).await;
                break;
            }
        };
        match read {
            Ok(entries) => {
                failures = 0;
                flow.take(entries.into_iter().map(|entry| (entry, 0)).collect())
                    .await;
            }
            Err(Fault::Closed) => break,
            Err(fault) => {
                client = None;
                recover(&flow, &fault, failures).await;
                failures += 1;
            }
        }
    }
    link.cut();
}

/// The server's number for our connection; unknown in a cluster, or where an ACL forbids to ask.
async fn client_id(link: &Link) -> Option<i64> {
    if link.is_cluster() {
        return None;
    }
    let mut command = redis::cmd("CLIENT");
    command.arg("ID");
    let answer = link.send(&command, link.reading()).await.ok()?;
    value::number(&answer).ok()
}

/// Ends a read that waits at the server, rather than break its connection: for a moment the server would still give an
/// entry to a connection that is gone. What the read brings after all is returned.
async fn finish(
    source: &Source,
    mut read: Pin<&mut impl Future<Output = Result<Vec<Entry>, Fault>>>,
    client: Option<i64>,
) -> Vec<Entry> {
    let Some(client) = client else { return Vec::new() };
    let mut command = redis::cmd("CLIENT");
    command.arg("UNBLOCK").arg(client);
    // More than once, as the read may not have reached the server when it is told to end it.
    for _ in 0..UNBLOCK_TRIES {
        if source
            .link
            .send(&command, source.link.writing(true))
            .await
            .is_err()
        {
            break;
        }
        if let Ok(read) = tokio::time::timeout(UNBLOCK_PAUSE, read.as_mut()).await {
            return read.unwrap_or_default();
        }
    }
    Vec::new()
}

/// The next entries; none when none came in time.
async fn next(source: &Source, link: &Link, depth: usize) -> Result<Vec<Entry>, Fault> {
    let block = block(link);
    let mut command = redis::cmd("XREADGROUP");
    command
        .arg("GROUP")
        .arg(&*source.consumer)
        .arg(&*source.consumer)
        .arg("COUNT")
        .arg(depth)
        .arg("BLOCK")
        .arg(u64::try_from(block.as_millis()).unwrap_or(u64::MAX).max(1))
        .arg("STREAMS")
        .arg(&*source.topic)
        .arg(">");
    let call = Call {
        limit: Some(block + MARGIN),
        repeat: false,
    };
    entry::of_read(link.send(&command, call).await?)
}

/// After a read that failed: make a lost group again, wait a little.
async fn recover(flow: &Flow, fault: &Fault, failures: u32) {
    let topic = &*flow.source.topic;
    if fault.code() == Some(NO_GROUP) {
        tracing::warn!(
            topic,
            "the consumer group is gone (data loss, or it was deleted): making it again"
        );
        if make_group(&flow.source).await.is_ok() {
            return;
        }
    } else if failures == 0 {
        tracing::warn!(topic, %fault, "reading from Redis failed: trying until it succeeds");
    }
    flow.signal
        .run_until(tokio::time::sleep(retry_pause(&flow.source.link, failures)))
        .await;
}
