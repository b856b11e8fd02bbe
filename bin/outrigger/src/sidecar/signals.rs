//! What a running sidecar is told from outside: signals, and the end that the API asks for.

use futures_util::FutureExt;
use outrigger_base_task::StopSignal;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What Dapr's log calls `SIGINT`.
const INTERRUPT: &str = "interrupt";
/// What Dapr's log calls `SIGTERM`.
const TERMINATE: &str = "terminated";

/// The signals that the program heeds.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    /// Heeds them from now on.
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits until the end is asked for, by a signal or by the API.
    pub(super) async fn told(&mut self, shutdown: &StopSignal, force: &StopSignal) -> End {
        tokio::select! {
            _ = self.interrupt.recv() => begin(INTERRUPT),
            _ = self.terminate.recv() => begin(TERMINATE),
            _ = self.hangup.recv() => {
                tracing::info!("Received signal 'hangup'; restarting");
                return End::Restart;
            }
            () = shutdown.stopped() => {}
            () = force.stopped() => return End::Force,
        }
        End::Orderly
    }

    /// The name of the next signal that asks for the end.
    pub(super) async fn end(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => INTERRUPT,
            _ = self.terminate.recv() => TERMINATE,
        }
    }

    /// A hangup that came while a life ended asked for no more than the one that begins now.
    pub(super) fn forget_hangup(&mut self) {
        let _ = self.hangup.recv().now_or_never();
    }
}

/// Says that the end begins.
pub(super) fn begin(signal: &str) {
    tracing::info!("Received signal '{signal}'; beginning shutdown");
}

/// How the end was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// What is in hand is finished.
    Orderly,
    /// Orderly, and then another life.
    Restart,
    /// At once.
    Force,
}
