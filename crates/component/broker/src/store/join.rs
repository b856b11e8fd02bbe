//! Beginning to subscribe: the group exists from here on, and publishers ring for this process.

use std::sync::Arc;

use rusqlite::named_params;

use super::{
    Group,
    fault::Fault,
    kept,
    work::{Desk, Work},
};
use crate::folder::MemberId;

/// Adds a subscription of this process.
#[derive(Debug)]
pub(crate) struct Join {
    /// The topic's name.
    pub(crate) topic: Arc<str>,
    /// This process's number for the subscription.
    pub(crate) subscription: u64,
}

/// A subscription that stands.
#[derive(Debug)]
pub(crate) struct Joined {
    /// The group.
    pub(crate) group: Group,
    /// The other processes of the group.
    pub(crate) peers: Vec<MemberId>,
}

impl Work for Join {
    type Output = Joined;
    const ATTEMPT: &'static str = "subscribe to the embedded broker";

    fn run(&self, desk: &mut Desk<'_>) -> Result<Joined, Fault> {
        let topic = kept::topic(desk, &self.topic)?;
        let group = Group {
            id: group(desk, topic)?,
            topic,
        };
        desk.sql
            .prepare_cached(
                "INSERT INTO interest (topic, member, subscription, consumer)
                 VALUES (:topic, :member, :subscription, :consumer)",
            )?
            .execute(named_params! {
                ":topic": topic,
                ":member": desk.me,
                ":subscription": self.subscription.cast_signed(),
                ":consumer": group.id,
            })?;
        Ok(Joined {
            group,
            peers: peers(desk, group)?,
        })
    }
}

/// The number of this process's group at `topic`; a new one begins with the oldest message that is kept.
fn group(desk: &Desk<'_>, topic: i64) -> Result<i64, Fault> {
    Ok(desk
        .sql
        .prepare_cached(
            "INSERT INTO consumer (topic, name, cursor, seen) VALUES (:topic, :name, 0, :now)
             ON CONFLICT (topic, name) DO UPDATE SET seen = :now RETURNING id",
        )?
        .query_row(
            named_params! {":topic": topic, ":name": &*desk.settings.group, ":now": desk.now},
            |row| row.get(0),
        )?)
}

fn peers(desk: &Desk<'_>, group: Group) -> Result<Vec<MemberId>, Fault> {
    let mut select = desk.sql.prepare_cached(
        "SELECT DISTINCT member FROM interest WHERE topic = ? AND consumer = ? AND member <> ?",
    )?;
    let peers = select.query_map([group.topic, group.id, desk.me], |row| row.get(0))?;
    Ok(peers.collect::<rusqlite::Result<_>>()?)
}
