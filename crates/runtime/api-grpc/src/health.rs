//! The standard health service: whether this runtime answers calls.

use std::{future::ready, pin::Pin};

use futures_util::{Stream, StreamExt, stream};
use outrigger_runtime_api::{Readiness, Stage};
use outrigger_wire_proto::runtime::dapr_server;
use tokio::sync::watch::Receiver;
use tonic::{Request, Response, Status};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus, health_server,
};

/// Health as the stage of the runtime has it.
#[derive(Debug)]
pub(crate) struct Health(Readiness);

impl Health {
    pub(crate) fn new(readiness: Readiness) -> Self {
        Self(readiness)
    }
}

/// Whether health is known of a service: of the whole, and of the API.
fn is_known(service: &str) -> bool {
    service.is_empty() || service == dapr_server::SERVICE_NAME
}

fn serving(stage: Stage) -> HealthCheckResponse {
    let status = match stage {
        Stage::Outbound | Stage::Ready => ServingStatus::Serving,
        Stage::Starting | Stage::Draining => ServingStatus::NotServing,
    };
    HealthCheckResponse {
        status: status.into(),
    }
}

#[tonic::async_trait]
impl health_server::Health for Health {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        if !is_known(&request.get_ref().service) {
            return Err(Status::not_found("service not registered"));
        }
        Ok(Response::new(serving(self.0.stage())))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let stages = self.0.watch();
        if is_known(&request.get_ref().service) {
            return Ok(Response::new(Box::pin(changes(stages))));
        }
        // The protocol wants this answer, and a stream that stays open.
        let unknown = HealthCheckResponse {
            status: ServingStatus::ServiceUnknown.into(),
        };
        let answers = stream::iter([Ok(unknown)]).chain(silence(stages));
        Ok(Response::new(Box::pin(answers)))
    }
}

/// What the stage means, now and whenever it changes. It ends with the runtime: a client that watches would hold up the
/// drain otherwise.
fn changes(mut stages: Receiver<Stage>) -> impl Stream<Item = Result<HealthCheckResponse, Status>> + Send {
    stages.mark_changed();
    stream::unfold(Some(stages), |stages| async {
        let mut stages = stages?;
        stages.changed().await.ok()?;
        let stage = *stages.borrow_and_update();
        Some((Ok(serving(stage)), (stage != Stage::Draining).then_some(stages)))
    })
}

/// Says nothing, and ends with the runtime.
fn silence(mut stages: Receiver<Stage>) -> impl Stream<Item = Result<HealthCheckResponse, Status>> + Send {
    stream::once(async move {
        let _ = stages.wait_for(|stage| *stage == Stage::Draining).await;
    })
    .filter_map(|()| ready(None))
}
