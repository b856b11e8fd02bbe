//! A process that was started here, with everything that it starts: a process group.

use std::{fmt, io, process::ExitStatus, time::Duration};

use outrigger_base_task::TaskSet;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::{
    net::unix::pipe::Receiver,
    process::{Child, Command},
    time::{Instant, sleep},
};

use super::{
    guard::Guard,
    input, lines,
    orders::{Order, Orders},
    output::{Sink, Tag},
};
use crate::commands::talk::Stream;

/// Between two looks at a group whose first process has ended. The kernel tells only of children.
const LOOK: Duration = Duration::from_millis(20);
/// How long the last output may take to be written once the end is ordered. Without an order, its reader decides.
const LAST_OUTPUT: Duration = Duration::from_secs(1);
/// Added to the number of a signal, to make the exit code that shells give.
const SIGNALLED: i32 = 128;

/// A process and its group.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    group: Pid,
    guard: Guard,
    ended: Option<Ended>,
    /// Copy its output and its input.
    pumps: TaskSet,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By itself, with this code.
    Exit(i32),
    /// By this signal.
    Signal(i32),
}

impl Process {
    /// Starts a process as the first of a group of its own. Dropped without [`Process::stop`], it is killed.
    pub(crate) fn start(command: &mut Command, guard: &Guard) -> io::Result<Self> {
        let child = command.process_group(0).kill_on_drop(true).spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        // A child that was just started has an id, and no id of Linux is beyond the type.
        let group = id.and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?;
        guard.watch(group);
        Ok(Self {
            child,
            group,
            guard: guard.clone(),
            ended: None,
            pumps: TaskSet::new("output"),
        })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> i32 {
        self.group.as_raw_nonzero().get()
    }

    /// Copies its output, where that is a pipe, line by line.
    pub(super) fn copy_output(&mut self, tag: Option<&Tag>, sink: &Sink) {
        let copies = (tag.cloned(), sink.clone(), self.pumps.signal().clone());
        if let Some(pipe) = self.child.stdout.take() {
            let (tag, sink, ended) = copies.clone();
            let copy = lines::copy(pipe, Stream::Out, tag, sink, ended);
            self.pumps.spawn("stdout", copy);
        }
        if let Some(pipe) = self.child.stderr.take() {
            let (tag, sink, ended) = copies;
            let copy = lines::copy(pipe, Stream::Err, tag, sink, ended);
            self.pumps.spawn("stderr", copy);
        }
    }

    /// Copies what is typed to its input, where that is a pipe.
    pub(super) fn copy_input(&mut self, terminal: Receiver) {
        if let Some(pipe) = self.child.stdin.take() {
            let copy = input::copy(terminal, pipe, self.pumps.signal().clone());
            self.pumps.spawn("stdin", copy);
        }
    }

    /// Waits until the process itself has ended. May be dropped and asked again.
    pub(crate) async fn wait(&mut self) -> Ended {
        if let Some(ended) = self.ended {
            return ended;
        }
        // The only error is that the process is not ours; then there is nothing to wait for.
        let ended = self.child.wait().await.map_or(Ended::Exit(1), Ended::of);
        self.ended = Some(ended);
        ended
    }

    /// As [`Process::end`], and then waits for the last output.
    pub(crate) async fn stop(&mut self, grace: Duration, orders: &mut Orders) -> Ended {
        let ended = self.end(grace, orders).await;
        self.end_output(orders).await;
        ended
    }

    /// Ends the whole group: a word, and after `grace`, or on order, force. No reader of its output can delay it.
    pub(super) async fn end(&mut self, grace: Duration, orders: &mut Orders) -> Ended {
        if self.ended.is_none() {
            self.signal(Signal::TERM);
            let in_time = tokio::select! {
                ended = self.wait() => Some(ended),
                () = sleep(grace) => None,
                () = orders.kill() => None,
            };
            if in_time.is_none() {
                self.signal(Signal::KILL);
            }
        }
        let ended = self.wait().await;
        self.end_rest(grace, orders).await;
        ended
    }

    /// Waits until the last output is taken. A reader who takes none keeps nobody who wants to end: without an order
    /// this has no limit, so what else is to end must be told before, or meanwhile.
    pub(super) async fn end_output(&self, orders: &mut Orders) {
        self.pumps.stop();
        tokio::select! {
            () = self.pumps.wait() => {}
            () = orders.stopped_for(LAST_OUTPUT) => {}
        }
        self.pumps.close(Duration::ZERO).await;
    }

    /// Ends what is left of the group after its first process.
    async fn end_rest(&self, grace: Duration, orders: &Orders) {
        if self.is_left() {
            self.signal(Signal::TERM);
        }
        let deadline = Instant::now() + grace;
        while self.is_left() {
            if Instant::now() >= deadline || orders.now() == Order::Kill {
                self.signal(Signal::KILL);
                break;
            }
            sleep(LOOK).await;
        }
        self.guard.forget(self.group);
    }

    fn is_left(&self) -> bool {
        test_kill_process_group(self.group).is_ok()
    }

    /// A group that is gone needs no signal.
    fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.group, signal);
    }
}

impl Ended {
    fn of(status: ExitStatus) -> Self {
        use std::os::unix::process::ExitStatusExt;
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exit(code),
            (None, signal) => Self::Signal(signal.unwrap_or_default()),
        }
    }

    /// Whether it is a success.
    pub(super) fn is_success(self) -> bool {
        self == Self::Exit(0)
    }

    /// The exit code that a shell would give.
    pub(super) fn code(self) -> i32 {
        match self {
            Self::Exit(code) => code,
            Self::Signal(signal) => SIGNALLED + signal,
        }
    }

    /// Whether this is how a process ends that was told to, with nothing to complain of.
    pub(crate) fn is_obedient(self) -> bool {
        let told = [Signal::TERM, Signal::INT].map(|signal| SIGNALLED + signal.as_raw());
        self.is_success() || told.contains(&self.code())
    }
}

/// In the words of Go, which scripts match.
impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "exit status {code}"),
            Self::Signal(number) => match signal_name(*number) {
                Some(name) => write!(f, "signal: {name}"),
                None => write!(f, "signal: signal {number}"),
            },
        }
    }
}

fn signal_name(number: i32) -> Option<&'static str> {
    let names = [
        (Signal::HUP, "hangup"),
        (Signal::INT, "interrupt"),
        (Signal::QUIT, "quit"),
        (Signal::ABORT, "aborted"),
        (Signal::KILL, "killed"),
        (Signal::SEGV, "segmentation fault"),
        (Signal::PIPE, "broken pipe"),
        (Signal::TERM, "terminated"),
    ];
    names
        .iter()
        .find(|(signal, _)| signal.as_raw() == number)
        .map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_told_as_scripts_match_them() {
        assert_eq!(Ended::Exit(1).to_string(), "exit status 1");
        assert_eq!(Ended::Signal(9).to_string(), "signal: killed");
        assert_eq!(Ended::Signal(40).to_string(), "signal: signal 40");
        assert_eq!((Ended::Exit(3).code(), Ended::Signal(15).code()), (3, 143));
    }

    #[test]
    fn who_ends_when_told_has_not_failed() {
        for ended in [
            Ended::Exit(0),
            Ended::Exit(143),
            Ended::Exit(130),
            Ended::Signal(15),
            Ended::Signal(2),
        ] {
            assert!(ended.is_obedient(), "{ended}");
        }
        for ended in [Ended::Exit(1), Ended::Signal(9), Ended::Exit(137)] {
            assert!(!ended.is_obedient(), "{ended}");
        }
    }
}
