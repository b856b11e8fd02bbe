//! The HTTP face of the API: decode, call [`Api`](outrigger_runtime_api::Api), encode.
//!
//! It holds no behaviour. What it owns is what only HTTP has: the routes (dapr-runtime.md §1), the token check, CORS,
//! the body limit, and the JSON forms of requests and answers.

mod answer;
mod cors;
mod face;
mod invoke;
mod json;
mod meta;
mod publish;
mod query;
mod route;
mod secrets;
mod state;
mod telemetry;
#[cfg(test)]
mod tests;

pub use cors::Cors;
pub use face::{HttpFace, Options, Scope};
pub use telemetry::CallLog;
