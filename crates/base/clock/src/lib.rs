//! Wall time and entropy, injected.
//!
//! Library code never asks the operating system for the time of day or for random bytes (invariant 12): it is
//! given a [`Clock`] and an [`Entropy`], so that a test can stop the one and repeat the other. Waiting is a different
//! matter: async code waits with `tokio::time`, which a test can pause.

mod entropy;
mod wall;

pub use entropy::{BufferedEntropy, Entropy, SeededEntropy, SystemEntropy, fraction, uuid_v4};
pub use jiff::{SignedDuration, Timestamp};
pub use wall::{Clock, ManualClock, SystemClock};
