//! A user of the program: a home folder of its own, and the means to wait for what a run says.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    time::{Duration, Instant},
};

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// A home folder.
pub(crate) struct User {
    dir: tempfile::TempDir,
}

/// A `run` that goes on, and what it says on both streams.
pub(crate) struct Run {
    pub(crate) child: Child,
    lines: Receiver<String>,
    pub(crate) seen: Vec<String>,
}

impl User {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn home(&self) -> &Path {
        self.dir.path()
    }

    /// A file in the home folder; folders on the way are made.
    pub(crate) fn file(&self, path: &str, text: &str) -> PathBuf {
        let path = self.home().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The program with this home, under its own name.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.command_as(Path::new(env!("CARGO_BIN_EXE_outrigger")), args)
    }

    /// The program at another path.
    pub(crate) fn command_as(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home())
            .env("OUTRIGGER_RUN_DIR", self.home().join("registry"))
            .current_dir(self.home())
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn done(&self, args: &[&str]) -> Done {
        Done::of(self.command(args).output().unwrap())
    }

    /// Starts the program and listens to it.
    pub(crate) fn start(&self, args: &[&str]) -> Run {
        Run::start(&mut self.command(args))
    }
}

/// What the program said when it had ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A test that does not read keeps the program waiting, as a terminal would.
        let (sender, lines) = sync_channel(1024);
        let pipes: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for pipe in pipes {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        Self {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// Waits for a line that contains `part`, and returns it.
    pub(crate) fn line(&mut self, part: &str) -> String {
        if let Some(line) = self.seen.iter().find(|line| line.contains(part)) {
            return line.clone();
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self
                .lines
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(part) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("no line with {part:?} in time: {:#?}", self.seen),
                Err(RecvTimeoutError::Disconnected) => panic!("ended without {part:?}: {:#?}", self.seen),
            }
        }
    }

    /// The port behind `name` in the line in which the start is told.
    pub(crate) fn port(&mut self, name: &str) -> u16 {
        let line = self.line(name);
        let digits: String = line
            .split_once(name)
            .unwrap()
            .1
            .trim_start_matches([':', ' '])
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        digits.parse().unwrap()
    }

    pub(crate) fn signal(&self, signal: &str) {
        kill(signal, self.child.id());
    }

    /// Waits for the end, and for the last line.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        let status = eventually("the end of the run", deadline, || self.child.try_wait().unwrap());
        while let Ok(line) = self
            .lines
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            self.seen.push(line);
        }
        status
    }

    pub(crate) fn saw(&self, part: &str) -> bool {
        self.seen.iter().any(|line| line.contains(part))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // Its guard ends what it has started.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process.
pub(crate) fn kill(signal: &str, pid: u32) {
    let status = Command::new("kill").args([signal, &pid.to_string()]).status();
    assert!(status.unwrap().success(), "kill {signal} {pid}");
}

/// Asks until there is an answer.
pub(crate) fn eventually<T>(what: &str, deadline: Instant, mut ask: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// Waits until a process has ended.
pub(crate) fn gone(pid: u32) {
    eventually(
        &format!("the end of process {pid}"),
        Instant::now() + PATIENCE,
        || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok();
            let ended = stat.is_none_or(|stat| {
                stat.rsplit_once(") ")
                    .is_some_and(|(_, rest)| rest.starts_with('Z'))
            });
            ended.then_some(())
        },
    );
}

/// The number at the end of a line.
pub(crate) fn number(line: &str) -> u32 {
    let digits = line
        .rsplit(|c: char| !c.is_ascii_digit())
        .find(|part| !part.is_empty());
    digits
        .unwrap_or_else(|| panic!("no number in {line:?}"))
        .parse()
        .unwrap()
}

/// What the list says of the sidecar of an app, once it is there.
pub(crate) fn sidecar_of(user: &User, app_id: &str) -> Option<serde_json::Value> {
    let done = user.done(&["list", "-o", "json"]);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&done.out).unwrap();
    rows.into_iter().find(|row| row["appId"] == app_id)
}

/// A process id in the list.
pub(crate) fn pid(row: &serde_json::Value, key: &str) -> u32 {
    u32::try_from(row[key].as_u64().unwrap()).unwrap()
}
