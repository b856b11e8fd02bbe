//! The gRPC face over a real API with in-memory components, real sockets and real peers.

mod app;
mod dapr_peer;
mod echo;
mod errors;
mod heads;
mod invoke;
mod port;
mod proxy;
mod rig;
mod state;
mod stream;
