//! What the daemon shows to those who resolve: read without a lock.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::ArcSwap;

use crate::{Endpoint, Endpoints, Name, NameRef, name_map::NameMap};

/// The instances of every name that is watched.
#[derive(Debug, Default)]
pub(super) struct Shown(ArcSwap<NameMap<Arc<Entry>>>);

/// One name.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// `None` when nobody is known.
    endpoints: ArcSwap<Option<Endpoints>>,
    /// Somebody asked since the daemon last looked.
    used: AtomicBool,
}

impl Shown {
    /// The instances of `name`, if it is watched and there are any.
    pub(super) fn get(&self, name: NameRef<'_>) -> Option<Endpoints> {
        let names = self.0.load();
        let entry = names.get(name)?;
        // Written only when it changes, so that readers do not pass a cache line around.
        if !entry.used.load(Ordering::Relaxed) {
            entry.used.store(true, Ordering::Relaxed);
        }
        entry.endpoints.load().as_ref().clone()
    }

    /// Takes `address` away from `name` at once; the daemon follows.
    pub(super) fn evict(&self, name: NameRef<'_>, address: SocketAddr) {
        if let Some(entry) = self.0.load().get(name) {
            entry.endpoints.rcu(|endpoints| {
                let left = endpoints
                    .iter()
                    .flat_map(|known| known.iter())
                    .filter(|known| known.address != address);
                shown(left.cloned().collect())
            });
        }
    }

    /// Begins to show `name`. Only the daemon calls this.
    pub(super) fn add(&self, name: &Name) -> Arc<Entry> {
        let mut names = NameMap::clone(&self.0.load());
        let entry = names
            .get_or_insert_with(name.into(), || Arc::new(Entry::default()))
            .clone();
        self.0.store(Arc::new(names));
        entry
    }

    /// Ends showing `name`. Only the daemon calls this.
    pub(super) fn remove(&self, name: &Name) {
        let mut names = NameMap::clone(&self.0.load());
        names.remove(name.into());
        self.0.store(Arc::new(names));
    }
}

impl Entry {
    /// Shows these, if they are others than before; gives what is shown now.
    pub(super) fn show(&self, endpoints: Vec<Endpoint>) -> Option<Endpoints> {
        let before = self.endpoints.load_full();
        if before.as_deref().unwrap_or_default() == endpoints.as_slice() {
            return before.as_ref().clone();
        }
        let now = shown(endpoints);
        self.endpoints.store(Arc::new(now.clone()));
        now
    }

    /// Whether somebody asked since the last call.
    pub(super) fn take_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }
}

/// A list as it is shown: none at all rather than an empty one.
fn shown(endpoints: Vec<Endpoint>) -> Option<Endpoints> {
    (!endpoints.is_empty()).then(|| endpoints.into())
}
