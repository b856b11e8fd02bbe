//! Where lines go.

use std::{
    fmt,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use outrigger_base_clock::Clock;

use super::rotate::{RotatingFile, Rotation};

/// The words that stand for the standard streams in a list of outputs.
const STDOUT: &str = "stdout";
const STDERR: &str = "stderr";

/// A destination of lines.
pub enum Output {
    /// The standard output.
    Stdout,
    /// The standard error.
    Stderr,
    /// A file, appended to, and made if need be.
    File(PathBuf),
    /// Anything else: one call of `write_all` per line.
    Writer(Box<dyn Write + Send>),
}

/// Why an output could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The file could not be opened.
    #[error("open the log file {path:?}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Output {
    /// Reads a comma-separated list of `stdout`, `stderr` and file paths, and adds `file` unless it is among them. An
    /// empty list without a file is the standard output.
    pub fn parse_list(list: &str, file: Option<&Path>) -> Vec<Self> {
        let mut names: Vec<&str> = Vec::new();
        for name in list.split(',').map(str::trim) {
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
        let file = file.filter(|file| !names.iter().any(|name| Path::new(name) == *file));
        let mut outputs: Vec<Self> = names.into_iter().map(Self::named).collect();
        outputs.extend(file.map(|file| Self::File(file.into())));
        if outputs.is_empty() {
            outputs.push(Self::Stdout);
        }
        outputs
    }

    fn named(name: &str) -> Self {
        match name {
            STDOUT => Self::Stdout,
            STDERR => Self::Stderr,
            path => Self::File(path.into()),
        }
    }

    fn open(self, rotation: &Rotation, clock: &Arc<dyn Clock>) -> Result<Box<dyn Write + Send>, OutputError> {
        Ok(match self {
            // Both write a line that ends with a line feed in one call: standard output has nothing buffered.
            Self::Stdout => Box::new(io::stdout()),
            Self::Stderr => Box::new(io::stderr()),
            Self::Writer(writer) => writer,
            Self::File(path) => {
                let file = RotatingFile::open(path.clone(), rotation.clone(), clock.clone());
                Box::new(file.map_err(|source| OutputError::Open { path, source })?)
            }
        })
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str(STDOUT),
            Self::Stderr => f.write_str(STDERR),
            Self::File(path) => fmt::Debug::fmt(path, f),
            Self::Writer(_) => f.write_str("writer"),
        }
    }
}

/// All outputs of a program.
pub(super) struct Outputs {
    writers: Vec<Mutex<Box<dyn Write + Send>>>,
    lost: Arc<AtomicU64>,
}

impl Outputs {
    pub(super) fn open(
        outputs: Vec<Output>,
        rotation: &Rotation,
        clock: &Arc<dyn Clock>,
        lost: Arc<AtomicU64>,
    ) -> Result<Self, OutputError> {
        let open = |output: Output| output.open(rotation, clock).map(Mutex::new);
        let writers = outputs.into_iter().map(open).collect::<Result<_, _>>()?;
        Ok(Self { writers, lost })
    }

    /// Writes a whole line everywhere; what could not be written is counted.
    pub(super) fn write(&self, line: &str) {
        for writer in &self.writers {
            let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            if writer.write_all(line.as_bytes()).is_err() {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl fmt::Debug for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} outputs", self.writers.len())
    }
}
