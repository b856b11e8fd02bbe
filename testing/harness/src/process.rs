//! Child processes that do not outlive their test.

use std::{
    fmt,
    io::{self, BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use tokio::{sync::Notify, time::timeout};

use crate::{Error, eventually::Check};

/// Lines of output that are kept; the oldest go first. Enough for any test, small enough for a server that is chatty.
const KEPT_LINES: usize = 10_000;

/// How often an end is looked for.
const EXIT_POLL: Duration = Duration::from_millis(5);

/// A running program: killed and reaped when this is dropped, its output kept in memory.
///
/// It does not outlive the test's process either, however that ends: a watcher kills it when our end of a pipe closes.
pub struct Process {
    program: String,
    child: Child,
    /// There until the program ended, whose id may be another's after that.
    watcher: Option<Child>,
    output: Arc<Output>,
}

/// The watcher: waits for the end of its input, then kills the process named by its argument.
const WATCHER: &str = r#"trap "" INT TERM HUP; read -r _; kill -9 "$0""#;

/// A signal for a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// `SIGTERM`: please end.
    Terminate,
    /// `SIGINT`: as ctrl-c.
    Interrupt,
    /// `SIGHUP`: read the configuration again.
    Hangup,
    /// `SIGSTOP`: hang, without ending.
    Stop,
    /// `SIGCONT`: go on after a stop.
    Continue,
}

#[derive(Default)]
struct Output {
    lines: Mutex<Vec<String>>,
    changed: Notify,
}

impl Process {
    /// Starts `command` with its output captured. `package` is the Debian package to name when the program is missing.
    pub fn spawn(command: &mut Command, package: &'static str) -> Result<Self, Error> {
        let program = command.get_program().to_string_lossy().into_owned();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::Missing {
                program: program.clone(),
                package,
            },
            _ => Error::io(format!("start {program}"), error),
        })?;
        let output = Arc::new(Output::default());
        if let Some(stdout) = child.stdout.take() {
            capture(stdout, output.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            capture(stderr, output.clone());
        }
        let mut process = Self {
            program,
            child,
            watcher: None,
            output,
        };
        process.watcher = Some(watch(process.id())?);
        Ok(process)
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far on both its outputs, a line each.
    pub fn lines(&self) -> Vec<String> {
        self.output.snapshot()
    }

    /// Waits until a line that contains `text` was printed (before this call counts), and gives that line.
    pub async fn wait_for_line(&self, text: &str, deadline: Duration) -> Result<String, Error> {
        timeout(deadline, self.output.line_with(text))
            .await
            .map_err(|_| self.late(format!("did not print {text:?}"), deadline))
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten();
        if status.is_some() {
            self.unwatch();
        }
        status
    }

    /// Waits for its end.
    pub async fn wait(&mut self, deadline: Duration) -> Result<ExitStatus, Error> {
        let end = tokio::time::Instant::now() + deadline;
        loop {
            if let Ok(status) = self.ended().check() {
                return Ok(status);
            }
            if tokio::time::Instant::now() >= end {
                return Err(self.late("did not end".to_owned(), deadline));
            }
            tokio::time::sleep(EXIT_POLL).await;
        }
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<(), Error> {
        let name = match signal {
            Signal::Terminate => "TERM",
            Signal::Interrupt => "INT",
            Signal::Hangup => "HUP",
            Signal::Stop => "STOP",
            Signal::Continue => "CONT",
        };
        run(
            Command::new("kill").args(["-s", name, &self.id().to_string()]),
            "procps",
        )
        .map(drop)
    }

    /// Asks it to end and waits until it did.
    pub async fn terminate(&mut self, deadline: Duration) -> Result<ExitStatus, Error> {
        if let Some(status) = self.ended() {
            return Ok(status);
        }
        self.signal(Signal::Terminate)?;
        self.wait(deadline).await
    }

    /// Kills it (`SIGKILL`) and reaps it.
    pub fn kill(&mut self) {
        // It may have ended already; then there is nothing to kill, and reaping it is right all the same.
        let _ = self.child.kill();
        self.unwatch();
        let _ = self.child.wait();
    }

    fn unwatch(&mut self) {
        if let Some(mut watcher) = self.watcher.take() {
            let _ = watcher.kill();
            let _ = watcher.wait();
        }
    }

    fn late(&self, what: String, deadline: Duration) -> Error {
        Error::Late {
            program: self.program.clone(),
            id: self.id(),
            what,
            deadline,
            output: self.lines().join("\n"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("program", &self.program)
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}

impl Output {
    fn snapshot(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn push(&self, line: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= KEPT_LINES {
            lines.drain(..KEPT_LINES / 2);
        }
        lines.push(line);
        drop(lines);
        self.changed.notify_waiters();
    }

    async fn line_with(&self, text: &str) -> String {
        loop {
            // Registered before the look, so that a line that comes between the two is not missed.
            let changed = self.changed.notified();
            let found = {
                let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
                lines.iter().find(|line| line.contains(text)).cloned()
            };
            match found {
                Some(line) => return line,
                None => changed.await,
            }
        }
    }
}

fn watch(id: u32) -> Result<Child, Error> {
    Command::new("sh")
        .args(["-c", WATCHER, &id.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| Error::io("start the watcher of a process", error))
}

/// Reads one output to its end on a thread of its own; the thread ends when the last holder of the pipe does.
fn capture(pipe: impl Read + Send + 'static, output: Arc<Output>) {
    thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            output.push(String::from_utf8_lossy(&line).trim_end().to_owned());
            line.clear();
        }
    });
}

/// Runs a command to its end; what it printed, or why it failed.
pub(crate) fn run(command: &mut Command, package: &'static str) -> Result<String, Error> {
    let text = format!("{command:?}");
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::Missing {
                program: command.get_program().to_string_lossy().into_owned(),
                package,
            },
            _ => Error::io(text.clone(), error),
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Error::Command {
        command: text,
        output: format!(
            "{}: {}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr).trim_end()
        ),
    })
}
