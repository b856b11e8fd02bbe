//! The end of a subscription.

use super::{
    Group,
    fault::Fault,
    work::{Desk, Work},
};

/// Removes a subscription of this process. The group stays, and so do its messages.
#[derive(Debug)]
pub(crate) struct Leave {
    /// The group.
    pub(crate) group: Group,
    /// This process's number for the subscription.
    pub(crate) subscription: u64,
}

impl Work for Leave {
    type Output = ();
    const ATTEMPT: &'static str = "unsubscribe from the embedded broker";

    fn run(&self, desk: &mut Desk<'_>) -> Result<(), Fault> {
        desk.sql
            .prepare_cached("DELETE FROM interest WHERE topic = ? AND member = ? AND subscription = ?")?
            .execute([self.group.topic, desk.me, self.subscription.cast_signed()])?;
        desk.sql
            .prepare_cached("UPDATE consumer SET seen = ? WHERE id = ?")?
            .execute([desk.now, self.group.id])?;
        // What this one would have looked at later, when a pause after a failure ends, is the others' now.
        desk.ring.add(self.group.topic);
        Ok(())
    }
}
