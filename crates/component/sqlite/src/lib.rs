//! The state store in a SQLite file: `state.sqlite`, also known as `state.sqlite3`.
//!
//! Files, tables and rows are Dapr's own (components.md §2.1), so a sidecar of either kind opens the other's file,
//! even while the other is running. What is ours is how the file is written and read.
//!
//! # Writes: group commit
//!
//! A durable commit waits for the disk; a row does not. So the writes of many callers share one transaction. One
//! named thread owns the one connection that writes. It takes whatever waits in its queue, applies it, takes what
//! came meanwhile, up to a named limit, and commits once. Only then does every caller get its own answer. There is
//! no artificial delay: a lone write commits at once, and a hundred that arrive during its commit share the next one.
//!
//! - A request that is refused (ETag mismatch, value too large) leaves no trace and takes nobody with it. One
//!   statement is atomic by itself in SQLite; a transaction of several runs in a savepoint of its own.
//! - A caller that went away before its turn is skipped.
//! - When the shared transaction fails (locked for longer than `busyTimeout`, disk error, refused commit), it is
//!   rolled back and everyone in it gets a retryable error. Nothing that was answered with success is ever lost.
//! - A full disk refuses what makes the file grow, and that goes on when there is room again; copying the log into the
//!   file takes some 4 MiB of it.
//! - The queue is bounded; when it is full, callers wait, at most for `timeout`. The writer never feeds its queue.
//!
//! `synchronous` is SQLite's default, FULL, as in Dapr; `_pragma=synchronous(NORMAL)` in the connection string
//! trades the last moments before a power loss for speed.
//!
//! # Reads: on the caller's thread while that is cheap
//!
//! In WAL mode readers never wait for the writer, and a point read of cached pages takes a few microseconds: less
//! than waking another thread and being woken by it (`examples/throughput.rs` measures both). So a point read
//! borrows a pooled connection with `try_lock` and runs where it is. Three rules keep the async worker from waiting:
//! these connections have no busy time-out, so a lock ends the attempt at once; a file that is not in WAL mode, a
//! long bulk read, a scan, or a moment when the pool is taken all go to the named reader threads; and when one read
//! was slow, for the disk is cold or far, all reads go to the threads until they are fast again (`state::pool`). The
//! harm of a slow disk is thus one slow read, not all of them.
//!
//! A database in memory lives in one connection; there, reads take their turn on the writer's thread.
//!
//! A read that starts after a write was answered sees it: each read takes a new snapshot.

mod connection;
mod connection_string;
mod failure;
mod migrate;
mod state;

pub use state::open;

/// The component types that [`open`] serves, as manifests write them.
pub const STATE_TYPES: [&str; 2] = ["state.sqlite", "state.sqlite3"];
