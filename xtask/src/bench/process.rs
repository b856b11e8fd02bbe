//! Processes that end with their owner, and the ports that they are given.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::failure::{Failure, Result, Tried};

/// How long a bare server may take to say where it listens.
const LISTENING: Duration = Duration::from_secs(5);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(2);
/// Bytes at the end of a log that go into an error.
const TAIL: usize = 300;

/// A running program; killed and waited for when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Process {
    /// Starts a program that writes what it has to say into `log`.
    pub(crate) fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log).tried(|| format!("making {}", log.display()))?;
        let errors = file
            .try_clone()
            .tried(|| format!("opening {} twice", log.display()))?;
        command.stdin(Stdio::null()).stdout(file).stderr(errors);
        let child = command.spawn().tried(|| format!("starting {name}"))?;
        Ok(Self {
            child,
            name: name.to_owned(),
            log: log.to_owned(),
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Fails when the program has ended, with the end of its log.
    pub(crate) fn check(&mut self) -> Result<()> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.failure(&format!("ended with {status}"))),
            Err(error) => Err(self.failure(&error.to_string())),
        }
    }

    /// The address behind `listening`, which the bare servers print.
    pub(crate) fn listening(&mut self) -> Result<String> {
        let end = Instant::now() + LISTENING;
        while Instant::now() < end {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            if let Some(address) = log.lines().find_map(|line| line.strip_prefix("listening ")) {
                return Ok(address.to_owned());
            }
            self.check()?;
            thread::sleep(LOOK);
        }
        Err(self.failure("did not say where it listens"))
    }

    /// An error of this program, with the end of its log.
    pub(crate) fn failure(&self, what: &str) -> Failure {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let log = log.trim();
        let from = (log.len().saturating_sub(TAIL)..=log.len())
            .find(|at| log.is_char_boundary(*at))
            .unwrap_or(0);
        let log = log[from..].replace('\n', " ⏎ ");
        Failure::new(if log.is_empty() {
            format!("{} {what}", self.name)
        } else {
            format!("{} {what}: {log}", self.name)
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A program that has ended already cannot be killed, and needs no killing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ports that nobody uses now. They are free again when this returns, and taken at once by who was told.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut held = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind("127.0.0.1:0").tried(|| "finding a free port".to_owned())?;
        *port = listener
            .local_addr()
            .tried(|| "finding a free port".to_owned())?
            .port();
        held.push(listener);
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_program_is_told_with_its_log() {
        let log = std::env::temp_dir().join(format!("xtask-process-{}.log", std::process::id()));
        let mut command = Command::new("sh");
        command.args(["-c", "echo because; exit 3"]);
        let mut process = Process::start("it", &mut command, &log).unwrap();
        let error = process.listening().unwrap_err().to_string();
        assert!(error.contains("because") && error.contains('3'), "{error}");
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn ports_differ() {
        let ports: [u16; 4] = free_ports().unwrap();
        assert!(
            ports
                .iter()
                .enumerate()
                .all(|(at, port)| !ports[..at].contains(port))
        );
    }
}
