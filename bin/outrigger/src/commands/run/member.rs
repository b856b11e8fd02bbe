//! One app and its sidecar, from the start to the end of both.

mod begin;
mod spawn;
mod tell;
mod voice;

use std::{path::PathBuf, time::Duration};

use super::{
    orders::Orders,
    process::{Ended, Process},
};
use crate::commands::talk::Mark;
pub(super) use begin::{Stage, StartError, start};
use voice::Voice;

/// How long an app has to end after it was told to: what Dapr's CLI gives.
const APP_GRACE: Duration = Duration::from_secs(5);
/// How long a sidecar has: its own limits by default are well below.
const SIDECAR_GRACE: Duration = Duration::from_secs(15);

/// An app and its sidecar, both running.
#[derive(Debug)]
pub(super) struct Member {
    sidecar: Process,
    app: Option<Process>,
    voice: Voice,
    /// Unix sockets of the sidecar, which are removed in the end.
    sockets: Vec<PathBuf>,
}

/// What ended first.
enum First {
    App(Ended),
    Sidecar(Ended),
    /// Nothing: the end was ordered.
    Order,
}

impl Member {
    /// Waits for the end of either, or an order, and ends both: the app first, so that it can use its sidecar to the
    /// last. The exit code is the app's; if its sidecar died under it, 1; 0 if it ended in order when it was told to.
    pub(super) async fn run(mut self, mut orders: Orders) -> i32 {
        let code = match self.first(&mut orders).await {
            First::App(ended) => {
                self.end_app(&mut orders).await;
                self.voice.app_ended(ended).await;
                ended.code()
            }
            First::Sidecar(ended) => {
                // Its last words come first.
                self.sidecar.stop(SIDECAR_GRACE, &mut orders).await;
                self.voice.sidecar_ended(ended).await;
                self.stop_app(&mut orders).await;
                i32::from(!ended.is_success())
            }
            First::Order => {
                self.voice.stopping().await;
                self.stop_app(&mut orders).await
            }
        };
        self.stop_sidecar(&mut orders).await;
        for socket in &self.sockets {
            // The sidecar removes them itself, unless it was killed.
            let _ = std::fs::remove_file(socket);
        }
        code
    }

    async fn first(&mut self, orders: &mut Orders) -> First {
        let app = async {
            match &mut self.app {
                Some(app) => app.wait().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            ended = app => First::App(ended),
            ended = self.sidecar.wait() => First::Sidecar(ended),
            () = orders.stop() => First::Order,
        }
    }

    /// Ends the app and all that it started.
    async fn end_app(&mut self, orders: &mut Orders) -> Option<Ended> {
        match &mut self.app {
            Some(app) => Some(app.stop(APP_GRACE, orders).await),
            None => None,
        }
    }

    async fn stop_app(&mut self, orders: &mut Orders) -> i32 {
        match self.end_app(orders).await {
            None => 0,
            Some(ended) if ended.is_obedient() => {
                self.voice.app(Mark::Success, "Exited App successfully").await;
                0
            }
            Some(ended) => {
                self.voice
                    .app(Mark::Failure, &format!("Error exiting App: {ended}"))
                    .await;
                ended.code()
            }
        }
    }

    async fn stop_sidecar(&mut self, orders: &mut Orders) {
        let by_itself = self.sidecar.has_ended();
        let ended = self.sidecar.stop(SIDECAR_GRACE, orders).await;
        if by_itself {
            // It was told when it happened.
        } else if ended.is_obedient() {
            self.voice
                .sidecar(Mark::Success, "Exited Dapr successfully")
                .await;
        } else {
            self.voice
                .sidecar(Mark::Failure, &format!("Error exiting Dapr: {ended}"))
                .await;
        }
    }
}
