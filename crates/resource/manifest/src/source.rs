//! Reads files: the only part of this crate that touches the disk.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::yaml::MAX_FILE_BYTES;

/// A file's text, or why there is none.
#[derive(Debug)]
pub struct SourceFile {
    /// The file as it was named, or the folder's path with the file's name.
    pub path: Arc<Path>,
    /// What is in it.
    pub content: Result<String, Unread>,
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// Its name says that it is something else.
    #[error("not a YAML file: its name ends neither in .yaml nor in .yml")]
    NotYaml,
    /// It is larger than [`MAX_FILE_BYTES`].
    #[error("larger than {MAX_FILE_BYTES} bytes, the most that is read of one file")]
    TooLarge,
    /// It is not text.
    #[error("not UTF-8 text from byte {valid_up_to} on")]
    NotText {
        /// How far it is text.
        valid_up_to: usize,
    },
    /// The system refused.
    #[error("it cannot be read")]
    Io(#[source] io::Error),
}

/// A path that cannot be listed or opened.
#[derive(Debug, thiserror::Error)]
#[error("could not read the path {}", .path.display())]
pub struct PathError {
    /// The path.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// Reads what `paths` name, in order: of a folder every file directly in it, by name; a file is read itself.
///
/// A file that vanishes between listing and reading is left out: a writer is at work, and a watcher will tell.
pub fn read(paths: &[PathBuf]) -> Result<Vec<SourceFile>, PathError> {
    let mut files = Vec::new();
    for path in paths {
        let fail = |source| PathError {
            path: path.clone(),
            source,
        };
        if std::fs::metadata(path).map_err(fail)?.is_dir() {
            let names = list(path).map_err(fail)?;
            files.extend(names.into_iter().map(file).filter(|file| !vanished(file)));
        } else {
            files.push(contents(path.clone()));
        }
    }
    Ok(files)
}

/// The files directly in a folder, sorted by name. A link counts as what it is named, not as what it points to.
fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

fn vanished(file: &SourceFile) -> bool {
    matches!(&file.content, Err(Unread::Io(error)) if error.kind() == io::ErrorKind::NotFound)
}

fn file(path: PathBuf) -> SourceFile {
    if is_yaml(&path) {
        return contents(path);
    }
    SourceFile {
        path: path.into(),
        content: Err(Unread::NotYaml),
    }
}

/// Whether a file's name is that of a YAML file.
pub fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["yaml", "yml"]
            .iter()
            .any(|yaml| extension.eq_ignore_ascii_case(yaml))
    })
}

fn contents(path: PathBuf) -> SourceFile {
    let content = bounded(&path);
    SourceFile {
        path: path.into(),
        content,
    }
}

/// Reads a file, but never more than is allowed: its size may change while it is read.
fn bounded(path: &Path) -> Result<String, Unread> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(Unread::Io)?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(Unread::TooLarge);
    }
    String::from_utf8(bytes).map_err(|error| Unread::NotText {
        valid_up_to: error.utf8_error().valid_up_to(),
    })
}
