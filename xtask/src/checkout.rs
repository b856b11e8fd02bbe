//! Where the checkout is, and what cargo says of it.

use std::{
    env, io,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// The root of the checkout.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Cargo. It names itself to the programs that it runs; outside of it the one in PATH serves.
pub(crate) fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// What cargo tells of the workspace at `root`: its own packages, and where things are.
pub(crate) fn metadata(root: &Path) -> io::Result<Value> {
    let output = Command::new(cargo())
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root)
        .output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(io::Error::other(format!("cargo metadata failed: {said}")));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Cargo's target folder.
pub(crate) fn target_folder(root: &Path) -> io::Result<PathBuf> {
    let metadata = metadata(root)?;
    let folder = metadata.get("target_directory").and_then(Value::as_str);
    folder
        .map(PathBuf::from)
        .ok_or_else(|| io::Error::other("cargo metadata names no target folder"))
}
