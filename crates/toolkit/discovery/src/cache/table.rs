//! The table of answers: read without a lock, swapped as a whole when a name comes or goes.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::{ArcSwap, Guard};
use tokio::time::Instant;

use crate::{Endpoints, Name, NameRef, name_map::NameMap};

/// Answers by name.
pub(super) struct Table {
    names: ArcSwap<NameMap<Arc<Entry>>>,
    limit: usize,
}

/// What is known of one name. It keeps its place when its answer changes.
pub(super) struct Entry {
    answer: ArcSwap<Answer>,
    /// A look-up is under way or queued.
    pub(super) refreshing: AtomicBool,
}

/// What a resolver said, and when.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) state: State,
    pub(super) since: Instant,
    /// No refresh before this, after one that failed.
    pub(super) not_before: Instant,
}

/// The three things an answer can be.
#[derive(Clone)]
pub(super) enum State {
    /// These; never an empty list.
    Known(Endpoints),
    /// The resolver found nobody.
    Nobody,
    /// All that the resolver named were evicted since: it has to be asked again.
    Unknown,
}

// === impl Table ===

impl Table {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            names: ArcSwap::default(),
            limit: limit.max(1),
        }
    }

    /// Shows `look` the entry of `name`, if there is one.
    pub(super) fn with<T>(&self, name: NameRef<'_>, look: impl FnOnce(&Entry) -> T) -> Option<T> {
        self.names.load().get(name).map(|entry| look(entry))
    }

    /// Takes in what the resolver said. Only the worker calls this, so that puts never race with one another.
    pub(super) fn put(&self, name: &Name, state: State, now: Instant) {
        let answer = Arc::new(Answer {
            state,
            since: now,
            not_before: now,
        });
        if let Some(entry) = self.names.load().get(name.into()) {
            entry.answer.store(answer);
            entry.refreshing.store(false, Ordering::Release);
            return;
        }
        let entry = Arc::new(Entry {
            answer: ArcSwap::new(answer),
            refreshing: AtomicBool::new(false),
        });
        let mut names = NameMap::clone(&self.names.load());
        if names.len() >= self.limit {
            displace_oldest(&mut names);
        }
        names.get_or_insert_with(name.into(), || entry);
        self.names.store(Arc::new(names));
    }

    /// Notes that a look-up failed: the old answer stays, and the next attempt waits until `not_before`.
    pub(super) fn failed(&self, name: &Name, not_before: Instant) {
        self.with(name.into(), |entry| {
            entry.answer.rcu(|answer| Answer {
                not_before,
                ..Answer::clone(answer)
            });
            entry.refreshing.store(false, Ordering::Release);
        });
    }

    /// Takes `address` out of the answer, and says whether it was in it. An answer that loses its last address
    /// is no longer known: it does not turn into "nobody".
    pub(super) fn evict(&self, name: NameRef<'_>, address: SocketAddr) -> bool {
        let names = self.names.load();
        let Some(entry) = names.get(name) else {
            return false;
        };
        let previous = entry.answer.rcu(|answer| match &answer.state {
            State::Known(endpoints) => {
                let left: Endpoints = endpoints
                    .iter()
                    .filter(|known| known.address != address)
                    .cloned()
                    .collect();
                let state = if left.is_empty() {
                    State::Unknown
                } else {
                    State::Known(left)
                };
                Answer {
                    state,
                    not_before: answer.since,
                    since: answer.since,
                }
            }
            State::Nobody | State::Unknown => Answer::clone(answer),
        });
        matches!(&previous.state, State::Known(known) if known.iter().any(|known| known.address == address))
    }
}

/// Makes room: the answer that was given longest ago goes.
fn displace_oldest(names: &mut NameMap<Arc<Entry>>) {
    let oldest = names.iter().min_by_key(|(_, entry)| entry.answer.load().since);
    if let Some(name) = oldest.map(|(name, _)| name.to_name()) {
        names.remove(name.as_name_ref());
    }
}

// === impl Entry ===

impl Entry {
    pub(super) fn answer(&self) -> Guard<Arc<Answer>> {
        self.answer.load()
    }

    /// Whether the last failed look-up is long enough ago.
    pub(super) fn may_refresh(&self, now: Instant) -> bool {
        now >= self.answer.load().not_before
    }
}
