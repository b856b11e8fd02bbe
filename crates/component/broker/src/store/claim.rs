//! Taking messages to deliver, each under a lease.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use outrigger_block_pubsub::{Message, Metadata};
use rusqlite::{OptionalExtension, Row, named_params};

use super::{
    Group,
    fault::Fault,
    publish::after,
    settle::{bury_letter, finish, is_hopeless},
    work::{Desk, Work},
};

/// How many rows one claim looks at: those that have expired are passed over, and a long row of them must not keep
/// the folder's lock. What is left is looked at by the next claim.
const LOOKS: usize = 500;

/// Claims messages of a group for this process.
#[derive(Debug)]
pub(crate) struct Claim {
    /// The group.
    pub(crate) group: Group,
    /// The topic's name.
    pub(crate) topic: Arc<str>,
    /// How many at most.
    pub(crate) limit: usize,
}

/// A message under a lease of this process.
#[derive(Debug)]
pub(crate) struct Claimed {
    /// Its number.
    pub(crate) seq: i64,
    /// Which delivery to this group this is, from 1.
    pub(crate) attempt: u32,
    /// The message.
    pub(crate) message: Message,
}

/// What a claim got.
#[derive(Debug)]
pub(crate) struct Claims {
    /// The messages: those due again first, then new ones in publish order.
    pub(crate) claimed: Vec<Claimed>,
    /// When to look again though nobody rings: when a pause or another's lease ends. `None`: never.
    pub(crate) look_again: Option<Duration>,
}

impl Work for Claim {
    type Output = Claims;
    const ATTEMPT: &'static str = "take messages from the embedded broker";

    fn run(&self, desk: &mut Desk<'_>) -> Result<Claims, Fault> {
        let mut taken = Taken {
            claimed: Vec::new(),
            looks: 0,
        };
        self.take_due(desk, &mut taken)?;
        self.take_new(desk, &mut taken)?;
        let look_again = if taken.looks >= LOOKS {
            Some(Duration::ZERO)
        } else {
            self.next_due(desk)?
        };
        Ok(Claims {
            claimed: taken.claimed,
            look_again,
        })
    }
}

struct Taken {
    claimed: Vec<Claimed>,
    looks: usize,
}

impl Claim {
    /// How many more rows are wanted.
    fn want(&self, taken: &Taken) -> usize {
        (self.limit - taken.claimed.len()).min(LOOKS.saturating_sub(taken.looks))
    }

    /// Messages whose pause or lease has ended.
    fn take_due(&self, desk: &mut Desk<'_>, taken: &mut Taken) -> Result<(), Fault> {
        loop {
            let due = self.due(desk, self.want(taken))?;
            if due.is_empty() {
                return Ok(());
            }
            for (seq, attempts) in due {
                taken.looks += 1;
                match self.message(desk, seq)? {
                    None => finish(desk, self.group, seq)?,
                    Some(_) if is_hopeless(desk, self.group, attempts)? => {
                        bury_letter(desk, self.group, seq)?;
                    }
                    Some(message) => {
                        let attempt = attempts.saturating_add(1);
                        self.lease_again(desk, seq, attempt)?;
                        taken.claimed.push(Claimed {
                            seq,
                            attempt,
                            message,
                        });
                    }
                }
            }
        }
    }

    fn due(&self, desk: &Desk<'_>, limit: usize) -> Result<Vec<(i64, u32)>, Fault> {
        let mut select = desk.sql.prepare_cached(
            "SELECT seq, attempts FROM delivery WHERE consumer = :consumer AND due <= :now ORDER BY due, seq LIMIT :limit",
        )?;
        let parameters =
            named_params! {":consumer": self.group.id, ":now": desk.now, ":limit": row_limit(limit)};
        let rows = select.query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The message `seq`, unless it has expired or is gone.
    fn message(&self, desk: &Desk<'_>, seq: i64) -> Result<Option<Message>, Fault> {
        Ok(desk
            .sql
            .prepare_cached(
                "SELECT data, content_type, metadata FROM message
                 WHERE seq = ? AND (expires IS NULL OR expires > ?)",
            )?
            .query_row([seq, desk.now], |row| self.read(row))
            .optional()?)
    }

    fn lease_again(&self, desk: &Desk<'_>, seq: i64, attempt: u32) -> Result<(), Fault> {
        desk.sql
            .prepare_cached(
                "UPDATE delivery SET attempts = :attempt, due = :due, holder = :me
                 WHERE seq = :seq AND consumer = :consumer",
            )?
            .execute(named_params! {
                ":attempt": attempt,
                ":due": after(desk.now, desk.settings.lease),
                ":me": desk.me,
                ":seq": seq,
                ":consumer": self.group.id,
            })?;
        Ok(())
    }

    /// Messages that the group has not seen.
    fn take_new(&self, desk: &Desk<'_>, taken: &mut Taken) -> Result<(), Fault> {
        let limit = self.want(taken);
        if limit == 0 {
            return Ok(());
        }
        let cursor: i64 = desk
            .sql
            .prepare_cached("SELECT cursor FROM consumer WHERE id = ?")?
            .query_row([self.group.id], |row| row.get(0))?;
        let reached = self.walk(desk, cursor, taken)?;
        if reached > cursor {
            desk.sql
                .prepare_cached("UPDATE consumer SET cursor = ? WHERE id = ?")?
                .execute([reached, self.group.id])?;
        }
        Ok(())
    }

    /// Leases new messages beyond `cursor`; how far it came.
    fn walk(&self, desk: &Desk<'_>, cursor: i64, taken: &mut Taken) -> Result<i64, Fault> {
        let mut select = desk.sql.prepare_cached(
            "SELECT data, content_type, metadata, seq, expires FROM message WHERE topic = ? AND seq > ? ORDER BY seq",
        )?;
        let mut rows = select.query([self.group.topic, cursor])?;
        let mut reached = cursor;
        while self.want(taken) > 0
            && let Some(row) = rows.next()?
        {
            taken.looks += 1;
            reached = row.get(3)?;
            let expires: Option<i64> = row.get(4)?;
            // One that has expired is dropped by the housekeeping.
            if expires.is_none_or(|expires| expires > desk.now) {
                self.lease(desk, reached)?;
                taken.claimed.push(Claimed {
                    seq: reached,
                    attempt: 1,
                    message: self.read(row)?,
                });
            }
        }
        Ok(reached)
    }

    fn lease(&self, desk: &Desk<'_>, seq: i64) -> Result<(), Fault> {
        desk.sql
            .prepare_cached(
                "INSERT INTO delivery (seq, consumer, attempts, due, holder) VALUES (:seq, :consumer, 1, :due, :me)",
            )?
            .execute(named_params! {
                ":seq": seq,
                ":consumer": self.group.id,
                ":due": after(desk.now, desk.settings.lease),
                ":me": desk.me,
            })?;
        Ok(())
    }

    /// The next end of a pause or of another process's lease; this process watches over its own.
    fn next_due(&self, desk: &Desk<'_>) -> Result<Option<Duration>, Fault> {
        let due: Option<i64> = desk
            .sql
            .prepare_cached("SELECT min(due) FROM delivery WHERE consumer = ? AND holder IS NOT ?")?
            .query_row([self.group.id, desk.me], |row| row.get(0))?;
        Ok(due.map(|due| Duration::from_millis(u64::try_from(due.saturating_sub(desk.now)).unwrap_or(0))))
    }

    fn read(&self, row: &Row<'_>) -> rusqlite::Result<Message> {
        let metadata = match row.get_ref(2)?.as_str_or_null()? {
            Some(text) => metadata(text),
            None => Metadata::new(),
        };
        Ok(Message {
            topic: self.topic.clone(),
            data: Bytes::copy_from_slice(row.get_ref(0)?.as_blob()?),
            content_type: row.get(1)?,
            metadata,
        })
    }
}

/// Written by us as JSON of text pairs; what somebody else made of it is not worth a message.
fn metadata(text: &str) -> Metadata {
    serde_json::from_str(text).unwrap_or_else(|error| {
        tracing::warn!(%error, "a message of the embedded broker has unreadable metadata: delivered without");
        Metadata::new()
    })
}

fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
