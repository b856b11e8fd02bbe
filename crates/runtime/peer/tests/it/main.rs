//! Peers of both kinds, and broken ones, on loopback.

mod dapr;
mod lengths;
mod peers;
mod rig;
