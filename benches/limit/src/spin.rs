//! A loop that never ends, to be run in the idle class (`chrt -i 0`): it only takes what nobody wants.
//!
//! A virtual core that falls asleep is expensive to wake (0.4 ms against 0.06 ms for one request); a spinner per core
//! keeps both awake, for every measured system alike.

use std::{hint, os::unix::process::parent_id};

/// Rounds between two looks at the parent: about a tenth of a second.
const ROUNDS: u32 = 50_000_000;

/// Spins until the process that started it is gone, so that a killed harness leaves no spinner behind.
pub fn spin() {
    let parent = parent_id();
    while parent_id() == parent {
        for _ in 0..ROUNDS {
            hint::spin_loop();
        }
    }
}
