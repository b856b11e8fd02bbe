//! Whether the app is well (dapr-runtime.md §3.7).

use std::{sync::Arc, time::Duration};

use outrigger_base_task::StopSignal;
use tokio::sync::watch;

use crate::AppChannel;

/// How often and how hard an app is asked whether it is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Where an HTTP app is asked.
    pub path: String,
    /// Time between two probes.
    pub interval: Duration,
    /// Time for an answer.
    pub timeout: Duration,
    /// Failures in a row after which the app counts as unwell.
    pub threshold: u32,
}

/// Defaults as Dapr documents them.
impl Default for Options {
    fn default() -> Self {
        Self {
            path: "/healthz".to_owned(),
            interval: Duration::from_secs(5),
            timeout: Duration::from_millis(500),
            threshold: 3,
        }
    }
}

/// What is known of the app's health; everyone who holds one sees changes.
#[derive(Debug, Clone)]
pub struct Health(Option<watch::Receiver<bool>>);

impl Health {
    /// An app that is not watched counts as well.
    pub fn unwatched() -> Self {
        Self(None)
    }

    /// Whether anybody watches the app.
    pub fn is_watched(&self) -> bool {
        self.0.is_some()
    }

    /// Whether the app is well now.
    pub fn is_well(&self) -> bool {
        // Asked on every invocation: an app that nobody watches costs no lock.
        self.0.as_ref().is_none_or(|well| *well.borrow())
    }

    /// Waits until the app's health is `well`; for ever when nobody watches and it is not.
    pub async fn until(&mut self, well: bool) {
        let reached = match &mut self.0 {
            Some(now) => now.wait_for(|now| *now == well).await.is_ok(),
            None => well,
        };
        if !reached {
            std::future::pending::<()>().await;
        }
    }
}

/// Probes an app until `stop` goes off. The app starts unwell; the first success makes it well.
pub fn watch_app(
    channel: Arc<dyn AppChannel>,
    options: Options,
    stop: StopSignal,
) -> (Health, impl Future<Output = ()>) {
    let (sender, receiver) = watch::channel(false);
    let task = async move {
        let mut failures = 0u32;
        let mut ticks = tokio::time::interval(options.interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until(ticks.tick()).await.is_some() {
            let well = probe(&*channel, &options).await;
            failures = if well { 0 } else { failures.saturating_add(1) };
            if well || failures >= options.threshold {
                sender.send_if_modified(|now| report(now, well));
            }
        }
    };
    (Health(Some(receiver)), task)
}

async fn probe(channel: &dyn AppChannel, options: &Options) -> bool {
    matches!(
        tokio::time::timeout(options.timeout, channel.probe(&options.path)).await,
        Ok(Ok(true))
    )
}

/// Sets the value and logs a change of it.
fn report(now: &mut bool, well: bool) -> bool {
    if *now == well {
        return false;
    }
    if well {
        tracing::info!("app entered healthy status");
    } else {
        tracing::warn!("app entered un-healthy status");
    }
    *now = well;
    true
}
