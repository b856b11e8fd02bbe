//! Every operation of the runtime, once, whatever face it came in by.
//!
//! The HTTP API, the gRPC API and the framework's embedded mode decode, call [`Api`], encode: they hold no behaviour
//! (invariant 2). Operations take typed requests and give typed answers; what goes wrong becomes an [`Error`] here and
//! nowhere else, with its code, both statuses, a message and details.

mod api;
mod error;
mod health;
mod invoke;
mod metadata;
mod metrics;
mod outbox;
mod publish;
mod secrets;
mod state;
pub mod trace;

pub use api::{Api, Parts};
pub use error::{Detail, Error};
pub use health::{Readiness, Stage};
pub use invoke::{Caller, Outside, Target, method_uri};
pub use metadata::{AppConnection, Metadata, SubscriptionInfo, SubscriptionKind};
pub use outbox::Outbox;
pub use publish::{BulkAnswer, BulkItem, BulkPublishRequest, PublishRequest};
pub use secrets::SecretAnswer;
pub use state::{BulkStateItem, TransactionOp, options, parse_consistency};
pub use tonic::Code;

// What faces show of the rooms below: they reach none of them themselves.
pub use outrigger_runtime_channel::{
    AppStatus, EventVerdict,
    grpc::{metadata_of, topic_event, verdict},
};
pub use outrigger_runtime_host::ComponentInfo;
pub use outrigger_runtime_peer::status::grpc_of_http;
pub use outrigger_runtime_telemetry::{Exchange, Telemetry, registry as metrics_registry};
