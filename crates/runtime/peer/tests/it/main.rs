//! Peers of both kinds, and broken ones, on loopback.

mod dapr;
mod peers;
mod rig;
