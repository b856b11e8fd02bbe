//! The task that removes what ended.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::MemoryStore;

/// Time between two sweeps; reads do not depend on it, only memory does.
const PERIOD: Duration = Duration::from_secs(1);

/// Starts the sweep of `store`. It ends with the store's task set, or when the store is gone.
pub(super) fn start(store: &Arc<MemoryStore>) {
    let signal = store.tasks.signal().clone();
    let weak = Arc::downgrade(store);
    store.tasks.spawn("expiry sweep", async move {
        signal.run_until(run(weak)).await;
    });
}

async fn run(store: Weak<MemoryStore>) {
    let mut ticks = interval_at(Instant::now() + PERIOD, PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(store) = store.upgrade() else {
            return;
        };
        store.shards.sweep(store.now());
    }
}
