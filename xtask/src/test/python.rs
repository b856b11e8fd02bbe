//! The venv of the Python SDK's tests: made under the target folder, and made anew when what it holds is out of date.

use std::fs;
use std::path::PathBuf;

use super::child::{self, Job};
use super::lab::Lab;

/// The venv's Python.
pub(crate) fn interpreter(lab: &Lab) -> PathBuf {
    folder(lab).join("bin/python")
}

/// True when the venv holds what the requirements ask for.
pub(crate) fn is_ready(lab: &Lab) -> bool {
    let installed = fs::read_to_string(stamp(lab)).ok();
    let runs = child::succeeds(&Job::new(interpreter(lab), &["-c", "import sys"], "/"));
    runs && installed.is_some() && installed == fs::read_to_string(requirements(lab)).ok()
}

/// The commands that make the venv. The last one leaves the stamp, so that a failure before it leaves none.
pub(crate) fn install(lab: &Lab) -> Vec<Job> {
    let text = |path: PathBuf| path.display().to_string();
    let (venv, wanted) = (text(folder(lab)), text(requirements(lab)));
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
        &wanted,
    ];
    vec![
        Job::new("python3", &["-m", "venv", "--clear", &venv], &lab.root),
        Job::new(interpreter(lab), &pip, &lab.root),
        Job::new("cp", &[&wanted, &text(stamp(lab))], &lab.root),
    ]
}

fn folder(lab: &Lab) -> PathBuf {
    lab.target.join("sdk-python")
}

fn requirements(lab: &Lab) -> PathBuf {
    lab.sdk("python").join("requirements.txt")
}

/// A copy of the requirements that are installed.
fn stamp(lab: &Lab) -> PathBuf {
    folder(lab).join("installed.txt")
}
