//! Dapr's internal gRPC protocol, both sides: `CallLocal` and `CallLocalStream` (dapr-runtime.md §2.8).

mod chunks;
mod client;
mod convert;
mod cut;
mod exact;
mod server;

pub(crate) use client::{Failure, invoke};
pub use server::Server;
