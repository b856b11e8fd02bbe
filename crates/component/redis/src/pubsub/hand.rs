//! What we hold: entries that were read or claimed and are not yet acknowledged.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use super::entry::Id;

/// The ids that one subscription holds. Bounded by what it reads ahead and handles at once.
#[derive(Debug, Default)]
pub(super) struct Hand(Mutex<BTreeSet<Id>>);

/// One id in the hand; it leaves the hand when this is dropped, however that happens.
#[derive(Debug)]
pub(super) struct Held {
    hand: Arc<Hand>,
    id: Id,
}

impl Hand {
    /// Takes an id; `None` when it is held already.
    pub(super) fn hold(self: &Arc<Self>, id: Id) -> Option<Held> {
        self.with(|ids| ids.insert(id)).then(|| Held {
            hand: self.clone(),
            id,
        })
    }

    /// Whether an id is held.
    pub(super) fn holds(&self, id: Id) -> bool {
        self.with(|ids| ids.contains(&id))
    }

    /// All that is held.
    pub(super) fn all(&self) -> Vec<Id> {
        self.with(|ids| ids.iter().copied().collect())
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeSet<Id>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Held {
    /// The id.
    pub(super) fn id(&self) -> Id {
        self.id
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.hand.with(|ids| ids.remove(&self.id));
    }
}
