//! Named tasks with owners, and a drain in phases.
//!
//! A bare `tokio::spawn` answers neither *whose is it* nor *when does it end*. Here a [`TaskSet`] owns what it spawns:
//! every task has a name, is told to stop through the set's [`StopSignal`], is awaited until a deadline, and is named
//! in the report when it had to be aborted (invariant 5).

mod drain;
mod task_set;
mod thread;

pub use drain::{Drain, Phase};
pub use task_set::{Leftover, StopSignal, TaskSet};
pub use thread::Thread;
