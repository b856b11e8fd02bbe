//! How a node comes to an end (dapr-runtime.md §6.12; `house.md`, "Drain").

use std::{sync::Arc, time::Duration};

use outrigger_base_task::{Drain, Leftover, Phase, StopSignal, TaskSet};
use outrigger_discovery::Registration;
use outrigger_runtime_api::{Api, Stage};
use tokio::time::Instant;

use crate::{DrainOptions, spans::Spans};

/// Time that a withdrawal from discovery may take.
const WITHDRAW_TIMEOUT: Duration = Duration::from_secs(1);
/// Time that tasks have which were told to end.
pub(crate) const TASKS_TIMEOUT: Duration = Duration::from_secs(1);

/// Time for connections to end that were told to: those at rest, and the others after their requests had theirs.
const CUT_TIMEOUT: Duration = Duration::from_millis(100);

/// What is brought to an end.
pub(crate) struct Ending {
    pub(crate) api: Arc<Api>,
    pub(crate) registration: Registration,
    pub(crate) intake: StopSignal,
    pub(crate) servers: TaskSet,
    pub(crate) components: TaskSet,
    pub(crate) tasks: TaskSet,
    pub(crate) spans: Spans,
}

/// Ends a node: no new messages, out of discovery, no new requests, those in flight finished, components closed, the last
/// spans sent.
///
/// `subscriptions` ends what delivers messages; the API answers until all of them are handled. Returns the names of
/// steps and tasks that ran out of time.
pub(crate) async fn run(
    ending: Ending,
    options: DrainOptions,
    subscriptions: impl Future<Output = ()> + Send + 'static,
) -> Vec<String> {
    let Ending {
        api,
        registration,
        intake,
        servers,
        components,
        tasks,
        spans,
    } = ending;
    let start = Instant::now();
    let blocked = block(&api, options.block);
    let mut drain = Drain::new();
    drain.on(
        Phase::Intake,
        "leave discovery",
        WITHDRAW_TIMEOUT,
        registration.close(),
    );
    // Messages in hand have as long as everything together; what is left goes back to its broker.
    drain.on(
        Phase::Subscriptions,
        "subscriptions",
        options.graceful,
        subscriptions,
    );
    let mut late = drain.run().await;
    if let Some(blocked) = blocked {
        blocked.await;
    }
    api.readiness().enter(Stage::Draining);
    intake.stop();
    late.extend(in_flight(servers, options.graceful.saturating_sub(start.elapsed())).await);
    let mut drain = Drain::new();
    let snapshot = api.host().snapshot_owned();
    drain.on(
        Phase::Components,
        "components",
        options.graceful.max(TASKS_TIMEOUT),
        async move {
            snapshot.close().await;
        },
    );
    late.extend(drain.run().await);
    for set in [components, tasks] {
        late.extend(set.close(TASKS_TIMEOUT).await.into_iter().map(name));
    }
    // Last, as everything before may end a span.
    late.extend(spans.close().await.into_iter().map(name));
    late
}

/// Waits for requests in flight; what is left after `deadline` is cut and named.
async fn in_flight(servers: TaskSet, deadline: Duration) -> Vec<String> {
    let mut drain = Drain::new();
    let all = servers.clone();
    // Connections at rest, which have just been told to end, are no requests that ran out of time, even where nothing is
    // left of the time.
    let deadline = deadline.max(CUT_TIMEOUT);
    drain.on(Phase::InFlight, "requests in flight", deadline, async move {
        all.wait().await;
    });
    let mut late = drain.run().await;
    // They heed the cut at once, and so are not named once more.
    late.extend(servers.close(CUT_TIMEOUT).await.into_iter().map(name));
    late
}

fn name(leftover: Leftover) -> String {
    format!("{}: {}", leftover.owner, leftover.task)
}

/// The wait of `--dapr-block-shutdown-duration`: the API stays up for that long, or until the app is unwell.
fn block(api: &Arc<Api>, duration: Option<Duration>) -> Option<impl Future<Output = ()> + use<>> {
    let duration = duration?;
    let mut health = api.parts().app_health.clone();
    Some(async move {
        tracing::info!(
            "Blocking graceful shutdown for {} or until app reports unhealthy...",
            outrigger_base_std::go::format_duration(duration)
        );
        tokio::select! {
            () = tokio::time::sleep(duration) => {
                tracing::info!("Block shutdown period expired, entering shutdown...");
            }
            () = health.until(false) => tracing::info!("App reported unhealthy, entering shutdown..."),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_that_are_cut_are_named() {
        let servers = TaskSet::new("servers");
        let cut = servers.signal().clone();
        servers.spawn("connection", async move { cut.stopped().await });
        let start = Instant::now();
        let late = in_flight(servers, Duration::from_secs(5)).await;
        assert_eq!(late, ["requests in flight"]);
        assert_eq!(start.elapsed().as_secs(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn connections_at_rest_are_not_named_when_no_time_is_left() {
        let servers = TaskSet::new("servers");
        servers.spawn("connection", tokio::time::sleep(Duration::from_millis(10)));
        assert_eq!(in_flight(servers, Duration::ZERO).await, Vec::<String>::new());
    }
}
