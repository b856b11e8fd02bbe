//! Questions and steps that several operations share.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, named_params};

use super::{fault::Fault, work::Desk};
use crate::folder::MemberId;

/// Topics whose subscribers should look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Topics {
    /// These.
    Some(BTreeSet<i64>),
    /// Every one.
    All,
}

impl Default for Topics {
    fn default() -> Self {
        Self::Some(BTreeSet::new())
    }
}

impl Topics {
    /// Adds a topic.
    pub(crate) fn add(&mut self, topic: i64) {
        if let Self::Some(topics) = self {
            topics.insert(topic);
        }
    }

    /// The members to ring for: whoever subscribes to one of the topics, but not `me`.
    pub(super) fn members(
        &self,
        sql: &rusqlite::Connection,
        me: MemberId,
    ) -> rusqlite::Result<BTreeSet<MemberId>> {
        let mut members = BTreeSet::new();
        match self {
            Self::All => {
                let mut select =
                    sql.prepare_cached("SELECT DISTINCT member FROM interest WHERE member <> ?")?;
                for member in select.query_map([me], |row| row.get(0))? {
                    members.insert(member?);
                }
            }
            Self::Some(topics) => {
                let mut select = sql
                    .prepare_cached("SELECT DISTINCT member FROM interest WHERE topic = ? AND member <> ?")?;
                for topic in topics {
                    for member in select.query_map([*topic, me], |row| row.get(0))? {
                        members.insert(member?);
                    }
                }
            }
        }
        Ok(members)
    }
}

/// The number of the topic `name`, new where it is.
pub(super) fn topic(desk: &Desk<'_>, name: &str) -> Result<i64, Fault> {
    let known = desk
        .sql
        .prepare_cached("SELECT id FROM topic WHERE name = ?")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    match known {
        Some(id) => Ok(id),
        None => Ok(desk
            .sql
            .prepare_cached("INSERT INTO topic (name) VALUES (?) RETURNING id")?
            .query_row([name], |row| row.get(0))?),
    }
}

/// Drops the message `seq` if every group of its topic is done with it.
pub(super) fn drop_if_done(desk: &Desk<'_>, topic: i64, seq: i64) -> Result<(), Fault> {
    desk.sql
        .prepare_cached(
            "DELETE FROM message WHERE seq = :seq
             AND NOT EXISTS (SELECT 1 FROM delivery WHERE seq = :seq)
             AND NOT EXISTS (SELECT 1 FROM consumer WHERE topic = :topic AND cursor < :seq)",
        )?
        .execute(named_params! {":seq": seq, ":topic": topic})?;
    Ok(())
}

/// Releases what `member` holds, due at once, and forgets its subscriptions and itself. Whom that concerns is rung.
pub(super) fn release_member(desk: &mut Desk<'_>, member: MemberId) -> Result<(), Fault> {
    ring_for(
        desk,
        member,
        "SELECT DISTINCT topic FROM interest WHERE member = ?",
    )?;
    ring_for(
        desk,
        member,
        "SELECT DISTINCT topic FROM consumer JOIN delivery ON consumer = id WHERE holder = ?",
    )?;
    desk.sql
        .prepare_cached("UPDATE delivery SET holder = NULL, due = ? WHERE holder = ?")?
        .execute([desk.now, member])?;
    desk.sql
        .prepare_cached(
            "UPDATE consumer SET seen = ? WHERE id IN (SELECT consumer FROM interest WHERE member = ?)",
        )?
        .execute([desk.now, member])?;
    desk.sql
        .prepare_cached("DELETE FROM interest WHERE member = ?")?
        .execute([member])?;
    desk.sql
        .prepare_cached("DELETE FROM member WHERE id = ?")?
        .execute([member])?;
    desk.buried.push(member);
    Ok(())
}

/// Rings the topics that `select` finds for `member`.
fn ring_for(desk: &mut Desk<'_>, member: MemberId, select: &str) -> Result<(), Fault> {
    let mut select = desk.sql.prepare_cached(select)?;
    for topic in select.query_map([member], |row| row.get(0))? {
        desk.ring.add(topic?);
    }
    Ok(())
}
