//! The bare limit: the paths of a sidecar without a sidecar.
//!
//! A measured product is only as good as its distance to what the machine can do. This crate holds that other end:
//! an echo app, proxies that forward and do nothing else, a grouped SQLite writer, and the load generator that is used
//! on all sides alike. One program, `limit`, carries them as subcommands; `cargo xtask bench` runs them.
//!
//! | module | what |
//! |---|---|
//! | [`serve`] | one current-thread runtime per core, connections handed out in turn |
//! | [`echo`] | the app: echo, sink, and a subscriber that measures deliveries |
//! | [`grpc_echo`] | the app as a gRPC service: any method, any message |
//! | [`hop`] | a proxy of one hop, HTTP/1.1 or HTTP/2 on either side |
//! | [`group_writer`] | many producers, one writer, one transaction a batch |
//! | [`load`] | closed loop, open loop and one streamed upload |
//! | [`spin`] | keeps a core from falling asleep |

// A load generator reads clocks; the rule that library code gets time injected is for the product's crates.
#![allow(clippy::disallowed_methods, reason = "measuring programs read clocks")]

pub mod args;
pub mod echo;
pub mod group_writer;
pub mod grpc_echo;
pub mod histogram;
pub mod hop;
pub mod load;
pub mod serve;
pub mod spin;
pub mod stats;
