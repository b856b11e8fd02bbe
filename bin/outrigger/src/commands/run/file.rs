//! The run file (`dapr.yaml`): several apps in one file, as Dapr's CLI reads it.
//!
//! What Dapr's CLI passes over in silence (an unknown field, a value that it cannot use) is refused here, with the
//! place and what was expected.

mod decode;
#[cfg(test)]
mod tests;

use std::{
    fmt, fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use outrigger_resource_manifest::is_yaml;

use super::{Request, RunFile};

/// The run file of a folder.
const FILE_NAME: &str = "dapr.yaml";
/// The path that stands for the standard input.
const STDIN: &str = "-";

/// Why a run file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunFileError {
    /// There is nothing at the path.
    #[error("error getting file info for {}", .path.display())]
    Missing { path: PathBuf, source: io::Error },
    /// The folder has no run file.
    #[error("there is no file {FILE_NAME} in the folder {}", .0.display())]
    NotInFolder(PathBuf),
    /// The file is something else.
    #[error("file {:?} is not a YAML file", .0.display().to_string())]
    NotYaml(PathBuf),
    /// It cannot be read.
    #[error("could not read the run file {}", .path.display())]
    Unread { path: PathBuf, source: io::Error },
    /// What is in it cannot be used.
    #[error("Error getting apps from config file: {} cannot be used, and nothing was started:\n{problems}", .path.display())]
    Unusable { path: PathBuf, problems: Problems },
}

/// Everything that is wrong, one thing a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Problems(pub(crate) Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let end = if index > 0 { "\n" } else { "" };
            write!(f, "{end}  {problem}")?;
        }
        Ok(())
    }
}

/// The run file that a path of the command line names: absolute and free of links, so that `stop` knows it again.
pub(crate) fn path(given: &Path) -> Result<PathBuf, RunFileError> {
    let missing = |source| RunFileError::Missing {
        path: given.to_owned(),
        source,
    };
    if given == Path::new(STDIN) {
        return std::path::absolute(given).map_err(missing);
    }
    let path = if fs::metadata(given).map_err(missing)?.is_dir() {
        let inside = given.join(FILE_NAME);
        if !inside.is_file() {
            return Err(RunFileError::NotInFolder(given.to_owned()));
        }
        inside
    } else if is_yaml(given) {
        given.to_owned()
    } else {
        return Err(RunFileError::NotYaml(given.to_owned()));
    };
    fs::canonicalize(path).map_err(missing)
}

/// Reads the run file that a path of the command line names.
pub(super) fn read(given: &Path) -> Result<Request, RunFileError> {
    let path = path(given)?;
    let text = if given == Path::new(STDIN) {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(&path)
    };
    let text = text.map_err(|source| RunFileError::Unread {
        path: path.clone(),
        source,
    })?;
    match decode::decode(&text, &path) {
        Ok((name, apps)) => Ok(Request {
            apps,
            file: Some(RunFile { path, name }),
        }),
        Err(problems) => Err(RunFileError::Unusable {
            path,
            problems: Problems(problems),
        }),
    }
}
