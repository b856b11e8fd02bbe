//! The instances of one machine, as files of a directory.
//!
//! Every registered instance is one small JSON file, which appears whole (it is written beside and renamed)
//! and is removed when the instance withdraws. An instance that was killed could not do that; its entry is
//! recognised by the process id *and* the start time of the process, and removed by whoever sees it first.
//! No daemon, no multicast, no lock: a machine without a network resolves its own services.
//!
//! # What a reader pays
//!
//! Readers share a picture of the directory. At most every [`RegistryOptions::check_every`] one of them asks
//! for the directory's modification time and whether the processes it is about to name still run; all others
//! read memory. The directory is read again only when it changed.
//!
//! # Who may do what
//!
//! With [`Sharing::User`] directory and files belong to one user. With [`Sharing::Machine`] every user of the
//! machine can register and read; the directory is sticky, so nobody removes another's entry, and an entry
//! counts only if its file belongs to the user whose process it names. The directory's path is the caller's.
//!
//! # What is not listed
//!
//! Processes in another network namespace (their loopback is not ours) or in another process namespace (whether
//! they run cannot be told) are left alone and not listed.

mod directory;
mod process;
mod record;
#[cfg(test)]
mod tests;
mod view;

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use self::{directory::Directory, process::Process, record::Record, view::View};
use crate::{BoxFuture, Endpoints, Error, Instance, Name, NameRef, Register, Registration, Resolve};

const RESOLVER: &str = "the machine's registry";

/// A registry in a directory. Cheap to clone; clones share what they know.
#[derive(Clone, Debug)]
pub struct Registry {
    view: Arc<View>,
    started: Option<SystemTime>,
}

/// How a registry is opened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RegistryOptions {
    /// Whose processes share the directory. Default: those of one user.
    pub sharing: Sharing,
    /// How old the picture of the directory may be. Default: 100 ms, which costs ten `stat` calls a second
    /// under load and is the longest time that a new or killed instance goes unseen.
    pub check_every: Duration,
    /// The wall time that entries give as the start of this instance, for people who list them. Default: none.
    pub started: Option<SystemTime>,
}

/// Whose processes share a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// One user's: directory mode 0700, file mode 0600.
    User,
    /// Everybody's on the machine: directory mode 1777 (sticky), file mode 0644.
    Machine,
}

/// An entry, for programs that list what runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Registered {
    /// The service and where this instance of it listens.
    pub instance: Instance,
    /// The process that registered it.
    pub pid: u32,
    /// When the instance says it was started.
    pub started: Option<SystemTime>,
}

// === impl RegistryOptions ===

impl Default for RegistryOptions {
    fn default() -> Self {
        Self {
            sharing: Sharing::User,
            check_every: Duration::from_millis(100),
            started: None,
        }
    }
}

// === impl Registry ===

impl Registry {
    /// Opens the registry in `directory`, and makes the directory if it does not exist.
    ///
    /// # Errors
    ///
    /// When the directory cannot be made, is not a directory, belongs to somebody it should not, or lets
    /// others do what the sharing does not allow; the message names the mode that is expected.
    pub fn open(directory: impl Into<PathBuf>, options: RegistryOptions) -> io::Result<Self> {
        let directory = Directory::open(directory.into(), options.sharing)?;
        Ok(Self {
            view: Arc::new(View::new(directory, options.check_every)),
            started: options.started,
        })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.view.directory().path()
    }

    /// Every instance that is registered and runs, by name and address. Reads the directory: blocks briefly.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read.
    pub fn list(&self) -> io::Result<Vec<Registered>> {
        let mut all: Vec<Registered> = self
            .view
            .directory()
            .scan()?
            .into_iter()
            .map(|record| registered(&record))
            .collect();
        all.sort_by(|a, b| {
            let key = |entry: &Registered| (entry.instance.name.clone(), entry.instance.endpoint.address);
            key(a).cmp(&key(b))
        });
        Ok(all)
    }

    fn record(&self, instance: &Instance) -> io::Result<Record> {
        let started = self.started.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        Ok(Record::new(
            instance,
            Process::current()?,
            started.map(|since| since.as_millis()),
        ))
    }
}

fn registered(record: &Record) -> Registered {
    Registered {
        instance: Instance {
            name: record.name(),
            endpoint: record.endpoint(),
        },
        pid: record.pid,
        started: record
            .started_unix_ms
            .map(|ms| UNIX_EPOCH + Duration::from_millis(ms)),
    }
}

/// Runs file-system work where it may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(io::Error::other(error)),
    }
}

impl Resolve for Registry {
    fn resolve<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<Endpoints, Error>> {
        Box::pin(async move {
            if let Some(endpoints) = self.view.cached(name.into()) {
                return Ok(endpoints);
            }
            if self.view.must_be_read() {
                let view = self.view.clone();
                let read = blocking(move || view.read_again()).await;
                read.map_err(|error| Error::Unavailable {
                    name: name.clone(),
                    resolver: RESOLVER,
                    source: Arc::new(error),
                })?;
            }
            self.view.known(name.into()).ok_or_else(|| Error::NotFound {
                name: name.clone(),
                resolver: RESOLVER,
            })
        })
    }

    fn cached(&self, name: NameRef<'_>) -> Option<Endpoints> {
        self.view.cached(name)
    }

    fn evict(&self, _name: NameRef<'_>, _address: SocketAddr) {
        // Whether it still runs is seen in its process: look now, and not at the next check.
        self.view.distrust();
    }
}

impl Register for Registry {
    fn register<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Result<Registration, Error>> {
        Box::pin(async move {
            let fail = |error| Error::Register {
                name: instance.name.clone(),
                resolver: RESOLVER,
                source: Arc::new(error),
            };
            let record = self.record(instance).map_err(fail)?;
            let view = self.view.clone();
            let file = blocking(move || view.directory().write(&record))
                .await
                .map_err(fail)?;
            self.view.distrust();
            let view = self.view.clone();
            Ok(Registration::new(move || {
                if let Err(error) = std::fs::remove_file(&file) {
                    tracing::warn!(file = %file.display(), %error, "could not remove a registration; it counts until this process ends");
                }
                view.distrust();
                Box::pin(async {})
            }))
        })
    }
}
