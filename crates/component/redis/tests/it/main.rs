//! `state.redis` and `pubsub.redis` against a real server.

mod json;
mod outage;
mod pubsub;
mod pubsub_outage;
mod raw;
mod redelivery;
mod sink;
mod state;
mod tls;
mod topologies;
mod transactions;
