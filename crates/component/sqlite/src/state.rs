//! The state store.

mod cleanup;
mod error;
mod operation;
mod pool;
mod queue;
mod reader;
mod row;
mod settings;
mod statements;
mod store;
mod writer;

pub use store::open;
