//! HTTP bodies, servers and pooled clients over hyper: the parts of a proxy that forward without copying.
//!
//! - [`Body`]: one body type for requests and responses, in memory or streaming, that ends with its trailers.
//! - [`server`]: accept loops that tell HTTP/1.1 from HTTP/2 by the preface and drain without cutting an answer.
//! - [`client`]: [`client::Http1Pool`] and [`client::Http2Channel`], pools for one target that keep a request on the
//!   thread it came in on: no lock is shared between threads on the way.
//! - [`hop`]: what a proxy must not forward, and what of trailers it may.
//!
//! The crate knows no application protocol. Public signatures show `http`, `http-body`, `bytes` and `tower` types.

mod body;
pub mod client;
mod coalesce;
mod error;
pub mod hop;
pub mod server;
pub mod tls;

pub use body::{Body, TrailerFilter};
pub use error::Error;
