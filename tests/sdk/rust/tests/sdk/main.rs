//! Dapr's Rust SDK as client and as app against our sidecar.

#![allow(
    clippy::disallowed_methods,
    reason = "the SDK's server has no task set of ours"
)]

mod invoke;
mod pubsub;
mod rest;
mod state;

/// The code of a failed call, which the SDK's error only tells in its debug form.
fn is_code(error: &dapr::error::Error, code: tonic::Code) -> bool {
    format!("{error:?}").contains(&format!("code: {code:?}"))
}
