//! What children of the tests write down, a line per event, in a file that survives their death.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
};

use outrigger_base_clock::{Clock, SystemClock};

/// Microseconds since 1970.
pub(crate) fn now() -> i64 {
    SystemClock.now().as_microsecond()
}

/// A file of events: each is one write, whole or not there, and with the kernel when it returns.
pub(crate) struct Log(File);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) kind: String,
    pub(crate) at: i64,
    pub(crate) text: String,
}

impl Log {
    pub(crate) fn open(path: &Path) -> Self {
        Self(OpenOptions::new().create(true).append(true).open(path).unwrap())
    }

    pub(crate) fn write(&self, kind: &str, text: &str) {
        let line = format!("{kind} {} {}\n", now(), text.replace('\n', " "));
        (&self.0).write_all(line.as_bytes()).unwrap();
    }
}

/// The events of a file, in their order; a missing file has none.
pub(crate) fn read(path: &Path) -> Vec<Event> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let complete = text.rfind('\n').map_or("", |end| &text[..end]);
    complete
        .lines()
        .map(|line| {
            let mut parts = line.splitn(3, ' ');
            Event {
                kind: parts.next().unwrap().to_owned(),
                at: parts.next().unwrap().parse().unwrap(),
                text: parts.next().unwrap_or_default().to_owned(),
            }
        })
        .collect()
}
