//! What the audience sees: lines, and on a terminal colours and a bar that moves.

use std::{
    cell::Cell,
    io::{self, Write},
};

use outrigger_resource_manifest::ProcessEnv;

use crate::commands::Terminal;

/// Cells of a bar.
const BAR: usize = 24;
/// Back to the beginning of the line, and what is on it away.
const CLEAR: &str = "\r\x1b[2K";

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Bold,
    Dim,
    Good,
    Bad,
    Warm,
}

/// Writes to the standard output. A stream that is closed has nobody to be shown anything.
#[derive(Debug)]
pub(crate) struct Show {
    terminal: Terminal,
    quiet: bool,
    acts: Cell<u32>,
    /// Whether a bar stands on the current line.
    bar: Cell<bool>,
}

impl Show {
    /// Looks at the standard output: colours and bars are for terminals. Quiet, only the summary and failures are told.
    pub(crate) fn new(quiet: bool) -> Self {
        Self {
            terminal: Terminal::of_output(&ProcessEnv),
            quiet,
            acts: Cell::new(0),
            bar: Cell::new(false),
        }
    }

    /// A text in a style.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        let code = match style {
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Good => "32",
            Style::Bad => "31",
            Style::Warm => "33",
        };
        if self.terminal.colours {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// The heading of the next act.
    pub(crate) fn act(&self, title: &str) {
        self.acts.set(self.acts.get() + 1);
        let heading = format!("{}. {title}", self.acts.get());
        self.line(&format!("\n{}", self.paint(Style::Bold, &heading)));
    }

    /// A line.
    pub(crate) fn line(&self, text: &str) {
        if !self.quiet {
            self.write(&format!("{text}\n"));
        }
    }

    /// Something that went as it should.
    pub(crate) fn good(&self, text: &str) {
        self.line(&format!("   {} {text}", self.paint(Style::Good, "✓")));
    }

    /// Something that deserves attention.
    pub(crate) fn warm(&self, text: &str) {
        self.line(&format!("   {} {text}", self.paint(Style::Warm, "!")));
    }

    /// A line that is told even when quiet.
    pub(crate) fn tell(&self, text: &str) {
        self.write(&format!("{text}\n"));
    }

    /// How far something has come. It moves on a terminal; elsewhere nothing is written before [`Show::good`] tells the end.
    pub(crate) fn progress(&self, done: usize, all: usize, what: &str) {
        if self.quiet || !self.terminal.moves {
            return;
        }
        let full = (done * BAR).checked_div(all).unwrap_or(BAR).min(BAR);
        let bar = self.paint(Style::Good, &"━".repeat(full));
        let rest = self.paint(Style::Dim, &"━".repeat(BAR - full));
        self.write(&format!("   {bar}{rest} {done}/{all} {what}"));
        self.bar.set(true);
    }

    /// Takes the bar away.
    pub(crate) fn end_progress(&self) {
        self.write("");
    }

    fn write(&self, text: &str) {
        let clear = if self.bar.replace(false) { CLEAR } else { "" };
        let mut out = io::stdout().lock();
        let _ = write!(out, "{clear}{text}").and_then(|()| out.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals() {
        let mut show = Show::new(false);
        show.terminal.colours = false;
        assert_eq!(show.paint(Style::Good, "x"), "x");
        show.terminal.colours = true;
        assert_eq!(show.paint(Style::Good, "x"), "\x1b[32mx\x1b[0m");
    }
}
