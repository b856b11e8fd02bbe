//! Keeping what we hold from being claimed by others while it waits or is handled.

use std::{sync::Arc, time::Duration};

use outrigger_base_task::StopSignal;

use super::{flow::Source, hand::Hand};

/// Entries renewed by one command.
const CHUNK: usize = 256;

/// Renews all that is held, again and again, until nothing more can be held (`over`), which may be well after the
/// subscription began to end.
pub(super) async fn run(source: Source, hand: Arc<Hand>, every: Duration, over: StopSignal) {
    while over.run_until(tokio::time::sleep(every)).await.is_some() {
        for ids in hand.all().chunks(CHUNK) {
            if let Err(fault) = source.set_idle(ids, Duration::ZERO).await {
                tracing::debug!(topic = &*source.topic, %fault, "renewing held messages failed");
                break;
            }
        }
    }
}
