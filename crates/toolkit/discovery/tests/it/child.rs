//! Another process of this program.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// What a child says when it has announced itself.
const READY: &str = "CHILD-READY";

/// A process that plays the part `role`; it is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    /// Closed by [`Process::finish`], which ends the child in good order.
    stdin: Option<ChildStdin>,
    /// Kept open, since a child that cannot write its last words fails.
    stdout: BufReader<ChildStdout>,
}

impl Process {
    /// Starts the ignored test `role` in another process, and waits until it says that it is ready.
    /// `before` are words put in front of the command, such as those that choose a network namespace.
    pub(crate) fn start(before: &[&str], role: &str, variables: &[(&str, &str)]) -> Self {
        let program = env::current_exe().unwrap();
        let words: Vec<&std::ffi::OsStr> = before
            .iter()
            .map(AsRef::as_ref)
            .chain([program.as_os_str()])
            .collect();
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .args(["--exact", role, "--ignored", "--nocapture"])
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let ready = stdout
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .any(|line| line.contains(READY));
        assert!(ready, "{role} ended before it was ready");
        Self { child, stdin, stdout }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the process as an accident does, and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Lets the process end in good order.
    pub(crate) fn finish(mut self) {
        drop(self.stdin.take());
        self.stdout.read_to_end(&mut Vec::new()).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In a child: says that it is ready.
pub(crate) fn ready() {
    let mut out = std::io::stdout();
    writeln!(out, "{READY}").unwrap();
    out.flush().unwrap();
}

/// In a child: waits until the parent closes the input.
pub(crate) async fn until_told() {
    let wait = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    wait.await.unwrap().unwrap();
}

/// In a child: what the parent wants of it.
pub(crate) fn variable(name: &str) -> String {
    env::var(name).unwrap()
}
