//! The choice among the replicas of a service, with an eye on their health.
//!
//! A [`Picker`] chooses one endpoint out of a list, in turn or by load ([`Strategy`]), and learns from how
//! it went: an endpoint to which connections fail several times in a row is *ejected*, that is, not chosen for
//! a while. The while grows each time, up to a bound. When it is over, one request goes there as a probe, and its
//! outcome decides. When every endpoint is ejected, the picker chooses as if none were: a refused connection
//! is better news than no attempt.
//!
//! The list may be another one at every pick, as discovery finds instances and loses them; what is remembered
//! hangs on an endpoint's key. Picking takes no lock and allocates nothing once the endpoints are known. Time is
//! an argument, so that tests, and whoever replays them, decide what time it is.
//!
//! ```
//! use std::{net::SocketAddr, time::Instant};
//! use outrigger_balance::{Options, Picker};
//!
//! let now = Instant::now();
//! let picker = Picker::of_keys(Options::default(), now);
//! let endpoints: [SocketAddr; 2] = ["10.0.0.1:80".parse().unwrap(), "10.0.0.2:80".parse().unwrap()];
//!
//! let picked = picker.pick(&endpoints, now).expect("there are endpoints");
//! let address = endpoints[picked.index()];
//! // … dial `address` …
//! # let connected = true;
//! if connected { picked.success() } else { picked.failure(Instant::now()) }
//! # let _ = address;
//! ```
//!
//! [`Balance`] is the same as a `tower` service: it puts an endpoint to every request and hands both to the
//! service inside. `examples/replicas.rs` runs it against real listeners.
//!
//! # One picker per service
//!
//! Turns are counted per picker; keep one for every service that is called, for as long as it is called.

mod health;
mod options;
mod picker;
mod service;

pub use options::{Options, Strategy};
pub use picker::{Picked, Picker};
pub use service::{Balance, Directed, Endpoints, Error, ResponseFuture};
