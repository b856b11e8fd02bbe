//! The memory of a process.

use std::time::Duration;

use outrigger_testing_harness::{Process, eventually};

/// Resident memory in KiB.
pub(crate) fn resident(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

/// Waits until a process holds at most `limit` KiB.
pub(crate) async fn until_at_most(process: &Process, limit: u64, deadline: Duration) {
    eventually(deadline, || async {
        let held = resident(process);
        if held <= limit {
            Ok(())
        } else {
            Err(format!("{held} KiB of {limit}"))
        }
    })
    .await;
}
