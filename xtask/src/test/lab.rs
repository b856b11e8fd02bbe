//! Where things stand: the checkout, the target folder, cargo, and the program under test.

use std::io;
use std::path::{Path, PathBuf};

use crate::checkout::{self, ROOT};

/// The environment variable that tells tests which program to start.
pub(crate) const PROGRAM: &str = "OUTRIGGER_BIN";

/// The environment variable that names a `daprd` of Dapr's, beside which the process tests put the program under test.
const DAPRD: &str = "OUTRIGGER_TEST_DAPRD";

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
    /// Dapr's program, where the environment names one.
    pub(crate) daprd: Option<PathBuf>,
}

impl Lab {
    /// Asks cargo and the environment.
    pub(crate) fn find() -> io::Result<Self> {
        let root = Path::new(ROOT).canonicalize()?;
        let target = checkout::target_folder(&root)?;
        let given = std::env::var_os(PROGRAM).map(PathBuf::from);
        let is_program_given = given.is_some();
        let program = given.unwrap_or_else(|| target.join("debug/outrigger"));
        Ok(Self {
            root,
            target,
            cargo: checkout::cargo(),
            program,
            is_program_given,
            daprd: std::env::var_os(DAPRD).map(PathBuf::from),
        })
    }

    /// Whether the process tests have a neighbour of Dapr's.
    pub(crate) fn neighbour(&self) -> String {
        match &self.daprd {
            Some(daprd) => format!("daprd: tested beside {}", daprd.display()),
            None => format!("daprd: NOT tested, both neighbours are ours: {DAPRD} names no program"),
        }
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
            daprd: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_whether_a_daprd_was_tested() {
        let without = Lab::for_test();
        let told = without.neighbour();
        assert!(
            told.contains("NOT tested") && told.contains("OUTRIGGER_TEST_DAPRD"),
            "{told}"
        );
        let with = Lab {
            daprd: Some(PathBuf::from("/somewhere/daprd")),
            ..without
        };
        assert_eq!(with.neighbour(), "daprd: tested beside /somewhere/daprd");
    }
}
