//! Publishing: rows in the topic's log, all of one request or none.

use std::time::Duration;

use bytes::Bytes;
use outrigger_block_pubsub::Metadata;
use rusqlite::named_params;

use super::{
    fault::Fault,
    kept,
    work::{Desk, Work},
};

/// A message to be published.
#[derive(Debug)]
pub(crate) struct NewMessage {
    /// The topic.
    pub(crate) topic: String,
    /// The payload.
    pub(crate) data: Bytes,
    /// What the payload is.
    pub(crate) content_type: Option<String>,
    /// What travels with it.
    pub(crate) metadata: Metadata,
    /// How long it may be delivered.
    pub(crate) ttl: Option<Duration>,
}

/// Publishes messages, in their order.
#[derive(Debug)]
pub(crate) struct Publish(pub(crate) Vec<NewMessage>);

impl Work for Publish {
    type Output = ();
    const ATTEMPT: &'static str = "publish to the embedded broker";
    const DURABLE: bool = true;

    fn weight(&self) -> usize {
        self.0.iter().map(|message| message.data.len()).sum()
    }

    fn run(&self, desk: &mut Desk<'_>) -> Result<(), Fault> {
        for message in &self.0 {
            let topic = kept::topic(desk, &message.topic)?;
            let seq = insert(desk, topic, message)?;
            bound(
                desk,
                topic,
                seq,
                i64::try_from(message.data.len()).unwrap_or(i64::MAX),
            )?;
            desk.ring.add(topic);
        }
        desk.published = true;
        Ok(())
    }
}

fn insert(desk: &Desk<'_>, topic: i64, message: &NewMessage) -> Result<i64, Fault> {
    let expires = message.ttl.map(|ttl| after(desk.now, ttl));
    // Text pairs always make JSON.
    let metadata =
        (!message.metadata.is_empty()).then(|| serde_json::to_string(&message.metadata).unwrap_or_default());
    desk.sql
        .prepare_cached(
            "INSERT INTO message (topic, published, expires, data, content_type, metadata)
             VALUES (:topic, :published, :expires, :data, :content_type, :metadata)",
        )?
        .execute(named_params! {
            ":topic": topic,
            ":published": desk.now,
            ":expires": expires,
            ":data": &*message.data,
            ":content_type": message.content_type,
            ":metadata": metadata,
        })?;
    Ok(desk.sql.last_insert_rowid())
}

/// `now` and `by`, in milliseconds; the end of time where that overflows.
pub(super) fn after(now: i64, by: Duration) -> i64 {
    now.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX))
}

fn has_group(desk: &Desk<'_>, topic: i64) -> Result<bool, Fault> {
    Ok(desk
        .sql
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM consumer WHERE topic = ?)")?
        .query_row([topic], |row| row.get(0))?)
}

/// Counts the bytes of a topic without group, and drops its oldest messages while they are too many. The newest, `seq`,
/// stays whatever its length.
pub(super) fn bound(desk: &Desk<'_>, topic: i64, seq: i64, length: i64) -> Result<(), Fault> {
    if has_group(desk, topic)? {
        return Ok(());
    }
    let mut bytes: i64 = desk
        .sql
        .prepare_cached("UPDATE topic SET bytes = bytes + ? WHERE id = ? RETURNING bytes")?
        .query_row([length, topic], |row| row.get(0))?;
    let limit = i64::try_from(desk.settings.retention.bytes).unwrap_or(i64::MAX);
    while bytes > limit {
        let dropped: Option<i64> = desk
            .sql
            .prepare_cached(
                "DELETE FROM message WHERE seq =
                   (SELECT seq FROM message WHERE topic = ?1 AND seq < ?2 ORDER BY seq LIMIT 1)
                 RETURNING length(data)",
            )?
            .query_map([topic, seq], |row| row.get(0))?
            .next()
            .transpose()?;
        // Nothing left but the newest. The count may be too high by what expired; it is set right here.
        bytes = dropped.map_or(length, |dropped| bytes - dropped);
        desk.sql
            .prepare_cached("UPDATE topic SET bytes = ? WHERE id = ?")?
            .execute([bytes, topic])?;
        if dropped.is_none() {
            break;
        }
    }
    Ok(())
}
