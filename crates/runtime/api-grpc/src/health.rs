//! The standard health service: whether this runtime answers calls.

use std::pin::Pin;

use futures_util::{Stream, StreamExt};
use outrigger_runtime_api::{Readiness, Stage};
use outrigger_wire_proto::runtime::dapr_server;
use tokio_stream::wrappers::WatchStream;
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
        if !is_known(&request.get_ref().service) {
            // The protocol wants this answer, and a stream that stays open.
            let unknown = HealthCheckResponse {
                status: ServingStatus::ServiceUnknown.into(),
            };
            let stream = futures_util::stream::iter([Ok(unknown)]).chain(futures_util::stream::pending());
            return Ok(Response::new(Box::pin(stream)));
        }
        let changes = WatchStream::new(self.0.watch());
        Ok(Response::new(Box::pin(changes.map(|stage| Ok(serving(stage))))))
    }
}
