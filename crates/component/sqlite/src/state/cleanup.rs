//! The removal of rows whose life is over. Off unless `cleanupInterval` is set, as in Dapr; readers do not see such
//! rows anyway.
//!
//! Of several sidecars on one file, one cleans in each interval: it claims the turn in the metadata table. Rows are
//! found by reading, without the write lock, and removed a few at a time, so that other writes go on in between.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use outrigger_base_task::StopSignal;
use outrigger_block_state::Error;
use tokio::time::{Instant, MissedTickBehavior};

use super::{queue::Work, store::Inner};

/// Rows removed in one transaction: a few milliseconds of the writer's time.
const ROWS_AT_ONCE: i64 = 256;

/// How much earlier than the interval says a cleanup may begin, for timers are not exact. Dapr's number.
const EARLY_MS: i64 = 100;

/// Cleans every `interval` until the store is closed or gone.
pub(super) async fn run(store: Weak<Inner>, interval: Duration, signal: StopSignal) {
    let mut ticks = tokio::time::interval_at(Instant::now() + interval, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while signal.run_until(ticks.tick()).await.is_some() {
        let Some(store) = store.upgrade() else { return };
        match signal.run_until(clean(&store, interval)).await {
            None => return,
            Some(Ok(None)) => tracing::debug!("last cleanup was performed too recently"),
            Some(Ok(Some(rows))) => tracing::info!(rows, "removed expired rows"),
            Some(Err(error)) => tracing::error!(%error, "removing expired rows failed"),
        }
    }
}

/// Removes what is over; `None` when another sidecar did so too recently.
async fn clean(store: &Arc<Inner>, interval: Duration) -> Result<Option<usize>, Error> {
    let since = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX) - EARLY_MS;
    if store.write(Work::ClaimCleanup(since)).await?.rows == 0 {
        return Ok(None);
    }
    let (mut after, mut removed) = (i64::MIN, 0);
    loop {
        let now = store.now();
        let rowids = store
            .scan(move |reader| reader.expired(after, ROWS_AT_ONCE, now))
            .await?;
        let Some(last) = rowids.last() else {
            return Ok(Some(removed));
        };
        after = *last;
        removed += store.write(Work::Sweep(rowids)).await?.rows;
    }
}
