//! The SQLite state store over real files.

mod cleanup;
mod closing;
mod crash;
mod failures;
mod full_disk;
mod keys;
mod layout;
mod memory;
mod migration;
mod semantics;
mod sharing;
mod support;
mod writers;
