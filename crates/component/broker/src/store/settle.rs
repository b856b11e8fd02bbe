//! The end of a delivery.

use std::time::Duration;

use rusqlite::{OptionalExtension, named_params};

use super::{
    Group,
    fault::Fault,
    kept,
    publish::{self, after},
    work::{Desk, Work},
};

/// The pause after the first failed delivery: long enough for a hiccup to pass, short enough not to be felt.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause between deliveries of a message that keeps failing: a repaired handler is found in this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was processed.
    Done,
    /// It was tried and not processed.
    Failed,
    /// It was not tried.
    Untried,
}

/// Ends a delivery.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settle {
    /// The group that it was delivered to.
    pub(crate) group: Group,
    /// The message.
    pub(crate) seq: i64,
    /// Which delivery of the message to the group this was, from 1: only the newest may fail.
    pub(crate) attempt: u32,
    /// How it ended.
    pub(crate) verdict: Verdict,
}

impl Work for Settle {
    type Output = ();
    const ATTEMPT: &'static str = "acknowledge a message of the embedded broker";

    fn run(&self, desk: &mut Desk<'_>) -> Result<(), Fault> {
        match self.verdict {
            // Processed is processed, even when the lease ran out meanwhile.
            Verdict::Done => finish(desk, self.group, self.seq),
            Verdict::Failed if is_hopeless(desk, self.group, self.attempt)? => {
                if self.is_current(desk)? {
                    bury_letter(desk, self.group, self.seq)?;
                }
                Ok(())
            }
            Verdict::Failed => self.put_back(desk, self.attempt, after(desk.now, pause(self.attempt))),
            Verdict::Untried => {
                desk.ring.add(self.group.topic);
                self.put_back(desk, self.attempt.saturating_sub(1), desk.now)
            }
        }
    }
}

impl Settle {
    fn put_back(&self, desk: &Desk<'_>, attempts: u32, due: i64) -> Result<(), Fault> {
        desk.sql
            .prepare_cached(
                "UPDATE delivery SET holder = NULL, due = :due, attempts = :attempts
                 WHERE seq = :seq AND consumer = :consumer AND attempts = :attempt AND holder = :me",
            )?
            .execute(named_params! {
                ":due": due,
                ":attempts": attempts,
                ":seq": self.seq,
                ":consumer": self.group.id,
                ":attempt": self.attempt,
                ":me": desk.me,
            })?;
        Ok(())
    }

    /// Whether nobody got the message since.
    fn is_current(&self, desk: &Desk<'_>) -> Result<bool, Fault> {
        let attempts: Option<u32> = desk
            .sql
            .prepare_cached("SELECT attempts FROM delivery WHERE seq = ? AND consumer = ?")?
            .query_row([self.seq, self.group.id], |row| row.get(0))
            .optional()?;
        Ok(attempts == Some(self.attempt))
    }
}

/// Ends the group's business with a message.
pub(super) fn finish(desk: &Desk<'_>, group: Group, seq: i64) -> Result<(), Fault> {
    desk.sql
        .prepare_cached("DELETE FROM delivery WHERE seq = ? AND consumer = ?")?
        .execute([seq, group.id])?;
    kept::drop_if_done(desk, group.topic, seq)
}

/// Whether a message of `group` that was delivered `attempts` times in vain belongs to the dead-letter topic. On that
/// topic itself it does not: it would go round in a circle.
pub(super) fn is_hopeless(desk: &Desk<'_>, group: Group, attempts: u32) -> Result<bool, Fault> {
    match &desk.settings.dead_letter {
        Some(letter) if attempts >= letter.after => Ok(kept::topic(desk, &letter.topic)? != group.topic),
        _ => Ok(false),
    }
}

/// Moves a message to the dead-letter topic, whole and in one transaction; it does not expire there.
pub(super) fn bury_letter(desk: &mut Desk<'_>, group: Group, seq: i64) -> Result<(), Fault> {
    let Some(letter) = &desk.settings.dead_letter else {
        return Ok(());
    };
    let topic = kept::topic(desk, &letter.topic)?;
    let moved = desk
        .sql
        .prepare_cached(
            "INSERT INTO message (topic, published, data, content_type, metadata)
             SELECT ?1, ?2, data, content_type, metadata FROM message WHERE seq = ?3
             RETURNING seq, length(data)",
        )?
        .query_row([topic, desk.now, seq], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    // Not when it has expired meanwhile.
    if let Some((seq, length)) = moved {
        publish::bound(desk, topic, seq, length)?;
        desk.ring.add(topic);
    }
    finish(desk, group, seq)
}

/// The pause after the delivery `attempt` failed.
fn pause(attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_stay_bounded() {
        let millis: Vec<u128> = (1..=11).map(|attempt| pause(attempt).as_millis()).collect();
        assert_eq!(
            millis,
            [
                100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000
            ]
        );
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
