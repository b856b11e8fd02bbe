//! Drivers as several processes see them.
//!
//! A test that needs another process starts this program again with one ignored test of its own, which plays
//! the other part: it announces, says so on its standard output, and stays until its input ends or it is killed.
#![cfg(all(feature = "registry", feature = "mdns"))]

mod child;
mod mdns;
mod registry;
