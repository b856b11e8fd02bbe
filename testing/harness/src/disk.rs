//! A small disk, to be filled.

use std::{
    ffi::OsStr,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, Folder, Process};

/// Mounts the disk (`$2`) on a folder (`$1`), where only this process and its children see it, and becomes the program.
const MOUNT: &str = r#"mount -t tmpfs -o "$2" small-disk "$1" || exit 1; shift 2; exec "$@""#;

/// A disk of a few mebibytes that programs see in the place of a folder.
///
/// Each program that is run by [`SmallDisk::command`] has an empty one of its own, in a mount namespace of its own:
/// nobody else sees it, and it is gone when the program has ended. What is to outlive that, a log for example, belongs
/// elsewhere.
#[derive(Debug)]
pub struct SmallDisk {
    folder: Folder,
    mebibytes: u32,
}

impl SmallDisk {
    /// Room for this many mebibytes.
    pub fn new(mebibytes: u32) -> Result<Self, Error> {
        Ok(Self {
            folder: Folder::new("disk")?,
            mebibytes,
        })
    }

    /// Where the programs see it.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A command that runs `program` with the disk; give it to [`Process::spawn`]. Who is not
    /// root needs a system that lets users make namespaces.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("unshare");
        command
            .args(flags())
            .args(["sh", "-c", MOUNT, "sh"])
            .arg(self.path())
            .arg(self.size())
            .arg(program);
        command
    }

    /// What a line of shell begins with that runs a program with the disk.
    pub fn shell(&self) -> String {
        let (flags, path, size) = (flags().join(" "), self.path().display(), self.size());
        format!("unshare {flags} sh -c '{MOUNT}' sh '{path}' {size}")
    }

    /// The path of a file on the disk of a running program, for us who do not have the disk. Needs root.
    pub fn file_of(&self, program: &Process, name: &str) -> PathBuf {
        let root = Path::new("/proc").join(program.id().to_string()).join("root");
        let path = self.path().strip_prefix("/").unwrap_or_else(|_| self.path());
        root.join(path).join(name)
    }

    fn size(&self) -> String {
        format!("size={}m", self.mebibytes)
    }
}

fn flags() -> &'static [&'static str] {
    if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        &["--mount"]
    } else {
        &["--map-root-user", "--mount"]
    }
}
