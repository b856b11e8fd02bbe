//! The broker's folder: where its files are, the lock that hands it from process to process, and who lives in it.
//!
//! ```text
//! broker.db, broker.db-wal, broker.db-shm   the messages
//! broker.lock                               held by whoever reads or writes the messages
//! members/<id>.alive                        locked by process <id> while it lives
//! members/<id>.bell                         its datagram socket: anything that arrives says "look"
//! members/<id>.life                         its stream socket: a connection ends when it dies
//! ```

use std::{
    fs::{self, File, TryLockError},
    io,
    os::{
        fd::AsRawFd,
        unix::{
            fs::DirBuilderExt,
            net::{UnixDatagram, UnixListener},
        },
    },
    path::{Path, PathBuf},
};

use outrigger_block_kit::OpenError;

/// Only the owner of the broker may read messages, ring or connect.
const FOLDER_MODE: u32 = 0o700;
/// The file of messages.
const DATABASE: &str = "broker.db";
/// What SQLite appends to its name for the log.
const WAL_SUFFIX: &str = "-wal";
/// The lock.
const LOCK: &str = "broker.lock";
/// The folder of processes.
const MEMBERS: &str = "members";

/// One process in the folder, by its number; numbers are never used twice.
pub(crate) type MemberId = i64;

/// A kind of file that a member has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Alive,
    Bell,
    Life,
}

const PARTS: [Part; 3] = [Part::Alive, Part::Bell, Part::Life];

/// The folder, open.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    members: PathBuf,
    /// Kept open so that a socket can be named through it: a socket's path is at most 107 bytes, a folder's may be more.
    members_handle: File,
}

/// What makes a process a member; it is one until this is dropped, by the kernel if need be: a locked file.
#[derive(Debug)]
pub(crate) struct Alive(#[expect(dead_code, reason = "held for its lock")] File);

/// Where a member is heard of.
#[derive(Debug)]
pub(crate) struct Sockets {
    /// Where others ring.
    pub(crate) bell: UnixDatagram,
    /// Where others connect to learn of this process's end.
    pub(crate) life: UnixListener,
}

impl Folder {
    /// Opens the folder and makes it where it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let members = path.join(MEMBERS);
        let open = || {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(FOLDER_MODE)
                .create(&members)?;
            File::open(&members)
        };
        let members_handle = open().map_err(|error| {
            OpenError::unavailable(format!("make the broker's folder {}", path.display()), error)
        })?;
        Ok(Self {
            path: path.to_owned(),
            members,
            members_handle,
        })
    }

    /// Where the folder is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the messages are.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// The write-ahead log of the messages; exists while any process has written and not closed.
    pub(crate) fn open_wal(&self) -> io::Result<File> {
        File::open(self.path.join(format!("{DATABASE}{WAL_SUFFIX}")))
    }

    /// Makes the names of new files in the folder durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    /// The lock, not held.
    pub(crate) fn lock(&self) -> io::Result<Lock> {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.path.join(LOCK))?;
        Ok(Lock(file))
    }

    /// Makes this process the member `id`. The caller holds the lock, so that nobody sees half a member.
    pub(crate) fn enter(&self, id: MemberId) -> io::Result<(Alive, Sockets)> {
        // A process that died before its number was committed leaves files, and the number is given again.
        self.remove(id);
        let alive = File::create(self.file(id, Part::Alive))?;
        alive.lock()?;
        let bell = UnixDatagram::bind(self.socket(id, Part::Bell))?;
        let life = UnixListener::bind(self.socket(id, Part::Life))?;
        bell.set_nonblocking(true)?;
        life.set_nonblocking(true)?;
        Ok((Alive(alive), Sockets { bell, life }))
    }

    /// Whether the member `id` lives. An answer that cannot be had counts as life: a lease is then waited for.
    pub(crate) fn is_alive(&self, id: MemberId) -> bool {
        let file = match File::open(self.file(id, Part::Alive)) {
            Ok(file) => file,
            Err(error) => return error.kind() != io::ErrorKind::NotFound,
        };
        match file.try_lock() {
            Ok(()) => false,
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Error(error)) => {
                tracing::warn!(member = id, %error, "cannot tell whether a process of the broker lives");
                true
            }
        }
    }

    /// Removes what a member had in the folder.
    pub(crate) fn remove(&self, id: MemberId) {
        for part in PARTS {
            if let Err(error) = fs::remove_file(self.file(id, part))
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(member = id, %error, "cannot remove a file of a gone process of the broker");
            }
        }
    }

    /// Where to ring for the member `id`.
    pub(crate) fn bell(&self, id: MemberId) -> PathBuf {
        self.socket(id, Part::Bell)
    }

    /// Where to learn of the end of the member `id`.
    pub(crate) fn life(&self, id: MemberId) -> PathBuf {
        self.socket(id, Part::Life)
    }

    fn file(&self, id: MemberId, part: Part) -> PathBuf {
        self.members.join(part.name(id))
    }

    /// A path of bounded length where the system has one, else the plain path.
    fn socket(&self, id: MemberId, part: Part) -> PathBuf {
        if cfg!(target_os = "linux") {
            PathBuf::from(format!(
                "/proc/self/fd/{}/{}",
                self.members_handle.as_raw_fd(),
                part.name(id)
            ))
        } else {
            self.file(id, part)
        }
    }
}

impl Part {
    fn name(self, id: MemberId) -> String {
        let suffix = match self {
            Self::Alive => "alive",
            Self::Bell => "bell",
            Self::Life => "life",
        };
        format!("{id}.{suffix}")
    }
}

/// The lock of the folder. Waiting for it is waiting in the kernel, which wakes one waiter when the holder lets go or
/// dies; nobody polls, and SQLite never finds its file busy.
#[derive(Debug)]
pub(crate) struct Lock(File);

/// The lock, held until this is dropped.
#[derive(Debug)]
pub(crate) struct Held<'a>(&'a File);

impl Lock {
    /// Waits for the lock.
    pub(crate) fn hold(&self) -> io::Result<Held<'_>> {
        loop {
            match self.0.lock() {
                Ok(()) => return Ok(Held(&self.0)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::error!(%error, "cannot release the lock of the broker's folder");
        }
    }
}
