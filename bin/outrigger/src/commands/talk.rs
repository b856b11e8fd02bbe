//! What the program itself says: marked lines, or JSON.
//!
//! Scripts and test suites match these lines, so the marks and the streams are those of Dapr's CLI: failures go to the
//! standard error, everything else to the standard output.

use std::io::Write;

use outrigger_base_clock::{Clock, SystemClock};
use serde::Serialize;

/// How a line is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Something was done.
    Success,
    /// Something failed.
    Failure,
    /// Something deserves attention.
    Warning,
    /// Something is told.
    Info,
    /// Something has begun.
    Pending,
}

/// One of the two streams of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stream {
    /// The standard output.
    Out,
    /// The standard error.
    Err,
}

/// How the program talks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Talk {
    json: bool,
}

#[derive(Serialize)]
struct JsonLine<'a> {
    time: String,
    status: &'static str,
    msg: &'a str,
}

impl Mark {
    /// The sign before a line, with the space behind it.
    fn sign(self) -> &'static str {
        match self {
            Self::Success => "✅  ",
            Self::Failure => "❌  ",
            Self::Warning => "⚠  ",
            Self::Info => "ℹ️  ",
            Self::Pending => "⌛  ",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Pending => "pending",
        }
    }

    /// Where lines of this mark go.
    pub(crate) fn stream(self) -> Stream {
        match self {
            Self::Failure => Stream::Err,
            Self::Success | Self::Warning | Self::Info | Self::Pending => Stream::Out,
        }
    }
}

impl Talk {
    /// Talks in marked lines, or in JSON.
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether it talks in JSON.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// A line for a terminal, ending with its line feed.
    pub(crate) fn line(self, mark: Mark, text: &str) -> String {
        if self.json {
            self.plain(mark, text)
        } else {
            format!("{}{text}\n", mark.sign())
        }
    }

    /// A line for a file: without a sign.
    pub(crate) fn plain(self, mark: Mark, text: &str) -> String {
        if !self.json {
            return format!("{text}\n");
        }
        let line = JsonLine {
            time: SystemClock.now().to_string(),
            status: mark.name(),
            msg: text,
        };
        // Three texts always are JSON; should they ever not be, the bare text is better than nothing.
        let json = serde_json::to_string(&line).unwrap_or_else(|_| text.to_owned());
        format!("{json}\n")
    }

    /// Says a line. A stream that is closed has nobody to be told.
    pub(crate) fn say(self, mark: Mark, text: &str) {
        let line = self.line(mark, text);
        let _ = match mark.stream() {
            Stream::Out => std::io::stdout().lock().write_all(line.as_bytes()),
            Stream::Err => std::io::stderr().lock().write_all(line.as_bytes()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_signs_that_scripts_match() {
        let talk = Talk::new(false);
        assert_eq!(
            talk.line(Mark::Success, "Exited App successfully"),
            "✅  Exited App successfully\n"
        );
        assert_eq!(talk.line(Mark::Info, "x"), "ℹ️  x\n");
        assert_eq!(talk.line(Mark::Warning, "x"), "⚠  x\n");
        assert_eq!(talk.plain(Mark::Failure, "x"), "x\n");
    }

    #[test]
    fn json_lines_have_time_status_and_text() {
        let line = Talk::new(true).line(Mark::Failure, "a \"b\"\nc");
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["status"], "failure");
        assert_eq!(value["msg"], "a \"b\"\nc");
        assert!(value["time"].as_str().unwrap().ends_with('Z'));
        assert_eq!(line.matches('\n').count(), 1);
    }
}
