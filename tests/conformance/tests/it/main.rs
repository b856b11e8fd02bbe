//! Every component against the suite of each of its blocks.

mod broker;
mod local;
mod memory;
mod redis;
mod sqlite;
