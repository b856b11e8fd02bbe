//! Why something a test needs is not there.

use std::{fmt, io, time::Duration};

/// Why the harness could not give what a test asked for. `Debug` reads like `Display`, so that `unwrap` tells it well.
#[derive(thiserror::Error)]
pub enum Error {
    /// A program is not installed.
    #[error("the program {program:?} is not installed: apt-get install {package}")]
    Missing {
        /// The program as it was started.
        program: String,
        /// The Debian package that brings it.
        package: &'static str,
    },
    /// The test needs rights that it does not have.
    #[error("{0} needs root: run the tests as root")]
    NotRoot(&'static str),
    /// The operating system refused.
    #[error("{attempted}: {source}")]
    Io {
        /// What was attempted.
        attempted: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A command ended with a failure.
    #[error("{command}: {output}")]
    Command {
        /// What was run.
        command: String,
        /// What it printed, or how it ended.
        output: String,
    },
    /// A process did not do what was awaited.
    #[error("{program} (process {id}) {what} within {}ms; its output:\n{output}", .deadline.as_millis())]
    Late {
        /// The program.
        program: String,
        /// Its process id.
        id: u32,
        /// What did not happen.
        what: String,
        /// How long it was awaited.
        deadline: Duration,
        /// What it printed.
        output: String,
    },
}

impl Error {
    pub(crate) fn io(attempted: impl Into<String>, source: io::Error) -> Self {
        Self::Io {
            attempted: attempted.into(),
            source,
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
