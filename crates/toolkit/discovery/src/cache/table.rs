//! The table of answers: read without a lock, swapped as a whole when a name comes or goes.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::{ArcSwap, Guard};
use tokio::time::Instant;

use crate::{Endpoints, Name, NameRef};

/// Answers by name.
pub(super) struct Table {
    names: ArcSwap<Names>,
    limit: usize,
}

/// By id, then by namespace, so that a borrowed name is found without building an owned one.
type Names = HashMap<Arc<str>, Vec<(Option<Arc<str>>, Arc<Entry>)>>;

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
        find(&self.names.load(), name).map(|entry| look(entry))
    }

    /// Takes in what the resolver said. Only the worker calls this, so that puts never race with one another.
    pub(super) fn put(&self, name: &Name, state: State, now: Instant) {
        let answer = Arc::new(Answer {
            state,
            since: now,
            not_before: now,
        });
        if let Some(entry) = find(&self.names.load(), name.into()) {
            entry.answer.store(answer);
            entry.refreshing.store(false, Ordering::Release);
            return;
        }
        let entry = Arc::new(Entry {
            answer: ArcSwap::new(answer),
            refreshing: AtomicBool::new(false),
        });
        let mut names = Names::clone(&self.names.load());
        if names.values().map(Vec::len).sum::<usize>() >= self.limit {
            displace_oldest(&mut names);
        }
        names
            .entry(name.id().into())
            .or_default()
            .push((name.namespace().map(Into::into), entry));
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
        let Some(entry) = find(&names, name) else {
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

fn find<'a>(names: &'a Names, name: NameRef<'_>) -> Option<&'a Arc<Entry>> {
    let spaces = names.get(name.id)?;
    spaces
        .iter()
        .find(|(namespace, _)| namespace.as_deref() == name.namespace)
        .map(|(_, entry)| entry)
}

/// Makes room: the answer that was given longest ago goes.
fn displace_oldest(names: &mut Names) {
    let all = names
        .iter()
        .flat_map(|(id, spaces)| spaces.iter().map(move |(space, entry)| (id, space, entry)));
    let oldest = all.min_by_key(|(.., entry)| entry.answer.load().since);
    let Some((id, space)) = oldest.map(|(id, space, _)| (id.clone(), space.clone())) else {
        return;
    };
    if let Some(spaces) = names.get_mut(&id) {
        spaces.retain(|(namespace, _)| *namespace != space);
        if spaces.is_empty() {
            names.remove(&id);
        }
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
