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

/// Drops old messages of topics without group, from the oldest on: the first young one ends the look at its topic.
fn drop_old(desk: &Desk<'_>) -> Result<(), Fault> {
    let before = desk.now.saturating_sub(after(0, desk.settings.retention.age));
    let mut room = AT_ONCE;
    let topics: Vec<i64> = desk
        .sql
        .prepare_cached("SELECT id FROM topic WHERE id NOT IN (SELECT topic FROM consumer)")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for topic in topics {
        let mut bytes = 0;
        for (seq, length) in old(desk, topic, before, room)? {
            desk.sql
                .prepare_cached("DELETE FROM message WHERE seq = ?")?
                .execute([seq])?;
            bytes += length;
            room -= 1;
        }
        desk.sql
            .prepare_cached("UPDATE topic SET bytes = max(bytes - ?1, 0) WHERE id = ?2 AND ?1 > 0")?
            .execute([bytes, topic])?;
    }
    Ok(())
}

/// Number and length of the oldest messages of a topic that were published before `before`, `limit` at most.
fn old(desk: &Desk<'_>, topic: i64, before: i64, limit: i64) -> Result<Vec<(i64, i64)>, Fault> {
    let mut select = desk.sql.prepare_cached(
        "SELECT seq, length(data), published FROM message WHERE topic = ? ORDER BY seq LIMIT ?",
    )?;
    let mut rows = select.query([topic, limit])?;
    let mut old = Vec::new();
    while let Some(row) = rows.next()?
        && row.get::<_, i64>(2)? < before
    {
        old.push((row.get(0)?, row.get(1)?));
    }
    Ok(old)
}
