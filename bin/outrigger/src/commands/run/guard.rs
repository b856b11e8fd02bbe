//! Nothing that `run` starts outlives it, even if it is killed: a small process of the same program watches.
//!
//! The guard holds the reading end of a pipe whose writing end only `run` has. It is told of every process group that
//! is started and that has ended. When `run` dies, in whatever way, the kernel closes the pipe, and the guard ends the
//! groups that are left: first with a word, then by force. It has a process group of its own, so that a Ctrl-C of the
//! terminal does not reach it.

use std::{
    collections::BTreeSet,
    io::{self, BufRead, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{ChildStdin, Command, ExitCode, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use super::GUARD;

/// How long groups have to end after the word: as long as `run` itself gives.
const GRACE: Duration = Duration::from_secs(5);
/// Between two looks at a group. The kernel tells only of children.
const LOOK: Duration = Duration::from_millis(20);
/// What stands before the number of a group that was started, or has ended.
const STARTED: &str = "+";
const ENDED: &str = "-";

/// The guard, as `run` sees it.
#[derive(Debug, Clone)]
pub(crate) struct Guard(Arc<Mutex<ChildStdin>>);

impl Guard {
    /// Starts a guard from the program at `program`.
    pub(crate) fn start(program: &Path) -> io::Result<Self> {
        let mut child = Command::new(program)
            .arg(GUARD)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        // It ends when the pipe is closed, at the latest when this process ends.
        let pipe = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self(Arc::new(Mutex::new(pipe))))
    }

    /// Tells of a group that was started.
    pub(crate) fn watch(&self, group: Pid) {
        self.tell(STARTED, group);
    }

    /// Tells of a group in which nothing is left.
    pub(crate) fn forget(&self, group: Pid) {
        self.tell(ENDED, group);
    }

    /// A few bytes never fill the pipe. A guard that is gone (somebody killed it) leaves this process to clean up by
    /// itself, as it does anyway unless it is killed too.
    fn tell(&self, what: &str, group: Pid) {
        let line = format!("{what}{}\n", group.as_raw_nonzero());
        let mut pipe = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = pipe.write_all(line.as_bytes());
    }
}

/// The guard's own program: reads until the pipe is closed, and then ends what is left.
pub(crate) fn main() -> ExitCode {
    let left = remaining(io::stdin().lock());
    if left.is_empty() {
        return ExitCode::SUCCESS;
    }
    match crate::commands::block_on(end(left)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The groups that were started and have not ended when the reader does.
fn remaining(reader: impl BufRead) -> BTreeSet<i32> {
    let mut groups = BTreeSet::new();
    for line in reader.lines().map_while(Result::ok) {
        let group = |text: &str| text.parse::<i32>().ok();
        if let Some(started) = line.strip_prefix(STARTED).and_then(group) {
            groups.insert(started);
        } else if let Some(ended) = line.strip_prefix(ENDED).and_then(group) {
            groups.remove(&ended);
        }
    }
    groups
}

async fn end(groups: BTreeSet<i32>) {
    let groups: Vec<_> = groups.into_iter().filter_map(Pid::from_raw).collect();
    let all = |signal| {
        for group in &groups {
            // A group that is gone needs no signal.
            let _ = kill_process_group(*group, signal);
        }
    };
    all(Signal::TERM);
    let gone = async {
        while groups.iter().any(|group| test_kill_process_group(*group).is_ok()) {
            tokio::time::sleep(LOOK).await;
        }
    };
    if tokio::time::timeout(GRACE, gone).await.is_err() {
        all(Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_started_and_has_not_ended_is_left() {
        let told = "+12\n+13\nnonsense\n-12\n+14\n-99\n+";
        assert_eq!(
            remaining(told.as_bytes()).into_iter().collect::<Vec<_>>(),
            [13, 14]
        );
    }
}
