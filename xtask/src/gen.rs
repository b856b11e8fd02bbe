//! `cargo xtask gen`: hands over to the package `xtask-gen`.
//!
//! The protobuf compiler lives in a package of its own, so that the other tasks build without it.

use std::io;
use std::process::{Command, ExitCode};

/// Runs `xtask-gen` with `args`, and ends as it ends.
pub(crate) fn run(args: &[String]) -> io::Result<ExitCode> {
    // Cargo names itself to the programs it runs; outside of it the one in PATH serves.
    let cargo = crate::checkout::cargo();
    let mut command = Command::new(cargo);
    command
        .args(["run", "--quiet", "--package", "xtask-gen", "--"])
        .args(args);
    command.current_dir(crate::checkout::ROOT);
    let status = command.status()?;
    // A child ended by a signal has no code; that is a failure as well.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}
