//! The current snapshot.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use outrigger_base_clock::{Clock, Entropy};

use crate::{Identity, Snapshot};

/// The identity of a runtime, its sources of time and chance, and what is open now.
#[derive(Debug)]
pub struct Host {
    /// Who this runtime is.
    pub identity: Identity,
    /// Wall time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    snapshot: ArcSwap<Snapshot>,
}

impl Host {
    /// A host with nothing open.
    pub fn new(identity: Identity, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            identity,
            clock,
            entropy,
            snapshot: ArcSwap::default(),
        }
    }

    /// What is open now. The guard is for the moment; what is kept across an await is cloned out of it.
    pub fn snapshot(&self) -> Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// What is open now, to keep.
    pub fn snapshot_owned(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Puts another snapshot in place and returns the old one.
    pub fn replace(&self, snapshot: Snapshot) -> Arc<Snapshot> {
        self.snapshot.swap(Arc::new(snapshot))
    }
}
