//! What a dead process held goes back.

use rusqlite::OptionalExtension;

use super::{
    fault::Fault,
    kept::{self, Topics},
    work::{Desk, Work},
};
use crate::folder::MemberId;

/// Releases the leases of `member` if it is dead.
#[derive(Debug)]
pub(crate) struct Bury {
    /// The process.
    pub(crate) member: MemberId,
}

/// What became of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It lives, or nobody can tell.
    Alive,
    /// It left, or is buried now.
    Gone,
}

impl Work for Bury {
    type Output = Fate;
    const ATTEMPT: &'static str = "release the leases of a dead process";

    fn run(&self, desk: &mut Desk<'_>) -> Result<Fate, Fault> {
        let known = desk
            .sql
            .prepare_cached("SELECT 1 FROM member WHERE id = ?")?
            .query_row([self.member], |_| Ok(()))
            .optional()?;
        if known.is_none() {
            return Ok(Fate::Gone);
        }
        if self.member == desk.me || desk.folder.is_alive(self.member) {
            return Ok(Fate::Alive);
        }
        bury(desk, self.member)?;
        Ok(Fate::Gone)
    }
}

/// Buries every dead process.
pub(super) fn bury_all(desk: &mut Desk<'_>) -> Result<(), Fault> {
    let members: Vec<MemberId> = desk
        .sql
        .prepare("SELECT id FROM member")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for member in members {
        if member != desk.me && !desk.folder.is_alive(member) {
            bury(desk, member)?;
        }
    }
    Ok(())
}

fn bury(desk: &mut Desk<'_>, member: MemberId) -> Result<(), Fault> {
    kept::release_member(desk, member)?;
    // It may have died after a commit and before it rang for what it committed.
    desk.ring = Topics::All;
    Ok(())
}
