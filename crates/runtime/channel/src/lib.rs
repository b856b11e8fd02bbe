//! The app channel: how a runtime reaches the app it belongs to (dapr-runtime.md §3).
//!
//! One trait, [`AppChannel`], with three forms: [`HttpChannel`] (http, https, h2c), [`GrpcChannel`] (grpc, grpcs) and
//! whatever the framework puts in its place in-process: embedded mode needs no socket. [`Limited`] bounds how many calls
//! an app sees at a time; [`health::Health`] watches whether it is there at all.

mod app;
mod error;
pub mod grpc;
pub mod health;
pub mod http;
mod limit;
mod settings;

pub use app::{
    AppChannel, AppSubscription, BulkDelivery, BulkEntry, EventDelivery, EventVerdict, InvokeRequest,
    Verdicts,
};
pub use error::Error;
pub use grpc::{AppStatus, GrpcChannel};
pub use http::HttpChannel;
pub use limit::Limited;
pub use settings::{Protocol, ProtocolError, Settings};
