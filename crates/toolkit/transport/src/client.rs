//! Pooled clients, each for one target.

mod connect;
mod failed;
mod framing;
mod http1;
mod http2;
mod service;

pub use connect::{Connect, Io, Target};
pub use failed::Failed;
pub use http1::{Http1Pool, PooledBody};
pub use http2::{Http2Channel, LeasedBody};
