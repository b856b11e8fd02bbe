//! Where things stand: the checkout, the target folder, cargo, and the program under test.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The environment variable that tells tests which program to start.
pub(crate) const PROGRAM: &str = "OUTRIGGER_BIN";

/// The places that steps need.
#[derive(Debug, Clone)]
pub(crate) struct Lab {
    /// The root of the checkout.
    pub(crate) root: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
    /// Cargo itself.
    pub(crate) cargo: PathBuf,
    /// The program under test.
    pub(crate) program: PathBuf,
    /// True when the environment named the program, so that none need be built.
    pub(crate) is_program_given: bool,
}

impl Lab {
    /// Asks cargo and the environment.
    pub(crate) fn find() -> io::Result<Self> {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).canonicalize()?;
        let cargo = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
        let target = target_folder(&cargo, &root)?;
        let given = std::env::var_os(PROGRAM).map(PathBuf::from);
        let is_program_given = given.is_some();
        let program = given.unwrap_or_else(|| target.join("debug/outrigger"));
        Ok(Self {
            root,
            target,
            cargo,
            program,
            is_program_given,
        })
    }

    /// The folder of an SDK's tests.
    pub(crate) fn sdk(&self, name: &str) -> PathBuf {
        self.root.join("tests/sdk").join(name)
    }

    /// Places that are never used.
    #[cfg(test)]
    pub(crate) fn for_test() -> Self {
        Self {
            root: PathBuf::from("/nowhere"),
            target: PathBuf::from("/nowhere/target"),
            cargo: PathBuf::from("cargo"),
            program: PathBuf::from("/nowhere/target/debug/outrigger"),
            is_program_given: false,
        }
    }
}

fn target_folder(cargo: &Path, root: &Path) -> io::Result<PathBuf> {
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root)
        .output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(io::Error::other(format!("cargo metadata failed: {said}")));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let folder = metadata.get("target_directory").and_then(Value::as_str);
    folder
        .map(PathBuf::from)
        .ok_or_else(|| io::Error::other("cargo metadata names no target folder"))
}
