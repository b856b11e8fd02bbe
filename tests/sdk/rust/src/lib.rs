//! What the tests are made of: sidecars as processes, their resources, ports, and waiting for a condition.
//!
//! The program under test is named by the environment variable `OUTRIGGER_BIN`.

#![allow(
    clippy::disallowed_methods,
    reason = "a test harness outside the workspace: no task set, and its waits are bounded looks at a condition"
)]

mod app;
mod sidecar;

use std::future::Future;
use std::time::{Duration, Instant};

pub use app::{App, AppServer, Inbox};
pub use sidecar::{Mesh, Sidecar, free_port};

/// How long tests wait for something that happens in milliseconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(15);
/// Between two looks at a condition.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until `look` finds something, and returns that.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits for a future that must not hang.
pub async fn patient<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("no answer within {PATIENCE:?}"))
}
