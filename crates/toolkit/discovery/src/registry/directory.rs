//! The directory: its modes, writing an entry whole, and reading all entries that count.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use super::{
    Sharing, process,
    record::{FileName, Record},
};

/// The largest entry that is read, in bytes. Ours have a few hundred; a larger file is not an entry.
const ENTRY_LIMIT: u64 = 64 * 1024;

/// How many entries are read from one directory. Beyond it some instances are not seen, and a warning says so.
const ENTRIES_LIMIT: usize = 16 * 1024;

/// How long a draft is left alone; writing one takes well below a millisecond.
const DRAFT_LIFE: Duration = Duration::from_secs(60);

/// The sticky bit and all permissions, of a directory that all users share.
const SHARED_DIRECTORY: u32 = 0o1777;

/// A directory with entries.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    sharing: Sharing,
    /// The next number for an entry of ours.
    number: AtomicU64,
}

impl Directory {
    /// Makes the directory if need be, and checks that only those can write to it who should.
    pub(super) fn open(path: PathBuf, sharing: Sharing) -> io::Result<Self> {
        make(&path, sharing)?;
        check(&path, sharing)?;
        Ok(Self {
            path,
            sharing,
            number: AtomicU64::new(0),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// When an entry last came or went.
    pub(super) fn modified(&self) -> io::Result<SystemTime> {
        fs::metadata(&self.path)?.modified()
    }

    /// Adds an entry, whole or not at all, and returns its path.
    pub(super) fn write(&self, record: &Record) -> io::Result<PathBuf> {
        let text = serde_json::to_vec(record)?;
        loop {
            let number = self.number.fetch_add(1, Ordering::Relaxed);
            let name = FileName {
                pid: record.pid,
                start: record.process_start,
                number,
                draft: false,
            };
            let (entry, draft) = (
                self.path.join(name.text()),
                self.path.join(FileName { draft: true, ..name }.text()),
            );
            // Another registry of this process may count as we do: who makes the draft has the number, and
            // holds it until the entry exists.
            let published = match self.draft(&draft, &text) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Ok(()) if entry.exists() => Ok(false),
                Ok(()) => fs::rename(&draft, &entry).map(|()| true),
                Err(error) => Err(error),
            };
            if let Ok(true) = published {
                return Ok(entry);
            }
            // It may not have been made at all; what counts is why there is no entry.
            let _ = fs::remove_file(&draft);
            published?;
        }
    }

    fn draft(&self, path: &Path, text: &[u8]) -> io::Result<()> {
        let mode = match self.sharing {
            Sharing::User => 0o600,
            Sharing::Machine => 0o644,
        };
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)?;
        if self.sharing == Sharing::Machine {
            // The process's umask may have taken away what other users need.
            file.set_permissions(fs::Permissions::from_mode(mode))?;
        }
        file.write_all(text)
    }

    /// Reads every entry whose process runs where we do, and removes those whose process has ended.
    pub(super) fn scan(&self) -> io::Result<Vec<Record>> {
        let here = process::Namespaces::current();
        let mut records = Vec::new();
        for file in fs::read_dir(&self.path)? {
            let file = file?;
            let Some(name) = file.file_name().to_str().and_then(FileName::parse) else {
                continue;
            };
            if records.len() >= ENTRIES_LIMIT {
                tracing::warn!(directory = %self.path.display(), limit = ENTRIES_LIMIT, "too many registered instances, some are not seen");
                break;
            }
            match self.judge(&file.path(), name, &here) {
                Ok(Some(record)) => records.push(record),
                Ok(None) => {}
                // An entry that is withdrawn while we read is simply gone.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::debug!(file = %file.path().display(), %error, "not a readable registration");
                }
            }
        }
        Ok(records)
    }

    /// The entry in the file at `path`, if it counts here; removed if its process has ended.
    fn judge(&self, path: &Path, name: FileName, here: &process::Namespaces) -> io::Result<Option<Record>> {
        if name.draft {
            // No entry yet, and none to come if its process died over it.
            if !process::runs(name.pid, name.start) && self.is_abandoned(path)? {
                discard(path);
            }
            return Ok(None);
        }
        let (record, owner) = read(path)?;
        if record.pid != name.pid || record.process_start != name.start {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the file's name and content disagree",
            ));
        }
        let there = record.namespaces();
        if there.pid != here.pid {
            return Ok(None);
        }
        if !process::runs(record.pid, record.process_start) {
            discard(path);
            return Ok(None);
        }
        if self.sharing == Sharing::Machine && process::user_of(record.pid)? != owner {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "it names another user's process",
            ));
        }
        Ok((there.net == here.net).then_some(record))
    }

    /// Whether others came and went long after this draft was last written. A draft does not say whether its
    /// process lives in our process namespace, so that we do not find it proves nothing by itself.
    fn is_abandoned(&self, draft: &Path) -> io::Result<bool> {
        let written = fs::symlink_metadata(draft)?.modified()?;
        Ok(self
            .modified()?
            .duration_since(written)
            .is_ok_and(|age| age > DRAFT_LIFE))
    }
}

/// Reads an entry and tells who wrote it.
fn read(path: &Path) -> io::Result<(Record, u32)> {
    // Not following a link and not opening a pipe: in a shared directory others choose what lies there.
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a plain file"));
    }
    let file = File::open(path)?;
    let owner = file.metadata()?.uid();
    let mut text = Vec::new();
    file.take(ENTRY_LIMIT).read_to_end(&mut text)?;
    Ok((serde_json::from_slice(&text)?, owner))
}

/// Removes the entry of a process that has ended. In a shared directory only its owner can.
fn discard(path: &Path) {
    match fs::remove_file(path) {
        Ok(()) => {
            tracing::debug!(file = %path.display(), "removed the registration of a process that has ended");
        }
        Err(error) => {
            tracing::debug!(file = %path.display(), %error, "left the registration of a process that has ended");
        }
    }
}

fn make(path: &Path, sharing: Sharing) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) if sharing == Sharing::Machine => {
            fs::set_permissions(path, fs::Permissions::from_mode(SHARED_DIRECTORY))
        }
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn check(path: &Path, sharing: Sharing) -> io::Result<()> {
    let refuse = |reason: String| {
        let text = format!("{} cannot hold a registry: {reason}", path.display());
        Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
    };
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_dir() {
        return refuse("it is not a directory".to_owned());
    }
    let mode = metadata.mode() & 0o7777;
    match sharing {
        Sharing::User if metadata.uid() != process::own_user()? => refuse(format!(
            "it belongs to user {}, choose another path",
            metadata.uid()
        )),
        Sharing::User if mode & 0o022 != 0 => {
            refuse(format!("others can write to it (mode {mode:04o}), make it 0700"))
        }
        Sharing::Machine if mode & 0o002 != 0 && mode & 0o1000 == 0 => refuse(format!(
            "users can remove each other's entries (mode {mode:04o}), make it 1777"
        )),
        _ => Ok(()),
    }
}
