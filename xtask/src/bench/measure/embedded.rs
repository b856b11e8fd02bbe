//! A read of state in an app that carries the runtime: there is nothing to set it against but its own bar.

use std::{path::PathBuf, process::Command};

use super::Values;
use crate::{
    bench::{
        failure::{Failure, Result, Tried},
        lab::Lab,
        programs,
    },
    checkout::{self, ROOT},
};

/// The framework's example that reads. It is built as services are.
const EXAMPLE: &str = "embedded_get";
/// What the example calls the number that the row shows: microseconds a read of a text of 1 KB, decoded.
const TEXT: &str = "text_us";

/// Makes the example.
pub(crate) fn build() -> Result<()> {
    let status = Command::new(checkout::cargo())
        .args([
            "build",
            "--locked",
            "--release",
            "--package",
            "outrigger",
            "--example",
            EXAMPLE,
        ])
        .current_dir(ROOT)
        .status()
        .tried(|| "starting cargo".to_owned())?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("the example {EXAMPLE} does not build")))
    }
}

/// Runs the example, which reads in rounds and says the median of each kind of value.
pub(super) fn get(lab: &Lab) -> Result<Values> {
    let program = program()?;
    let folder = lab.fresh("embedded");
    let output = Command::new(&program)
        // Nothing of the user's is used or touched.
        .env("OUTRIGGER_RUN_DIR", folder.join("run"))
        .env("OUTRIGGER_HOME", folder.join("home"))
        .output()
        .tried(|| format!("starting {}", program.display()))?;
    if output.status.success() {
        numbers(&String::from_utf8_lossy(&output.stdout))
    } else {
        let errors = String::from_utf8_lossy(&output.stderr);
        Err(Failure::new(format!(
            "{EXAMPLE} ended with {}: {}",
            output.status,
            errors.trim()
        )))
    }
}

fn program() -> Result<PathBuf> {
    let program = programs::target_folder()?.join("release/examples").join(EXAMPLE);
    if program.is_file() {
        Ok(program)
    } else {
        Err(Failure::new(format!(
            "{} is not built; leave out --no-build",
            program.display()
        )))
    }
}

/// The lines `name number`.
fn numbers(text: &str) -> Result<Values> {
    let number = |line: &str| {
        let (name, number) = line.trim().rsplit_once(' ')?;
        Some((name.to_owned(), number.parse().ok()?))
    };
    let values: Values = text.lines().filter_map(number).collect();
    if values.contains_key(TEXT) {
        Ok(values)
    } else {
        Err(Failure::new(format!(
            "{EXAMPLE} did not say {TEXT}: {:?}",
            text.trim()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_by_name() {
        let values = numbers("text_us 2.31\nnumber_us 0.98\n").unwrap();
        assert_eq!(values["text_us"], 2.31);
        assert_eq!(values["number_us"], 0.98);
        let error = numbers("nothing\n").unwrap_err();
        assert_eq!(error.to_string(), "embedded_get did not say text_us: \"nothing\"");
    }

    #[test]
    fn the_example_says_them() {
        let source = include_str!("../../../../crates/framework/outrigger/examples/embedded_get.rs");
        assert!(source.contains("println!(\"text_us {:.2}\""));
    }
}
