//! The embedded broker at its boundary: alone, among processes, and under `kill -9`.

#![allow(
    clippy::print_stdout,
    reason = "measurements are for whoever reads a test's output"
)]

mod among_processes;
mod child;
mod delivery;
mod full_disk;
mod histories;
mod idle;
mod log;
mod refusals;
mod retention;
mod support;
