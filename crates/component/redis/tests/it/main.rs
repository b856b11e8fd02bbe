//! `state.redis` and `pubsub.redis` against a real server.

mod json;
mod outage;
mod raw;
mod state;
mod transactions;
