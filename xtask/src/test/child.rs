//! One command of a step: run with its output shown, its closing lines kept, and an end by a deadline.

use std::fmt;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A command to run.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// The program: a name in PATH or a path.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) args: Vec<String>,
    /// Where it runs.
    pub(crate) folder: PathBuf,
    /// What its environment has beside ours.
    pub(crate) env: Vec<(&'static str, String)>,
    /// Tells the lines with which a runner of tests closes; none for a command that runs no test.
    pub(crate) closing: Option<fn(&str) -> bool>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The runner's own closing lines.
    pub(crate) closing: Vec<String>,
    /// Why it failed.
    pub(crate) failure: Option<String>,
}

impl Job {
    /// A command without closing lines.
    pub(crate) fn new(program: impl Into<PathBuf>, args: &[&str], folder: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            folder: folder.into(),
            env: Vec::new(),
            closing: None,
        }
    }

    /// Adds a variable to its environment.
    pub(crate) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    /// Keeps the lines that `closing` tells. Without one the command has failed: a runner that ran no test proved nothing.
    pub(crate) fn closing(mut self, closing: fn(&str) -> bool) -> Self {
        self.closing = Some(closing);
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(&self.folder);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl fmt::Display for Job {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = self.program.file_name().unwrap_or(self.program.as_os_str());
        write!(out, "{}", program.to_string_lossy())?;
        self.args.iter().try_for_each(|arg| write!(out, " {arg}"))
    }
}

/// Runs `job`. After `deadline` it is ended with everything it started, and has failed.
pub(crate) fn run(job: &Job, deadline: Duration) -> io::Result<Ended> {
    let spawned = job.command().stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            return Ok(Ended {
                closing: Vec::new(),
                failure: Some(format!("does not start: {error}")),
            });
        }
    };
    let lines = child.stdout.take().map(|stdout| show(stdout, job.closing));
    let status = wait(&mut child, deadline)?;
    let closing = lines.and_then(|lines| lines.join().ok()).unwrap_or_default();
    let failure = match status {
        Some(status) if !status.success() => Some(status.to_string()),
        Some(_) if job.closing.is_some() && closing.is_empty() => Some("it ran no test".to_owned()),
        Some(_) => None,
        None => Some(format!("not done after {} minutes", deadline.as_secs() / 60)),
    };
    Ok(Ended { closing, failure })
}

/// True when `job` ends well; its output is not shown.
pub(crate) fn succeeds(job: &Job) -> bool {
    let mut command = job.command();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Passes the output on, line by line, and gives the closing lines at its end.
fn show(stdout: ChildStdout, closing: Option<fn(&str) -> bool>) -> thread::JoinHandle<Vec<String>> {
    thread::spawn(move || {
        let mut kept = Vec::new();
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            // When our own output is closed there is nobody to show it to; the command still runs to its end.
            let _ = writeln!(io::stdout(), "{line}");
            if closing.is_some_and(|closing| closing(&line)) {
                kept.push(line.into_owned());
            }
        }
        kept
    })
}

/// Waits for the end; none when the deadline came first and the command was killed.
fn wait(child: &mut Child, deadline: Duration) -> io::Result<Option<ExitStatus>> {
    /// How often to look: short beside any step, long beside the cost of looking.
    const LOOK: Duration = Duration::from_millis(100);
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if began.elapsed() >= deadline {
            kill_with_descendants(child.id());
            child.wait()?;
            return Ok(None);
        }
        thread::park_timeout(LOOK);
    }
}

/// Kills a process and all it started: a test program left behind would keep ports, and our pipe, open.
fn kill_with_descendants(process: u32) {
    let parents = parents();
    let mut family = vec![process];
    let mut at = 0;
    while at < family.len() {
        let children = parents
            .iter()
            .filter(|(_, parent)| *parent == family[at])
            .map(|(child, _)| *child);
        family.extend(children.collect::<Vec<_>>());
        at += 1;
    }
    let ids: Vec<String> = family.iter().map(u32::to_string).collect();
    // One that has ended in the meantime makes kill complain; the others are killed all the same.
    let _ = Command::new("kill")
        .arg("-KILL")
        .args(ids)
        .stderr(Stdio::null())
        .status();
}

/// Every process with its parent.
fn parents() -> Vec<(u32, u32)> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let ids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter_map(|id| {
        Some((
            id,
            parent_of(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)?,
        ))
    })
    .collect()
}

/// The parent in a line of `/proc/<id>/stat`; the name before it may hold spaces and brackets.
fn parent_of(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Job {
        Job::new("sh", &["-c", script], "/").closing(|line| line.starts_with("end"))
    }

    #[test]
    fn closing_lines_are_kept_and_failures_told() {
        let ended = run(
            &shell("echo begin; echo end 1; echo end 2"),
            Duration::from_secs(60),
        )
        .expect("runs");
        assert_eq!(ended.closing, ["end 1", "end 2"]);
        assert_eq!(ended.failure, None);
        let ended = run(&shell("echo end; exit 3"), Duration::from_secs(60)).expect("runs");
        assert_eq!(ended.closing, ["end"]);
        assert!(ended.failure.is_some_and(|failure| failure.contains('3')));
    }

    #[test]
    fn a_runner_that_ran_no_test_has_failed() {
        let ended = run(&shell("echo begin"), Duration::from_secs(60)).expect("runs");
        assert_eq!(ended.failure.as_deref(), Some("it ran no test"));
    }

    #[test]
    fn a_missing_program_is_a_failure_that_names_it() {
        let job = Job::new("no-such-program", &["x"], "/");
        let ended = run(&job, Duration::from_secs(60)).expect("told, not broken");
        assert!(
            ended
                .failure
                .is_some_and(|failure| failure.contains("does not start"))
        );
        assert_eq!(job.to_string(), "no-such-program x");
    }

    #[test]
    fn a_command_past_its_deadline_is_ended_with_what_it_started() {
        let began = Instant::now();
        // The grandchild holds the pipe: unless it is killed as well, reading would go on for its 600 seconds.
        let ended = run(&shell("echo end; sleep 600 & wait"), Duration::from_millis(300)).expect("runs");
        assert!(began.elapsed() < Duration::from_secs(60));
        assert_eq!(ended.closing, ["end"]);
        assert!(ended.failure.is_some_and(|failure| failure.contains("not done")));
    }

    #[test]
    fn the_parent_is_read_past_any_name() {
        assert_eq!(parent_of("12 (a) b) S 7 12 12 0"), Some(7));
        assert_eq!(parent_of("nonsense"), None);
    }
}
