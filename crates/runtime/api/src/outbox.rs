//! The seam of the transactional outbox (dapr-runtime.md §3.4): whoever carries announcements implements [`Outbox`].

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use http::StatusCode;
use outrigger_base_std::{BoxError, chain};
use outrigger_base_telemetry::trace::TraceContext;
use outrigger_block_state::Operation;
use outrigger_runtime_host::{OutboxSettings, State};
use outrigger_wire_names::errors::{self, reasons};
use tonic::Code;

use crate::{Api, Error, error::info};

/// Publishes what transactions change, if and only if they happen.
#[async_trait]
pub trait Outbox: Send + Sync + fmt::Debug {
    /// Announces the writes of a transaction, and answers what is to be committed instead: the operations, with a marker
    /// for each announcement. What was announced is published once its marker is there, and never without. An error
    /// means that the transaction must not happen.
    ///
    /// A caller that stops after this leaves announcements without a marker, which is harmless.
    async fn announce(
        &self,
        settings: &OutboxSettings,
        operations: Vec<Operation>,
        trace: &TraceContext,
    ) -> Result<Vec<Operation>, BoxError>;
}

impl Api {
    /// Sets who carries announcements. Without one, transactions of stores that ask for an outbox are refused.
    pub fn set_outbox(&self, outbox: Arc<dyn Outbox>) {
        self.outbox_slot(|slot| *slot = Some(outbox));
    }

    /// What is to be committed, once what must be announced is.
    pub(crate) async fn announce(
        &self,
        state: &State,
        operations: Vec<Operation>,
        trace: &TraceContext,
    ) -> Result<Vec<Operation>, Error> {
        let Some(settings) = &state.outbox else {
            return Ok(operations);
        };
        let outbox = self
            .outbox_slot(|slot| slot.clone())
            .ok_or_else(|| Error::unbuilt("transactional outbox"))?;
        let announced = outbox.announce(settings, operations, trace).await;
        announced.map_err(|error| outbox_failed(&self.host().identity.app_id, &chain(&*error)))
    }
}

fn outbox_failed(app_id: &str, problem: &str) -> Error {
    let message = format!("error while publishing outbox message: {problem}");
    let facts = [("appID", app_id.to_owned()), ("error", problem.to_owned())];
    Error::new(
        errors::PUBLISH_OUTBOX,
        StatusCode::INTERNAL_SERVER_ERROR,
        Code::Internal,
        message,
    )
    .with([info(reasons::PUBSUB_OUTBOX, facts)])
}
