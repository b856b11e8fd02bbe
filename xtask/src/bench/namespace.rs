//! A network namespace with loopback only.
//!
//! Sidecars find each other by multicast, which a machine without a network does not have; and whatever else the
//! machine's network does is kept out of the numbers. So the benchmark starts itself again inside a namespace of its
//! own, where that is allowed.

use std::{
    env, io,
    process::{Command, ExitCode},
};

/// Set for the process inside, so that it does not go further in.
const INSIDE: &str = "OUTRIGGER_BENCH_INSIDE";
/// Brings loopback up with multicast, then becomes the benchmark.
const ENTER: &str =
    "ip link set lo up && ip link set lo multicast on && ip route add 224.0.0.0/4 dev lo && exec \"$@\"";

/// Whether this process is inside already.
pub(crate) fn inside() -> bool {
    env::var_os(INSIDE).is_some()
}

/// Runs this very command inside a namespace; none when already inside, or when there can be none.
pub(crate) fn enter() -> Option<io::Result<ExitCode>> {
    if inside() {
        return None;
    }
    let program = env::current_exe().ok()?;
    let flags = [&["--net"][..], &["--net", "--map-root-user"]]
        .into_iter()
        .find(|flags| possible(flags))?;
    let mut command = Command::new("unshare");
    command
        .args(flags)
        .args(["sh", "-c", ENTER, "sh"])
        .arg(program)
        .args(env::args_os().skip(1));
    let status = command.env(INSIDE, "1").status();
    Some(status.map(|status| {
        // Ended by a signal: a failure as well.
        ExitCode::from(
            status
                .code()
                .and_then(|code| u8::try_from(code).ok())
                .unwrap_or(1),
        )
    }))
}

/// Whether a namespace of this kind can be made and set up.
fn possible(flags: &[&str]) -> bool {
    let tried = Command::new("unshare")
        .args(flags)
        .args(["sh", "-c", ENTER, "sh", "true"])
        .output();
    tried.is_ok_and(|output| output.status.success())
}
