//! Temporary folders.

use std::path::{Path, PathBuf};

use crate::Error;

/// A folder that is removed, with all that is in it, when this is dropped.
#[derive(Debug)]
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// A new, empty folder; `label` is part of its name.
    pub fn new(label: &str) -> Result<Self, Error> {
        tempfile::Builder::new()
            .prefix(&format!("outrigger-{label}-"))
            .tempdir()
            .map(Self)
            .map_err(|error| Error::io(format!("make a temporary folder for {label}"), error))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}
