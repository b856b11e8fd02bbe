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
        match self.first(&mut orders).await {
            First::Sidecar(died) => self.after_sidecar(died, &mut orders).await,
            First::App(ended) => {
                self.after_app(Some(ended), &mut orders).await;
                ended.code()
            }
            First::Order => {
                self.voice.stopping().await;
                let told = self.after_app(None, &mut orders).await;
                told.filter(|ended| !ended.is_obedient()).map_or(0, Ended::code)
            }
        }
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

    /// Ends the app, unless it has ended by itself, and the sidecar. A reader who does not take what the app said last
    /// does not keep the sidecar: it would serve an app that is gone.
    async fn after_app(&mut self, by_itself: Option<Ended>, orders: &mut Orders) -> Option<Ended> {
        let Self {
            sidecar,
            app,
            voice,
            sockets,
        } = self;
        let ended = match app {
            Some(app) => Some(app.end(APP_GRACE, orders).await),
            None => None,
        };
        let mut meanwhile = orders.clone();
        let tell_app = async {
            end_output(app.as_ref(), &mut meanwhile).await;
            match (by_itself, ended) {
                (Some(ended), _) => voice.app_ended(ended).await,
                (None, Some(ended)) => voice.app_stopped(ended).await,
                (None, None) => {}
            }
        };
        let (sidecar_ended, ()) = tokio::join!(end_sidecar(sidecar, sockets, orders), tell_app);
        sidecar.end_output(orders).await;
        voice.sidecar_stopped(sidecar_ended).await;
        ended
    }

    /// Ends the app after its sidecar ended by itself, whether or not anybody takes what the sidecar said last. Returns
    /// the exit code.
    async fn after_sidecar(&mut self, died: Ended, orders: &mut Orders) -> i32 {
        let Self {
            sidecar,
            app,
            voice,
            sockets,
        } = self;
        end_sidecar(sidecar, sockets, orders).await;
        let mut meanwhile = orders.clone();
        let tell_sidecar = async {
            // Its last words come first.
            sidecar.end_output(&mut meanwhile).await;
            voice.sidecar_ended(died).await;
        };
        let end_app = async {
            match app {
                Some(app) => Some(app.end(APP_GRACE, orders).await),
                None => None,
            }
        };
        let (ended, ()) = tokio::join!(end_app, tell_sidecar);
        end_output(app.as_ref(), orders).await;
        if let Some(ended) = ended {
            voice.app_stopped(ended).await;
        }
        i32::from(!died.is_success())
    }
}

/// Ends the sidecar and all that it started. It removes its sockets itself, unless it was killed.
async fn end_sidecar(sidecar: &mut Process, sockets: &[PathBuf], orders: &mut Orders) -> Ended {
    let ended = sidecar.end(SIDECAR_GRACE, orders).await;
    for socket in sockets {
        let _ = std::fs::remove_file(socket);
    }
    ended
}

async fn end_output(app: Option<&Process>, orders: &mut Orders) {
    if let Some(app) = app {
        app.end_output(orders).await;
    }
}
