//! Peers of both kinds, and broken ones, on loopback.

mod dapr;
mod lengths;
mod messages;
mod peers;
mod rig;
