//! The programs that are measured, and the one that measures.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    failure::{Failure, Result, Tried},
    options::{Options, PEER},
};
use crate::checkout::{self, ROOT};

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
        let target = target_folder()?;
        let limit = target.join("release/limit");
        if !limit.is_file() {
            return Err(Failure::new(format!(
                "{} is not built; leave out --no-build",
                limit.display()
            )));
        }
        let built = target.join("dist/outrigger");
        let ours = match &options.ours {
            Some(path) => existing(path, "--ours"),
            None if built.is_file() => Ok(built),
            None => Err(Failure::new("the dist build is missing")),
        };
        let peer = match &options.peer {
            None => Err(Failure::new(format!("{PEER} names no program"))),
            Some(path) => existing(path, PEER),
        };
        Ok(Self { limit, ours, peer })
    }
}

/// Makes the bare limit, and ours as it is given to users. That ours does not build is said in its cells.
pub(crate) fn build(options: &Options) -> Result<()> {
    cargo_build("outrigger-bench-limit", "release")?;
    match options.ours {
        Some(_) => Ok(()),
        None => cargo_build("outrigger-cli", "dist"),
    }
}

/// Cargo's target folder.
pub(crate) fn target_folder() -> Result<PathBuf> {
    checkout::target_folder(Path::new(ROOT)).tried(|| "asking cargo for its target folder".to_owned())
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

fn cargo_build(package: &str, profile: &str) -> Result<()> {
    let mut command = Command::new(checkout::cargo());
    command
        .args(["build", "--locked", "--profile", profile, "--package", package])
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
