//! Closed loop: each connection sends its next request when it has the last answer.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{runtime::Runtime, task::JoinSet};

use super::{Client, Outcome, Plan, Target, on_threads};

/// Rest after a failed request, so that a target that is gone is not asked a million times.
const PAUSE: Duration = Duration::from_millis(5);

/// The numbers of the requests of all connections.
struct Numbers {
    next: AtomicU64,
    limit: u64,
}

impl Numbers {
    /// The next one, while there is one.
    fn take(&self) -> Option<u64> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.limit).then_some(number)
    }
}

/// Runs a closed loop on `plan.threads` threads.
pub(super) fn run(target: &Target, plan: &Plan) -> io::Result<Outcome> {
    let numbers = Arc::new(Numbers {
        next: AtomicU64::new(0),
        limit: plan.requests.unwrap_or(u64::MAX),
    });
    let threads = plan.threads.clamp(1, plan.connections.max(1));
    let start = Instant::now() + plan.warmup;
    let end = start + plan.duration;
    on_threads((0..threads).map(|thread| {
        let connections = (thread..plan.connections).step_by(threads).count();
        let (target, numbers) = (target.clone(), Arc::clone(&numbers));
        move |runtime: &Runtime| runtime.block_on(of_one_thread(target, numbers, connections, start, end))
    }))
}

async fn of_one_thread(
    target: Target,
    numbers: Arc<Numbers>,
    connections: usize,
    start: Instant,
    end: Instant,
) -> Outcome {
    let target = Arc::new(target);
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        tasks.spawn(of_one_connection(
            Arc::clone(&target),
            Arc::clone(&numbers),
            start,
            end,
        ));
    }
    let mut outcome = Outcome::default();
    while let Some(one) = tasks.join_next().await {
        match one {
            Ok(one) => outcome.merge(one),
            Err(panicked) => outcome.fail(&panicked),
        }
    }
    outcome
}

async fn of_one_connection(
    target: Arc<Target>,
    numbers: Arc<Numbers>,
    start: Instant,
    end: Instant,
) -> Outcome {
    let mut client = Client::default();
    let mut outcome = Outcome::default();
    let mut sent_at = Instant::now();
    while sent_at < end
        && let Some(number) = numbers.take()
    {
        outcome.sent += 1;
        let answer = client.call(&target, number).await;
        let answered_at = Instant::now();
        match answer {
            // Counted by when the answer came, so that the counted time holds whole answers only.
            Ok(()) if answered_at >= start && answered_at < end => {
                outcome.latency.record(answered_at - sent_at);
            }
            Ok(()) => {}
            Err(error) => {
                outcome.fail(&error);
                tokio::time::sleep(PAUSE).await;
            }
        }
        sent_at = Instant::now();
    }
    outcome
}
