//! The generated files on disk: writing them, and finding where they differ.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use prost::Message as _;
use prost_types::FileDescriptorSet;

use crate::Error;

/// Generated files: name and content.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A committed file that is not what [`generate`](crate::generate) makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drift {
    /// The file is not there.
    Missing(String),
    /// The file has another content.
    Changed(String),
    /// The file is there and is no longer generated.
    Leftover(String),
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "{name} is missing"),
            Self::Changed(name) => write!(f, "{name} differs"),
            Self::Leftover(name) => write!(f, "{name} is no longer generated"),
        }
    }
}

/// Compares `files` with what lies in `dir`, and writes nothing. Empty when all is equal.
///
/// # Errors
/// When `dir` or a file in it cannot be read. A missing `dir` is drift, not an error.
pub fn compare(files: &Files, dir: &Path) -> Result<Vec<Drift>, Error> {
    let found = read_all(dir)?;
    let mut drift = Vec::new();
    for (name, content) in files {
        match found.get(name) {
            None => drift.push(Drift::Missing(name.clone())),
            Some(old) if old != content => drift.push(Drift::Changed(name.clone())),
            Some(_) => {}
        }
    }
    let leftover = found.into_keys().filter(|name| !files.contains_key(name));
    drift.extend(leftover.map(Drift::Leftover));
    Ok(drift)
}

/// Makes `dir` hold exactly `files`; a file that is equal already is not touched, so that nothing is rebuilt
/// for it. Returns what changed.
///
/// # Errors
/// When `dir` cannot be read or written.
pub fn write(files: &Files, dir: &Path) -> Result<Vec<Drift>, Error> {
    fs::create_dir_all(dir).map_err(|source| failed("create", dir, source))?;
    let drift = compare(files, dir)?;
    for change in &drift {
        match change {
            Drift::Missing(name) | Drift::Changed(name) => {
                let path = dir.join(name);
                // compare() takes the names of Missing and Changed from `files`, so the index exists.
                fs::write(&path, &files[name]).map_err(|source| failed("write", &path, source))?;
            }
            Drift::Leftover(name) => {
                let path = dir.join(name);
                fs::remove_file(&path).map_err(|source| failed("remove", &path, source))?;
            }
        }
    }
    Ok(drift)
}

/// Encodes the descriptors without comments and positions: reflection needs neither, and they are most of the
/// size.
pub(crate) fn descriptor_bytes(mut set: FileDescriptorSet) -> Vec<u8> {
    for file in &mut set.file {
        file.source_code_info = None;
    }
    set.encode_to_vec()
}

fn read_all(dir: &Path) -> Result<Files, Error> {
    let mut found = Files::new();
    if !dir.exists() {
        return Ok(found);
    }
    for entry in fs::read_dir(dir).map_err(|source| failed("list", dir, source))? {
        let path = entry.map_err(|source| failed("list", dir, source))?.path();
        let content = fs::read(&path).map_err(|source| failed("read", &path, source))?;
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Error::Path { path: path.clone() })?;
        found.insert(name.to_owned(), content);
    }
    Ok(found)
}

fn failed(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::File {
        action,
        path: path.to_owned(),
        source,
    }
}
