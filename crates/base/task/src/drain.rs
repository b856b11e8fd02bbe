//! The drain: an orderly end, phase after phase.

use std::{future::Future, pin::Pin, time::Duration};

/// The phases of a drain, in their order (`house.md`, "Drain").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// No new work from outside is taken up.
    Intake,
    /// The instance leaves discovery and keeps answering while its peers' caches live.
    Discovery,
    /// Subscriptions stop taking messages; those in hand are finished.
    Subscriptions,
    /// Requests in flight are finished.
    InFlight,
    /// Components are closed.
    Components,
    /// What is left to tell is sent.
    Telemetry,
}

type Step = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Steps to take at the end of a runtime's life, each in its phase.
#[derive(Default)]
pub struct Drain {
    steps: Vec<(Phase, String, Duration, Step)>,
}

impl std::fmt::Debug for Drain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.steps.iter().map(|(phase, name, ..)| (phase, name)))
            .finish()
    }
}

impl Drain {
    /// A drain with nothing to do.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a step: `work` is awaited in `phase` for at most `deadline`, then left.
    pub fn on<F>(&mut self, phase: Phase, name: impl Into<String>, deadline: Duration, work: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.steps.push((phase, name.into(), deadline, Box::pin(work)));
    }

    /// Runs every phase in order, the steps of one phase together. Returns the names of steps that ran out of time.
    pub async fn run(mut self) -> Vec<String> {
        self.steps.sort_by_key(|(phase, ..)| *phase);
        let mut late = Vec::new();
        let mut rest = self.steps.into_iter().peekable();
        while let Some((phase, ..)) = rest.peek() {
            let phase = *phase;
            let mut together = Vec::new();
            while let Some(step) = rest.next_if(|(next, ..)| *next == phase) {
                together.push(run_step(step));
            }
            late.extend(
                futures_util::future::join_all(together)
                    .await
                    .into_iter()
                    .flatten(),
            );
        }
        late
    }
}

async fn run_step((phase, name, deadline, work): (Phase, String, Duration, Step)) -> Option<String> {
    tracing::debug!(?phase, step = name, "drain step");
    if tokio::time::timeout(deadline, work).await.is_ok() {
        return None;
    }
    tracing::warn!(
        ?phase,
        step = name,
        deadline_ms = deadline.as_millis() as u64,
        "drain step ran out of time"
    );
    Some(name)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn phases_run_in_order_and_a_late_step_is_named() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut drain = Drain::new();
        for (phase, name) in [
            (Phase::Telemetry, "telemetry"),
            (Phase::Intake, "intake"),
            (Phase::InFlight, "flight"),
        ] {
            let seen = seen.clone();
            drain.on(phase, name, Duration::from_secs(1), async move {
                seen.lock().unwrap().push(name);
            });
        }
        drain.on(
            Phase::Components,
            "stuck",
            Duration::from_secs(1),
            std::future::pending(),
        );
        assert_eq!(drain.run().await, ["stuck"]);
        assert_eq!(*seen.lock().unwrap(), ["intake", "flight", "telemetry"]);
    }
}
