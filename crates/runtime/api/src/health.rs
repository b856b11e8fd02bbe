//! Whether this runtime is ready.

use http::StatusCode;
use outrigger_wire_names::{errors, messages};
use tokio::sync::watch;
use tonic::Code;

use crate::{Api, Error};

/// How far a runtime has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Stage {
    /// It is being set up.
    #[default]
    Starting,
    /// Components are open and the API answers; the app may not be there yet.
    Outbound,
    /// The app is there and everything runs.
    Ready,
    /// It is coming to an end.
    Draining,
}

/// The stage of a runtime, seen by all who hold it.
#[derive(Debug, Clone)]
pub struct Readiness(watch::Sender<Stage>);

impl Default for Readiness {
    fn default() -> Self {
        Self(watch::Sender::new(Stage::Starting))
    }
}

impl Readiness {
    /// The stage now.
    pub fn stage(&self) -> Stage {
        *self.0.borrow()
    }

    /// Enters a stage.
    pub fn enter(&self, stage: Stage) {
        self.0.send_replace(stage);
    }

    /// The stage and its changes.
    pub fn watch(&self) -> watch::Receiver<Stage> {
        self.0.subscribe()
    }

    /// Waits for a stage, or a later one.
    pub async fn reached(&self, stage: Stage) {
        // The sender is held by self, so the channel cannot close.
        let _ = self.0.subscribe().wait_for(|now| *now >= stage).await;
    }
}

impl Api {
    /// Whether everything runs; with `app_id`, whether this is that app's runtime too.
    pub fn check_health(&self, app_id: Option<&str>) -> Result<(), Error> {
        if self.readiness().stage() != Stage::Ready {
            let message = format!("{}: the app or its components are not ready", messages::NOT_READY);
            return Err(internal(errors::HEALTH_NOT_READY, message));
        }
        match app_id.filter(|id| !id.is_empty() && **id != *self.host().identity.app_id) {
            Some(_) => Err(internal(
                errors::HEALTH_APPID_NOT_MATCH,
                messages::APP_ID_MISMATCH.to_owned(),
            )),
            None => Ok(()),
        }
    }

    /// Whether outbound calls can be made; the app may not be there yet.
    pub fn check_outbound_health(&self) -> Result<(), Error> {
        match self.readiness().stage() {
            Stage::Outbound | Stage::Ready => Ok(()),
            Stage::Starting | Stage::Draining => Err(internal(
                errors::OUTBOUND_HEALTH_NOT_READY,
                messages::OUTBOUND_NOT_READY.to_owned(),
            )),
        }
    }
}

fn internal(code: errors::ErrorCode, message: String) -> Error {
    Error::new(code, StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message)
}
