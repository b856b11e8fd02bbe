//! From calls to the handles of their series, without a lock and without an allocation for a call seen before.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;

/// Paths that are remembered. What comes after is resolved each time: paths with ids in them would fill any table.
const MAX_PATHS: usize = 1_024;

/// Kinds of calls that are remembered of one path. gRPC has 17 status codes, with and without bytes; an HTTP client may
/// make up methods without end.
const MAX_KINDS: usize = 64;

/// The handles of calls, by path and by what else tells them apart. It is read for each call and replaced for each new
/// kind.
pub(crate) struct Table<K, H> {
    known: ArcSwap<Known<K, H>>,
    /// One writer at a time.
    writing: Mutex<()>,
}

/// What was seen of each path.
type Known<K, H> = HashMap<Arc<str>, Arc<[Entry<K, H>]>>;

struct Entry<K, H> {
    kind: K,
    handles: Arc<H>,
}

impl<K: Clone, H> Clone for Entry<K, H> {
    fn clone(&self) -> Self {
        Self {
            kind: self.kind.clone(),
            handles: self.handles.clone(),
        }
    }
}

impl<K, H> Default for Table<K, H> {
    fn default() -> Self {
        Self {
            known: ArcSwap::default(),
            writing: Mutex::default(),
        }
    }
}

impl<K: PartialEq + Clone, H> Table<K, H> {
    /// The handles for these two, made by `make` when they are seen for the first time.
    pub(crate) fn get(&self, path: &str, kind: &K, make: impl FnOnce() -> H) -> Arc<H> {
        let known = self.known.load();
        let entries = known.get(path);
        let found = entries.and_then(|entries| entries.iter().find(|entry| entry.kind == *kind));
        if let Some(entry) = found {
            return entry.handles.clone();
        }
        let handles = Arc::new(make());
        let has_room = match entries {
            Some(entries) => entries.len() < MAX_KINDS,
            None => known.len() < MAX_PATHS,
        };
        if has_room {
            self.remember(path, kind, handles.clone());
        }
        handles
    }

    /// Kinds of calls that are remembered of a path.
    #[cfg(test)]
    pub(crate) fn kinds(&self, path: &str) -> usize {
        self.known.load().get(path).map_or(0, |entries| entries.len())
    }

    fn remember(&self, path: &str, kind: &K, handles: Arc<H>) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = HashMap::clone(&self.known.load());
        let entry = Entry {
            kind: kind.clone(),
            handles,
        };
        // Two of the same, made at the same time, have the same series behind them: the first one is found.
        let entries = known
            .get(path)
            .into_iter()
            .flat_map(|entries| entries.iter().cloned());
        let entries: Arc<[_]> = entries.chain([entry]).collect();
        known.insert(path.into(), entries);
        self.known.store(Arc::new(known));
    }
}

impl<K, H> fmt::Debug for Table<K, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("paths", &self.known.load().len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_made_once_for_each_kind_of_call() {
        let table = Table::default();
        let of = |path: &str, method: &'static str, status: u16, made: u32| {
            *table.get(path, &(method, status), || made)
        };
        assert_eq!(of("/a", "GET", 200, 1), 1);
        assert_eq!(of("/a", "GET", 200, 2), 1);
        assert_eq!(of("/a", "GET", 404, 3), 3);
        assert_eq!(of("/a", "PUT", 200, 4), 4);
        assert_eq!(of("/b", "GET", 200, 5), 5);
        assert_eq!(of("/a", "PUT", 200, 6), 4);
    }

    #[test]
    fn the_table_has_a_bound() {
        let table = Table::default();
        for number in 0..=MAX_PATHS {
            let _ = table.get(&format!("/{number}"), &(), || number);
        }
        assert_eq!(table.known.load().len(), MAX_PATHS);
    }

    #[test]
    fn what_is_remembered_of_a_path_has_a_bound() {
        let table = Table::default();
        for number in 0..=MAX_KINDS {
            assert_eq!(*table.get("/a", &number, || number), number);
        }
        assert_eq!(table.kinds("/a"), MAX_KINDS);
        // The first ones stay.
        assert_eq!(*table.get("/a", &0, || 1), 0);
    }
}
