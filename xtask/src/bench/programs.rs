//! The programs that are measured, and the one that measures.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    failure::{Failure, Result, Tried},
    options::{Options, PEER},
};

/// The repository's root.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Where the programs are; a missing one has the reason.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    /// `limit`, without which nothing can be measured.
    pub(crate) limit: PathBuf,
    pub(crate) ours: Result<PathBuf>,
    pub(crate) peer: Result<PathBuf>,
}

impl Programs {
    /// Looks for the programs.
    pub(crate) fn find(options: &Options) -> Result<Self> {
        let limit = target_folder().join("release/limit");
        if !limit.is_file() {
            return Err(Failure::new(format!(
                "{} is not built; leave out --no-build",
                limit.display()
            )));
        }
        let built = target_folder().join("release/outrigger");
        let ours = match &options.ours {
            Some(path) => existing(path, "--ours"),
            None if built.is_file() => Ok(built),
            None => Err(Failure::new("the release build is missing")),
        };
        let peer = match &options.peer {
            None => Err(Failure::new(format!("{PEER} names no program"))),
            Some(path) => existing(path, PEER),
        };
        Ok(Self { limit, ours, peer })
    }
}

/// Makes the release builds of ours and of the bare limit. That ours does not build is said in its cells.
pub(crate) fn build(options: &Options) -> Result<()> {
    cargo_build("outrigger-bench-limit")?;
    match options.ours {
        Some(_) => Ok(()),
        None => cargo_build("outrigger-cli"),
    }
}

/// Cargo's target folder: what the environment says, or the one beside the workspace's manifest.
pub(crate) fn target_folder() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(ROOT).join("target"), PathBuf::from)
}

/// The commit that is measured, with a mark when files differ from it.
pub(crate) fn commit() -> String {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty"])
        .current_dir(ROOT)
        .output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

fn cargo_build(package: &str) -> Result<()> {
    // Cargo names itself to the programs it runs; outside of it the one in PATH serves.
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--release", "--package", package])
        .current_dir(ROOT);
    let status = command.status().tried(|| "starting cargo".to_owned())?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("{package} does not build")))
    }
}

fn existing(path: &Path, source: &str) -> Result<PathBuf> {
    if path.is_file() {
        Ok(path.to_owned())
    } else {
        Err(Failure::new(format!(
            "{source} names {}, which is not there",
            path.display()
        )))
    }
}
