//! Which process an entry belongs to, and whether it still runs: read from `/proc`.

use std::{fs, io, os::unix::fs::MetadataExt};

/// A process that cannot be mistaken for a later one with the same id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    /// When it started, in clock ticks since the machine started.
    pub(super) start: u64,
    /// The process and the network namespace it lives in, as the kernel names them.
    pub(super) namespaces: Namespaces,
}

/// Where process ids and addresses mean something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Namespaces {
    pub(super) pid: Option<String>,
    pub(super) net: Option<String>,
}

impl Process {
    /// This process.
    pub(super) fn current() -> io::Result<Self> {
        Self::find(std::process::id())
    }

    /// The running process `pid`, which is taken to live in this process's namespaces.
    pub(super) fn find(pid: u32) -> io::Result<Self> {
        let start = start_of(pid)?.ok_or_else(|| io::Error::other(format!("process {pid} has ended")))?;
        Ok(Self {
            pid,
            start,
            namespaces: Namespaces::current(),
        })
    }
}

impl Namespaces {
    /// Those of this process; `None` for what cannot be read, which then matches only entries without it.
    pub(super) fn current() -> Self {
        let read = |kind: &str| {
            let link = fs::read_link(format!("/proc/self/ns/{kind}")).ok()?;
            Some(link.to_string_lossy().into_owned())
        };
        Self {
            pid: read("pid"),
            net: read("net"),
        }
    }
}

/// Whether the process `pid` that started at `start` still runs.
pub(super) fn runs(pid: u32, start: u64) -> bool {
    match start_of(pid) {
        Ok(found) => found == Some(start),
        // It runs, but we may not know more about it: believe the entry.
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    }
}

/// The user that the process runs as.
pub(super) fn user_of(pid: u32) -> io::Result<u32> {
    Ok(fs::metadata(format!("/proc/{pid}"))?.uid())
}

/// This process's user.
pub(super) fn own_user() -> io::Result<u32> {
    Ok(fs::metadata("/proc/self")?.uid())
}

/// The start time of process `pid`, or `None` when it ended and was not collected by its parent yet.
fn start_of(pid: u32) -> io::Result<Option<u64>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    parse_stat(&stat)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "unexpected form of /proc/<pid>/stat"))
}

/// Reads state and start time (fields 3 and 22) of a `stat` line; `Some(None)` when the process has ended.
/// The command name, field 2, may hold spaces and parentheses: what follows its last one counts.
fn parse_stat(stat: &str) -> Option<Option<u64>> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    let start = fields.nth(18)?.parse().ok()?;
    Some((!matches!(state, "Z" | "X" | "x")).then_some(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_whatever_the_command_is_called() {
        let rest = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20 21";
        assert_eq!(parse_stat(&format!("7 (a) S {rest}")), Some(Some(4242)));
        assert_eq!(parse_stat(&format!("7 (a) S) (b c) R {rest}")), Some(Some(4242)));
        assert_eq!(
            parse_stat(&format!("7 (a) Z {rest}")),
            Some(None),
            "a zombie has ended"
        );
        for text in [
            "",
            "7 (a",
            "7 (a) S 1 2",
            "7 (a) S a b c d e f g h i j k l m n o p q r s t",
        ] {
            assert_eq!(parse_stat(text), None);
        }
    }

    #[test]
    fn this_process_runs_and_a_later_one_with_its_id_would_be_another() {
        let own = Process::current().unwrap();
        assert!(runs(own.pid, own.start));
        assert!(!runs(own.pid, own.start + 1));
        assert_eq!(user_of(own.pid).unwrap(), own_user().unwrap());
    }
}
