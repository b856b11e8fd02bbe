//! The sidecar as a process: what others, and the machine it runs on, can do to it.
//!
//! Every test starts what it needs on free ports, waits for conditions only, and is bounded in time.

#![allow(clippy::print_stdout, reason = "what a run measured is for people to read")]

mod daprd;
mod drain;
mod events;
mod misbehave;
mod namespaces;
mod rig;
mod start;
mod trailers;
mod two_runtimes;
