//! Acknowledging, in batches that form by themselves: what comes while one is on its way makes the next.

use outrigger_base_task::StopSignal;
use redis::Cmd;
use tokio::sync::mpsc;

use super::{flow::Source, hand::Held, read::retry_pause};
use crate::fault::Fault;

/// Entries in one acknowledgement: bounds the command, far above what a round trip lets gather.
const BATCH: usize = 512;
/// Finished entries that may wait for the next acknowledgement.
pub(super) const QUEUE: usize = 1024;

/// Acknowledges what comes until nothing can come any more. An entry is held until that is done, so it is not
/// delivered again meanwhile, however long the server is away.
pub(super) async fn run(source: Source, signal: StopSignal, mut finished: mpsc::Receiver<Held>) {
    let mut batch = Vec::with_capacity(BATCH);
    while finished.recv_many(&mut batch, BATCH).await > 0 {
        acknowledge(&source, &signal, &batch).await;
        batch.clear();
    }
}

async fn acknowledge(source: &Source, signal: &StopSignal, batch: &[Held]) {
    let mut command = Cmd::with_capacity(batch.len() + 3, batch.len() * 20 + 64);
    command.arg("XACK").arg(&*source.topic).arg(&*source.consumer);
    for held in batch {
        command.arg(held.id().to_string());
    }
    let mut tried = 0;
    loop {
        let fault = match source.link.send(&command, source.link.writing(true)).await {
            Ok(_) => return,
            Err(fault) => fault,
        };
        let hopeless = match &fault {
            Fault::Lost(_) | Fault::Late(_) => signal.is_stopped(),
            other => !other.is_passing() || signal.is_stopped(),
        };
        if hopeless {
            let (topic, count) = (&*source.topic, batch.len());
            tracing::warn!(topic, count, %fault, "handled messages were not acknowledged: they will come again");
            return;
        }
        signal
            .run_until(tokio::time::sleep(retry_pause(&source.link, tried)))
            .await;
        tried += 1;
    }
}
