//! The gRPC face of the API: decode, call [`Api`](outrigger_runtime_api::Api), encode.
//!
//! It holds no behaviour. What it owns is what only gRPC has: the services of the port (dapr-runtime.md §2), the token
//! check, the size of messages, trace contexts in metadata, and errors as statuses with details. A call of a service
//! that is not ours is passed through to the app that its metadata names, and nothing of it is decoded.

mod face;
mod health;
mod invoke;
mod metadata;
mod publish;
mod reflection;
mod secrets;
mod service;
mod size;
mod state;
mod status;
mod subscribe;
mod telemetry;

pub use face::{GrpcFace, Options};
pub use subscribe::{EventStream, StreamEvent, StreamSubscriber, StreamTopic};
