//! Between sidecars: finding the peers of an app, choosing one, and the two ways to speak to it.
//!
//! Every sidecar has one internal port. What comes in on it is told apart by its preface: HTTP/1.1 is the direct
//! pass-through between two of ours, which re-frames nothing; HTTP/2 is gRPC, which is what Dapr's sidecars speak
//! (`CallLocal`, `CallLocalStream`, and calls that are proxied to a gRPC app).
//!
//! That a peer is ours is learnt on a connection and forgotten with it: a new connection begins with a short question
//! (`probe`); a peer of Dapr's does not answer it, and is spoken to in gRPC for as long as that connection lasts. So a
//! peer can be swapped for the other kind at any time.

mod callee;
mod connection;
pub mod dapr;
mod error;
pub mod path;
mod peers;
mod probe;
mod server;
pub mod status;

pub use callee::Callee;
pub use error::Error;
pub use peers::{AppTarget, Collector, Peers};
pub use server::InternalService;
