//! From requests to the handles of their series, without a lock and without an allocation for a request seen before.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use http::{Method, StatusCode};

/// Paths that are remembered. What comes after is resolved each time: paths with ids in them would fill any table.
const MAX_PATHS: usize = 1_024;

/// The handles of requests, by path, method and status. It is read for each request and replaced for each new one.
pub(super) struct Table<H> {
    known: ArcSwap<Known<H>>,
    /// One writer at a time.
    writing: Mutex<()>,
}

/// What was seen of each path.
type Known<H> = HashMap<Arc<str>, Arc<[Entry<H>]>>;

struct Entry<H> {
    method: Method,
    status: StatusCode,
    handles: Arc<H>,
}

impl<H> Clone for Entry<H> {
    fn clone(&self) -> Self {
        Self {
            method: self.method.clone(),
            status: self.status,
            handles: self.handles.clone(),
        }
    }
}

impl<H> Default for Table<H> {
    fn default() -> Self {
        Self {
            known: ArcSwap::default(),
            writing: Mutex::default(),
        }
    }
}

impl<H> Table<H> {
    /// The handles for these three, made by `make` when they are seen for the first time.
    pub(super) fn get(
        &self,
        path: &str,
        method: &Method,
        status: StatusCode,
        make: impl FnOnce() -> H,
    ) -> Arc<H> {
        let known = self.known.load();
        let entries = known.get(path);
        let found = entries.and_then(|entries| {
            entries
                .iter()
                .find(|entry| entry.status == status && entry.method == *method)
        });
        if let Some(entry) = found {
            return entry.handles.clone();
        }
        let handles = Arc::new(make());
        if entries.is_some() || known.len() < MAX_PATHS {
            self.remember(path, method, status, handles.clone());
        }
        handles
    }

    fn remember(&self, path: &str, method: &Method, status: StatusCode, handles: Arc<H>) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = HashMap::clone(&self.known.load());
        let entry = Entry {
            method: method.clone(),
            status,
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

impl<H> fmt::Debug for Table<H> {
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
    fn handles_are_made_once_for_each_kind_of_request() {
        let table = Table::default();
        let of = |path: &str, method: Method, status: u16, made: u32| {
            *table.get(path, &method, StatusCode::from_u16(status).unwrap(), || made)
        };
        assert_eq!(of("/a", Method::GET, 200, 1), 1);
        assert_eq!(of("/a", Method::GET, 200, 2), 1);
        assert_eq!(of("/a", Method::GET, 404, 3), 3);
        assert_eq!(of("/a", Method::PUT, 200, 4), 4);
        assert_eq!(of("/b", Method::GET, 200, 5), 5);
        assert_eq!(of("/a", Method::PUT, 200, 6), 4);
    }

    #[test]
    fn the_table_has_a_bound() {
        let table = Table::default();
        for number in 0..=MAX_PATHS {
            let _ = table.get(&format!("/{number}"), &Method::GET, StatusCode::OK, || number);
        }
        assert_eq!(table.known.load().len(), MAX_PATHS);
    }
}
