//! What is dropped by age: done in passing, by whoever publishes, at most once a minute; nobody wakes for it.

use super::{fault::Fault, publish::after, work::Desk};

/// Between two rounds of one process, in milliseconds.
const EVERY_MS: i64 = 60_000;
/// Messages that one statement of a round drops, so that the folder's lock is held for a few milliseconds at most. A
/// publisher that brings more in a minute meets the size bound, or a subscriber.
const AT_ONCE: i64 = 10_000;
/// Pages of 4 KiB that a round gives back to the disk.
const PAGES: u32 = 2_000;

/// Whether a round is due; sets the time of the next.
pub(super) fn is_due(next: &mut i64, now: i64) -> bool {
    // The clock may have been set back.
    let due = now >= *next || *next - now > EVERY_MS;
    if due {
        *next = now.saturating_add(EVERY_MS);
    }
    due
}

/// One round.
pub(super) fn keep_house(desk: &Desk<'_>) -> Result<(), Fault> {
    drop_expired(desk)?;
    forget_groups(desk)?;
    drop_old(desk)?;
    desk.sql
        .execute_batch(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    Ok(())
}

fn drop_expired(desk: &Desk<'_>) -> Result<(), Fault> {
    desk.sql
        .prepare_cached(
            "DELETE FROM message WHERE seq IN (SELECT seq FROM message WHERE expires <= ? ORDER BY expires LIMIT ?)",
        )?
        .execute([desk.now, AT_ONCE])?;
    Ok(())
}

/// Forgets groups that had no subscriber for long, and drops what only they were still to get.
fn forget_groups(desk: &Desk<'_>) -> Result<(), Fault> {
    let before = desk.now.saturating_sub(after(0, desk.settings.retention.group));
    let forgotten: Vec<(i64, i64)> = desk
        .sql
        .prepare_cached(
            "DELETE FROM consumer WHERE seen < ? AND id NOT IN (SELECT consumer FROM interest) RETURNING id, topic",
        )?
        .query_map([before], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (group, topic) in forgotten {
        tracing::info!(
            group,
            topic,
            "the embedded broker forgets a group that was away for long"
        );
        desk.sql
            .prepare_cached("DELETE FROM delivery WHERE consumer = ?")?
            .execute([group])?;
        desk.sql
            .prepare_cached(
                "DELETE FROM message WHERE topic = ?1
                 AND EXISTS (SELECT 1 FROM consumer WHERE topic = ?1)
                 AND seq <= (SELECT min(cursor) FROM consumer WHERE topic = ?1)
                 AND seq NOT IN (SELECT seq FROM delivery)",
            )?
            .execute([topic])?;
        // Without any group the bytes count from now on.
        desk.sql
            .prepare_cached(
                "UPDATE topic SET bytes = (SELECT ifnull(sum(length(data)), 0) FROM message WHERE topic = ?1) WHERE id = ?1",
            )?
            .execute([topic])?;
    }
    Ok(())
}

/// Drops old messages of topics without group.
fn drop_old(desk: &Desk<'_>) -> Result<(), Fault> {
    let before = desk.now.saturating_sub(after(0, desk.settings.retention.age));
    let dropped: Vec<(i64, i64)> = desk
        .sql
        .prepare_cached(
            "DELETE FROM message WHERE seq IN (
               SELECT message.seq FROM topic JOIN message ON message.topic = topic.id
               WHERE topic.id NOT IN (SELECT topic FROM consumer) AND message.published < ? LIMIT ?)
             RETURNING topic, length(data)",
        )?
        .query_map([before, AT_ONCE], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (topic, bytes) in dropped {
        desk.sql
            .prepare_cached("UPDATE topic SET bytes = max(bytes - ?, 0) WHERE id = ?")?
            .execute([bytes, topic])?;
    }
    Ok(())
}
