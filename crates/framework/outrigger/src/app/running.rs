//! A started app.

use std::{fmt, net::SocketAddr};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Mode, beside::Beside, embedded::Embedded, start_error};
use crate::{Error, Handle};

/// A started app. End it with [`Running::shutdown`]: dropped, it cuts what is in hand.
#[must_use = "dropping it cuts what the app has in hand"]
pub struct Running {
    handle: Handle,
    /// Taken by the end.
    life: Option<Life>,
}

/// What has to be ended.
enum Life {
    Embedded(Box<Embedded>),
    Beside(Beside),
}

impl Running {
    pub(super) fn embedded(handle: Handle, embedded: Embedded) -> Self {
        Self {
            handle,
            life: Some(Life::Embedded(Box::new(embedded))),
        }
    }

    pub(super) fn beside(handle: Handle, beside: Beside) -> Self {
        Self {
            handle,
            life: Some(Life::Beside(beside)),
        }
    }

    /// The building blocks.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// How the app runs.
    pub fn mode(&self) -> Mode {
        self.handle.mode()
    }

    /// Where the app is reached: embedded by other members of the mesh, beside a sidecar by the sidecar; `None` where
    /// the app has no handlers and no port.
    pub fn address(&self) -> Option<SocketAddr> {
        match self.life.as_ref()? {
            Life::Embedded(embedded) => Some(embedded.address()),
            Life::Beside(beside) => beside.address(),
        }
    }

    /// Where the metrics are served ([`App::metrics`](crate::App::metrics)).
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        match self.life.as_ref()? {
            Life::Embedded(embedded) => embedded.metrics_address(),
            Life::Beside(_) => None,
        }
    }

    /// Ends the app in order: embedded it leaves discovery first, and its components close last. Returns the names of
    /// what ran out of time.
    pub async fn shutdown(mut self) -> Vec<String> {
        match self.life.take() {
            Some(Life::Embedded(embedded)) => embedded.end().await,
            Some(Life::Beside(beside)) => beside.end().await,
            None => Vec::new(),
        }
    }

    /// Waits for the end: a signal, or a request through the API.
    pub(super) async fn until(&self, signals: &mut Signals) {
        match &self.life {
            Some(Life::Embedded(embedded)) => tokio::select! {
                () = signals.told() => {}
                () = embedded.asked_to_end() => {}
            },
            Some(Life::Beside(_)) | None => signals.told().await,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        match &self.life {
            Some(Life::Embedded(embedded)) => embedded.abandon(),
            Some(Life::Beside(beside)) => beside.abandon(),
            None => {}
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("mode", &self.mode())
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

/// The signals that end a program.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(super) fn new() -> Result<Self, Error> {
        let listen = |kind| signal(kind).map_err(|error| start_error("listen for signals", error));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    pub(super) async fn told(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
