//! Log files: `<folder of the app>/.dapr/logs/<app id>_app_<time>.log`, and `…_daprd_…` of its sidecar.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use jiff::{Timestamp, tz::TimeZone};

use super::output::LogFile;
use crate::commands::home::DAPR_DIR;

/// The folder of the logs, in the `.dapr` of an app.
const LOGS_DIR: &str = "logs";
/// The time in a file's name, which is that of this place.
const TIME: &str = "%Y%m%d%H%M%S";

/// Whose log it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whose {
    /// The app's.
    App,
    /// Its sidecar's.
    Daprd,
}

/// A log file that cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the log file {}", .path.display())]
pub(super) struct LogError {
    path: PathBuf,
    source: io::Error,
}

/// The folder of the logs of an app that runs in `dir`.
pub(super) fn folder(dir: &Path) -> PathBuf {
    dir.join(DAPR_DIR).join(LOGS_DIR)
}

/// Makes a log file. One that was made in the same second is written on.
pub(super) fn open(dir: &Path, app_id: &str, whose: Whose, now: Timestamp) -> Result<Arc<LogFile>, LogError> {
    let name = match whose {
        Whose::App => "app",
        Whose::Daprd => "daprd",
    };
    let time = now.to_zoned(TimeZone::system()).strftime(TIME).to_string();
    let path = folder(dir).join(format!("{app_id}_{name}_{time}.log"));
    let made = fs::create_dir_all(folder(dir))
        .and_then(|()| fs::File::options().create(true).append(true).open(&path));
    match made {
        Ok(file) => Ok(Arc::new(LogFile {
            path,
            file,
            failed: AtomicBool::new(false),
        })),
        Err(source) => Err(LogError { path, source }),
    }
}

/// A line without the sequences that colour it.
pub(super) fn without_colours(line: &[u8]) -> Vec<u8> {
    const START: &[u8] = b"\x1b[";
    let mut plain = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((first, after)) = rest.split_first() {
        match rest.strip_prefix(START).and_then(after_colour) {
            Some(behind) => rest = behind,
            None => {
                plain.push(*first);
                rest = after;
            }
        }
    }
    plain
}

/// What follows the numbers of a colour and their `m`.
fn after_colour(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes
        .iter()
        .position(|byte| !byte.is_ascii_digit() && *byte != b';')?;
    (bytes[end] == b'm').then(|| &bytes[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_go_and_everything_else_stays() {
        assert_eq!(without_colours(b"a\x1b[1;94mb\x1b[0mc\x1b[m"), b"abc");
        for kept in [
            &b"\x1b[2Kgone"[..],
            b"\x1b[1;94",
            b"plain \xff",
            b"\x1b",
            b"\x1b[",
        ] {
            assert_eq!(without_colours(kept), kept);
        }
    }

    #[test]
    fn files_are_where_daprs_are() {
        let dir = tempfile::tempdir().unwrap();
        let log = open(dir.path(), "orders", Whose::Daprd, Timestamp::UNIX_EPOCH).unwrap();
        let name = log.path.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(
            name.starts_with("orders_daprd_19") && name.ends_with(".log"),
            "{name}"
        );
        assert_eq!(log.path.parent().unwrap(), dir.path().join(".dapr/logs"));
        // The same second again.
        open(dir.path(), "orders", Whose::Daprd, Timestamp::UNIX_EPOCH).unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let error = open(
            &dir.path().join("file"),
            "orders",
            Whose::App,
            Timestamp::UNIX_EPOCH,
        )
        .unwrap_err();
        assert!(
            error.to_string().starts_with("cannot make the log file"),
            "{error}"
        );
    }
}
