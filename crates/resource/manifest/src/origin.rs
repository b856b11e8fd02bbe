//! Where a resource was written, so that every message can point at it.

use std::{fmt, path::Path, sync::Arc};

/// The place of one document: its file, its number in the file, and the line it starts on.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The file as it was named to the loader.
    pub file: Arc<Path>,
    /// The document's number in the file, from 1.
    pub document: usize,
    /// The line of the file on which the document's content starts, from 1.
    pub line: usize,
}

impl Origin {
    /// The first document of `file`.
    pub fn of_file(file: impl Into<Arc<Path>>) -> Self {
        Self {
            file: file.into(),
            document: 1,
            line: 1,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, document {}, line {}",
            self.file.display(),
            self.document,
            self.line
        )
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({self})")
    }
}
