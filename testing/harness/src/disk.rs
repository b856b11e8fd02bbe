//! A small disk, to be filled.

use std::{ffi::OsStr, os::unix::fs::MetadataExt, path::Path, process::Command};

use crate::{Error, Folder};

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

    /// A command that runs `program` with the disk; give it to [`Process::spawn`](crate::Process::spawn). Who is not
    /// root needs a system that lets users make namespaces.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("unshare");
        if !std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
            command.arg("--map-root-user");
        }
        command
            .args(["--mount", "sh", "-c", MOUNT, "sh"])
            .arg(self.path())
            .arg(format!("size={}m", self.mebibytes))
            .arg(program);
        command
    }
}
