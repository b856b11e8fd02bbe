//! What is said of one app and its sidecar, in the lines that users of Dapr's CLI know.
//!
//! One app has the terminal for itself. Of several, each says its lines where its own output goes, a file as a rule;
//! what must not be missed is said on the terminal as well.

use crate::commands::{
    run::{output::Sink, process::Ended},
    talk::Mark,
};

/// Where the lines of an app and its sidecar go.
#[derive(Debug)]
pub(super) struct Voice {
    pub(super) app_id: String,
    /// Whether there is a run file.
    pub(super) several: bool,
    /// With the sidecar's log, and with the app's output.
    pub(super) with_sidecar: Sink,
    pub(super) with_app: Sink,
    /// The terminal.
    pub(super) terminal: Sink,
}

impl Voice {
    /// Says a line with the sidecar's log.
    pub(super) async fn sidecar(&self, mark: Mark, text: &str) {
        self.with_sidecar.say(mark, text).await;
    }

    /// Says a line with the app's output.
    pub(super) async fn app(&self, mark: Mark, text: &str) {
        self.with_app.say(mark, text).await;
    }

    /// The app has ended by itself.
    pub(super) async fn app_ended(&self, ended: Ended) {
        let (mark, text) = match ended {
            Ended::Exit(0) => (Mark::Success, "Exited App successfully".to_owned()),
            Ended::Exit(_) => (
                Mark::Failure,
                format!("The App process exited with error code: {ended}"),
            ),
            Ended::Signal(_) => (
                Mark::Failure,
                format!("The App process was terminated by {ended}"),
            ),
        };
        self.app(mark, &text).await;
        if self.several {
            let text = format!("The app {:?} ended: {ended}", self.app_id);
            self.unless_seen(&self.with_app, mark, &text).await;
        }
    }

    /// The sidecar has ended by itself.
    pub(super) async fn sidecar_ended(&self, ended: Ended) {
        let (mark, text) = match ended {
            Ended::Exit(0) => (Mark::Success, "Exited Dapr successfully".to_owned()),
            _ => (
                Mark::Failure,
                format!("The daprd process exited with error code: {ended}"),
            ),
        };
        self.sidecar(mark, &text).await;
        let log = self.with_sidecar.file().map(|path| path.display().to_string());
        let see = log.map_or(String::new(), |log| format!("; its log is {log}"));
        let text = format!("The sidecar of the app {:?} ended: {ended}{see}", self.app_id);
        self.unless_seen(&self.with_sidecar, mark, &text).await;
    }

    /// The app has ended because it was told to.
    pub(super) async fn app_stopped(&self, ended: Ended) {
        let (mark, text) = stopped("App", ended);
        self.app(mark, &text).await;
    }

    /// The sidecar has ended because it was told to.
    pub(super) async fn sidecar_stopped(&self, ended: Ended) {
        let (mark, text) = stopped("Dapr", ended);
        self.sidecar(mark, &text).await;
    }

    /// The end was ordered.
    pub(super) async fn stopping(&self) {
        if !self.several {
            let text = "\nterminated signal received: shutting down";
            return self.terminal.say(Mark::Info, text).await;
        }
        let text = "\ntermination signal received: shutting down";
        for sink in [&self.with_sidecar, &self.with_app] {
            if !sink.is_seen() || sink.file().is_some() {
                sink.say(Mark::Info, text).await;
            }
        }
    }

    async fn unless_seen(&self, sink: &Sink, mark: Mark, text: &str) {
        if !sink.is_seen() {
            self.terminal.say(mark, text).await;
        }
    }
}

/// How an end is told that was asked for.
fn stopped(who: &str, ended: Ended) -> (Mark, String) {
    if ended.is_obedient() {
        (Mark::Success, format!("Exited {who} successfully"))
    } else {
        (Mark::Failure, format!("Error exiting {who}: {ended}"))
    }
}
