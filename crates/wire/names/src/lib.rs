//! Names on the wire. A literal that a peer, an SDK or a user reads stands here and nowhere else (invariant 4).
//!
//! No behaviour: constants, grouped by where they are read. Tests elsewhere write the literals out, because a test
//! that uses the constant proves nothing.

pub mod app;
pub mod cloud_event;
pub mod content;
pub mod environment;
pub mod errors;
pub mod extended;
pub mod features;
pub mod flags;
pub mod grpc;
pub mod headers;
pub mod messages;
pub mod metrics;
pub mod pubsub;
pub mod routes;
pub mod trace;
pub mod version;
