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

    /// Ends the app in order: embedded it leaves discovery first, and its components close last.
    ///
    /// Returns the names of what ran out of the time of [`App::graceful`](crate::App::graceful) and was cut: `requests in
    /// flight` for calls, and beside a sidecar for events as well; `subscriptions` for events embedded; other parts by
    /// their own names. It is empty after an end in order.
    ///
    /// Dropped before it is done, the future cuts what is in hand: connections and handlers of events end at once.
    pub async fn shutdown(mut self) -> Vec<String> {
        match self.life.take() {
            Some(Life::Embedded(embedded)) => embedded.end().await,
            Some(Life::Beside(beside)) => beside.end().await,
            None => Vec::new(),
        }
    }

    /// Waits until somebody asks for the end.
    pub(super) async fn until(&self, signals: &mut Signals) -> Asked {
        match &self.life {
            Some(Life::Embedded(embedded)) => tokio::select! {
                () = signals.told() => Asked::BySignal,
                () = embedded.asked_to_end() => Asked::ThroughApi,
            },
            Some(Life::Beside(_)) | None => {
                signals.told().await;
                Asked::BySignal
            }
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

/// Who asked for the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Whoever sent a signal: the first one.
    BySignal,
    /// A call of the API.
    ThroughApi,
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

    /// Waits for the second signal. Where the end was asked for through the API, none has come yet, and the first one asks
    /// for what is already under way.
    pub(super) async fn again(&mut self, asked: Asked) {
        if asked == Asked::ThroughApi {
            self.told().await;
        }
        self.told().await;
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, process::Command};

    use futures_util::poll;

    use super::*;

    /// Sends a signal to this process, and waits until it has come.
    async fn send(witness: &mut Signals) {
        let id = std::process::id().to_string();
        let status = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(status.success());
        witness.told().await;
    }

    /// One test for both: signals come to the whole process.
    #[tokio::test]
    async fn the_second_signal_is_the_second_of_the_signals() {
        let (mut signals, mut witness) = (Signals::new().unwrap(), Signals::new().unwrap());
        {
            let mut again = pin!(signals.again(Asked::ThroughApi));
            assert!(poll!(&mut again).is_pending());
            send(&mut witness).await;
            assert!(poll!(&mut again).is_pending(), "the first signal cut");
            send(&mut witness).await;
            again.await;
        }
        let mut again = pin!(signals.again(Asked::BySignal));
        assert!(poll!(&mut again).is_pending());
        send(&mut witness).await;
        again.await;
    }
}
