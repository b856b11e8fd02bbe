//! Which subscriptions a topic reaches.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use outrigger_block_pubsub::Error;

use super::queue::Queue;

/// The character that, at the end of a subscription's topic, stands for one or more further characters.
const WILDCARD: char = '*';

/// One subscription.
pub(super) struct Listener {
    /// Tells it from others of the same topic.
    pub(super) id: u64,
    /// The topic, or a pattern that ends in `*`.
    pub(super) pattern: Arc<str>,
    pub(super) queue: Arc<Queue>,
}

/// All subscriptions of a broker.
#[derive(Default)]
pub(super) struct Topics(RwLock<State>);

#[derive(Default)]
struct State {
    closed: bool,
    /// By the very text of their topic; lists are replaced, not changed, so that publishers can hold them.
    exact: HashMap<Arc<str>, Arc<[Arc<Listener>]>>,
    /// Those whose topic ends in `*`.
    patterns: Vec<Arc<Listener>>,
}

impl Topics {
    pub(super) fn check_open(&self) -> Result<(), Error> {
        if self.read().closed {
            Err(Error::Closed)
        } else {
            Ok(())
        }
    }

    pub(super) fn add(&self, listener: Arc<Listener>) -> Result<(), Error> {
        let mut state = self.write();
        if state.closed {
            return Err(Error::Closed);
        }
        if listener.pattern.ends_with(WILDCARD) {
            state.patterns.push(listener.clone());
        }
        let others = state.exact.get(&listener.pattern);
        let list = others
            .into_iter()
            .flat_map(|list| list.iter().cloned())
            .chain([listener.clone()])
            .collect();
        state.exact.insert(listener.pattern.clone(), list);
        Ok(())
    }

    pub(super) fn remove(&self, listener: &Listener) {
        let mut state = self.write();
        state.patterns.retain(|other| other.id != listener.id);
        let Some(list) = state.exact.get(&listener.pattern) else {
            return;
        };
        let rest: Arc<[_]> = list
            .iter()
            .filter(|other| other.id != listener.id)
            .cloned()
            .collect();
        if rest.is_empty() {
            state.exact.remove(&listener.pattern);
        } else {
            state.exact.insert(listener.pattern.clone(), rest);
        }
    }

    /// The subscriptions that a message on `topic` goes to.
    pub(super) fn matching(&self, topic: &str) -> Result<Arc<[Arc<Listener>]>, Error> {
        let state = self.read();
        if state.closed {
            return Err(Error::Closed);
        }
        let exact = state.exact.get(topic);
        if state.patterns.is_empty() {
            return Ok(exact.cloned().unwrap_or_default());
        }
        let exact = exact.into_iter().flat_map(|list| list.iter());
        let patterns = state
            .patterns
            .iter()
            .filter(|listener| matches(&listener.pattern, topic));
        Ok(exact.chain(patterns).cloned().collect())
    }

    /// Takes no further subscription and no message; every subscription there was.
    pub(super) fn close(&self) -> Vec<Arc<Listener>> {
        let mut state = self.write();
        state.closed = true;
        state.patterns.clear();
        let lists = std::mem::take(&mut state.exact);
        lists.into_values().flat_map(|list| list.to_vec()).collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a pattern that ends in `*` matches `topic` by its beginning. (The pattern's own text is found without this.)
fn matches(pattern: &str, topic: &str) -> bool {
    topic != pattern
        && pattern
            .strip_suffix(WILDCARD)
            .and_then(|beginning| topic.strip_prefix(beginning))
            .is_some_and(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_what_is_longer() {
        for (pattern, topic, expected) in [
            ("orders.*", "orders.eu", true),
            ("orders.*", "orders.", false),
            ("orders.*", "order", false),
            ("*", "anything", true),
            ("*", "", false),
            ("a*b", "axb", false),
            ("a*", "a*b", true),
        ] {
            assert_eq!(matches(pattern, topic), expected, "{pattern:?} and {topic:?}");
        }
    }

    fn listener(id: u64, pattern: &str) -> Arc<Listener> {
        Arc::new(Listener {
            id,
            pattern: pattern.into(),
            queue: Arc::new(Queue::new(Default::default())),
        })
    }

    #[test]
    fn every_matching_subscription_is_found_once() {
        let topics = Topics::default();
        let all = [
            listener(0, "a"),
            listener(1, "a"),
            listener(2, "a*"),
            listener(3, "b"),
        ];
        for one in &all {
            topics.add(one.clone()).unwrap();
        }
        let found = |topic: &str| -> Vec<u64> {
            let mut ids: Vec<_> = topics.matching(topic).unwrap().iter().map(|one| one.id).collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(found("a"), [0, 1]);
        assert_eq!(found("ab"), [2]);
        assert_eq!(found("a*"), [2]);
        topics.remove(&all[0]);
        topics.remove(&all[2]);
        assert_eq!(found("a"), [1]);
        assert!(found("ab").is_empty());
        assert_eq!(topics.close().len(), 2);
        assert!(matches!(topics.matching("a"), Err(Error::Closed)));
    }
}
