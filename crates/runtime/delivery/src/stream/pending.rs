//! Deliveries that wait for the app's answer.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use outrigger_runtime_channel::EventVerdict;
use tokio::sync::oneshot;

/// Deliveries by the id of their event. An id may come twice at a time, for a publisher may repeat it; answers to it go
/// to the deliveries in the order in which those went out.
#[derive(Default)]
pub(super) struct Pending(Mutex<State>);

#[derive(Default)]
struct State {
    /// Tells deliveries of one id apart.
    next: u64,
    waiting: HashMap<String, VecDeque<(u64, oneshot::Sender<EventVerdict>)>>,
}

impl Pending {
    /// Begins to wait for the answer to an event.
    pub(super) fn wait(pending: &Arc<Self>, id: &str) -> Waiting {
        let (sender, receiver) = oneshot::channel();
        let mut state = pending.state();
        let number = state.next;
        state.next += 1;
        state
            .waiting
            .entry(id.to_owned())
            .or_default()
            .push_back((number, sender));
        Waiting {
            receiver,
            entry: Entry {
                pending: pending.clone(),
                id: id.to_owned(),
                number,
            },
        }
    }

    /// Answers the oldest delivery of an event: whether there was one.
    pub(super) fn answer(&self, id: &str, verdict: EventVerdict) -> bool {
        let mut state = self.state();
        let Some(queue) = state.waiting.get_mut(id) else {
            return false;
        };
        let oldest = queue.pop_front();
        if queue.is_empty() {
            state.waiting.remove(id);
        }
        drop(state);
        oldest.is_some_and(|(_, sender)| sender.send(verdict).is_ok())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing between lock and unlock leaves the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("events", &self.state().waiting.len())
            .finish()
    }
}

/// A delivery that waits. Dropping it forgets it.
pub(super) struct Waiting {
    receiver: oneshot::Receiver<EventVerdict>,
    entry: Entry,
}

impl Waiting {
    /// The answer; `None` when there will be none.
    pub(super) async fn verdict(self) -> Option<EventVerdict> {
        let Self { receiver, entry } = self;
        let verdict = receiver.await.ok();
        drop(entry);
        verdict
    }
}

/// An entry of the map, taken out on drop.
struct Entry {
    pending: Arc<Pending>,
    id: String,
    number: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut state = self.pending.state();
        let Some(queue) = state.waiting.get_mut(&self.id) else {
            return;
        };
        queue.retain(|(number, _)| *number != self.number);
        if queue.is_empty() {
            state.waiting.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_of_one_id_go_out_in_order_and_those_given_up_are_forgotten() {
        let pending = Arc::<Pending>::default();
        let first = Pending::wait(&pending, "a");
        let given_up = Pending::wait(&pending, "a");
        let third = Pending::wait(&pending, "a");
        drop(given_up);
        assert!(pending.answer("a", EventVerdict::Success));
        assert!(pending.answer("a", EventVerdict::Drop));
        assert!(!pending.answer("a", EventVerdict::Retry));
        assert_eq!(first.verdict().await, Some(EventVerdict::Success));
        assert_eq!(third.verdict().await, Some(EventVerdict::Drop));
        assert!(pending.state().waiting.is_empty());
    }
}
