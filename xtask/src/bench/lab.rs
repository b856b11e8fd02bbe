//! What a run needs: the programs, a folder, and how to start bare servers.

use std::{
    cell::Cell,
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use super::{
    failure::{Failure, Result, Tried},
    process::Process,
    programs::Programs,
};

/// The place where runs take place.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) programs: Programs,
    /// Logs, component files and databases; on the disk that the results are written to.
    pub(crate) folder: PathBuf,
    /// Counted seconds of a run.
    pub(crate) seconds: f64,
    /// Distinguishes the files of one run from those of the next.
    run: Cell<u32>,
}

/// A bare server and where it listens.
#[derive(Debug)]
pub(crate) struct Bare {
    pub(crate) process: Process,
    pub(crate) address: String,
}

impl Lab {
    pub(crate) fn new(programs: Programs, folder: PathBuf, seconds: f64) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(&folder).tried(|| format!("emptying {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).tried(|| format!("making {}", folder.display()))?;
        Ok(Self {
            programs,
            folder,
            seconds,
            run: Cell::new(0),
        })
    }

    /// The same place with shorter runs.
    pub(crate) fn with_seconds(&self, seconds: f64) -> Self {
        // A row of numbers of its own, so that its files do not meet the others'.
        let run = Cell::new(self.run.replace(self.run.get() + 1_000));
        Self {
            programs: self.programs.clone(),
            folder: self.folder.clone(),
            seconds,
            run,
        }
    }

    /// Seconds before counting begins.
    pub(crate) fn warmup(&self) -> f64 {
        (self.seconds / 4.0).max(0.5)
    }

    /// A new file or folder name.
    pub(crate) fn fresh(&self, name: &str) -> PathBuf {
        self.run.set(self.run.get() + 1);
        self.folder.join(format!("{:05}-{name}", self.run.get()))
    }

    /// Starts a server of the `limit` program.
    pub(crate) fn bare(&self, role: &str, args: &[&str]) -> Result<Bare> {
        let mut command = Command::new(&self.programs.limit);
        command.arg(role).args(args);
        let mut process = Process::start(role, &mut command, &self.fresh(&format!("{role}.log")))?;
        let address = process.listening()?;
        Ok(Bare { process, address })
    }
}

/// Two loops in the idle class, one a core, for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Spinners(Vec<Process>);

impl Spinners {
    pub(crate) fn start(limit: &Path, folder: &Path) -> Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let mut spinners = Vec::new();
        for core in 0..cores {
            let mut command = Command::new("taskset");
            command
                .args(["-c", &core.to_string(), "chrt", "-i", "0"])
                .arg(limit)
                .arg("spin");
            let mut spinner = Process::start(
                "spinner",
                &mut command,
                &folder.join(format!("spinner-{core}.log")),
            )?;
            thread::sleep(std::time::Duration::from_millis(50));
            spinner
                .check()
                .map_err(|error| Failure::new(format!("{error} (taskset and chrt come with util-linux)")))?;
            spinners.push(spinner);
        }
        Ok(Self(spinners))
    }

    pub(crate) fn pids(&self) -> impl Iterator<Item = u32> {
        self.0.iter().map(Process::pid)
    }
}
