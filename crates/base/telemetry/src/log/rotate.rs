//! A log file that is set aside when it is full.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use outrigger_base_clock::Clock;

use crate::go::Layout;

/// How long a rotation that failed is left alone, in bytes written: trying again on each line would cost a system call
/// per line for nothing.
const RETRY_AFTER_BYTES: u64 = 1024 * 1024;

/// Between the name of the file and its ending: when it was set aside, in UTC, without colons for the sake of other
/// systems.
const STAMP: &str = "2006-01-02T15-04-05.000";

/// When a log file is set aside and how long what was set aside is kept. By default a file grows freely.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotation {
    /// A file is set aside before it exceeds this many bytes; `None` lets it grow.
    pub max_size_bytes: Option<u64>,
    /// Keep at most this many old files; `None` keeps all.
    pub max_backups: Option<usize>,
    /// Delete old files after this time; `None` keeps them.
    pub max_age: Option<Duration>,
}

/// Appends to a file. `app.log` is set aside as `app-2026-02-03T04-05-06.007.log` beside it.
#[derive(Debug)]
pub(super) struct RotatingFile {
    path: PathBuf,
    rotation: Rotation,
    clock: Arc<dyn Clock>,
    file: File,
    size: u64,
    /// The size from which on the next rotation is tried.
    limit: u64,
}

impl RotatingFile {
    pub(super) fn open(path: PathBuf, rotation: Rotation, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let file = append_to(&path)?;
        let size = file.metadata()?.len();
        let limit = rotation.max_size_bytes.unwrap_or(u64::MAX);
        let this = Self {
            path,
            rotation,
            clock,
            file,
            size,
            limit,
        };
        this.prune();
        Ok(this)
    }

    /// Sets the file aside. Should that fail, the old file is written to: a line is worth more than a limit.
    fn rotate(&mut self) {
        let stamp = self.stamp();
        let set_aside = || -> io::Result<File> {
            fs::rename(&self.path, free_name(&self.path, &stamp))?;
            append_to(&self.path)
        };
        match set_aside() {
            Ok(file) => {
                self.file = file;
                self.size = 0;
                self.limit = self.rotation.max_size_bytes.unwrap_or(u64::MAX);
                self.prune();
            }
            Err(_) => self.limit = self.size.saturating_add(RETRY_AFTER_BYTES),
        }
    }

    fn stamp(&self) -> String {
        stamp_of(self.clock.now())
    }

    /// Deletes what is too old or too much. What cannot be deleted stays for the next time.
    fn prune(&self) {
        if self.rotation.max_backups.is_none() && self.rotation.max_age.is_none() {
            return;
        }
        let oldest = self.rotation.max_age.map(|age| {
            let age = jiff::SignedDuration::try_from(age).unwrap_or(jiff::SignedDuration::MAX);
            stamp_of(self.clock.now().checked_sub(age).unwrap_or(Timestamp::MIN))
        });
        let mut backups = backups(&self.path);
        // The stamps sort as times do; the newest come first.
        backups.sort_unstable_by(|a, b| b.cmp(a));
        for (i, (stamp, path)) in backups.into_iter().enumerate() {
            let surplus = self.rotation.max_backups.is_some_and(|max| i >= max);
            if surplus || oldest.as_ref().is_some_and(|oldest| stamp < *oldest) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

impl Write for RotatingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let next = self.size.saturating_add(bytes.len() as u64);
        if next > self.limit && self.size > 0 {
            self.rotate();
        }
        let written = self.file.write(bytes)?;
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn stamp_of(time: Timestamp) -> String {
    let mut text = String::new();
    if let Ok(layout) = Layout::parse(STAMP) {
        layout.write(&mut text, time, &TimeZone::UTC);
    }
    text
}

/// `app-` and `.log` of `app.log`.
fn name_parts(path: &Path) -> (String, String) {
    let part = |text: Option<&std::ffi::OsStr>| text.map(|text| text.to_string_lossy().into_owned());
    let stem = part(path.file_stem()).unwrap_or_default() + "-";
    let ending = part(path.extension())
        .map(|ending| format!(".{ending}"))
        .unwrap_or_default();
    (stem, ending)
}

/// A name nobody has, also when two rotations fall into one millisecond.
fn free_name(path: &Path, stamp: &str) -> PathBuf {
    let (stem, ending) = name_parts(path);
    let name = |n: u32| match n {
        0 => path.with_file_name(format!("{stem}{stamp}{ending}")),
        n => path.with_file_name(format!("{stem}{stamp}.{n:04}{ending}")),
    };
    (0..)
        .map(name)
        .find(|path| !path.exists())
        .unwrap_or_else(|| name(0))
}

/// The files that were set aside, with their stamps.
fn backups(path: &Path) -> Vec<(String, PathBuf)> {
    let (stem, ending) = name_parts(path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let Ok(entries) = fs::read_dir(folder.unwrap_or_else(|| Path::new("."))) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let stamp = name.strip_prefix(&stem)?.strip_suffix(&ending)?.to_owned();
            is_stamp(&stamp).then(|| (stamp, entry.path()))
        })
        .collect()
}

/// Whether a text is a stamp, perhaps with a number behind it: other files of a similar name are not ours to delete.
fn is_stamp(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00-00-00.000";
    let Some((stamp, number)) = text.as_bytes().split_at_checked(FORM.len()) else {
        return false;
    };
    let fits = |(c, form): (&u8, &u8)| match form {
        b'0' => c.is_ascii_digit(),
        form => c == form,
    };
    let numbered =
        |rest: &[u8]| rest[0] == b'.' && rest.len() > 1 && rest[1..].iter().all(u8::is_ascii_digit);
    stamp.iter().zip(FORM).all(fits) && (number.is_empty() || numbered(number))
}
