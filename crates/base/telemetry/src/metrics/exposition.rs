//! The Prometheus text format, version 0.0.4.

use crate::go::write_float;

/// The media type of [`Registry::render`](super::Registry::render).
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The word after `# TYPE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets, sum and count.
    Histogram,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Writes metrics as text.
#[derive(Debug)]
pub struct Exposition<'a> {
    out: &'a mut String,
}

impl<'a> Exposition<'a> {
    /// Appends to `out`.
    pub fn new(out: &'a mut String) -> Self {
        Self { out }
    }

    /// Starts a family: its help and its type. Samples of the family follow.
    pub fn family(&mut self, name: &str, help: &str, kind: Kind) {
        self.out.push_str("# HELP ");
        self.out.push_str(name);
        self.out.push(' ');
        push_escaped(self.out, help, false);
        self.out.push_str("\n# TYPE ");
        self.out.push_str(name);
        self.out.push(' ');
        self.out.push_str(kind.word());
        self.out.push('\n');
    }

    /// A sample of the family with the given labels, which are escaped here and written in the order given.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.line(Sample::plain(name, &label_text(labels.iter().copied())), value);
    }

    /// A line with labels that were escaped before.
    pub(super) fn line(&mut self, sample: Sample<'_>, value: f64) {
        self.out.push_str(sample.name);
        self.out.push_str(sample.suffix);
        if !sample.labels.is_empty() || sample.bound.is_some() {
            self.out.push('{');
            self.out.push_str(sample.labels);
            if let Some(bound) = sample.bound {
                let comma = if sample.labels.is_empty() { "" } else { "," };
                self.out.push_str(comma);
                self.out.push_str("le=\"");
                write_float(self.out, bound);
                self.out.push('"');
            }
            self.out.push('}');
        }
        self.out.push(' ');
        write_float(self.out, value);
        self.out.push('\n');
    }
}

/// What stands before the value of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample<'a> {
    name: &'a str,
    suffix: &'static str,
    labels: &'a str,
    bound: Option<f64>,
}

impl<'a> Sample<'a> {
    pub(super) fn plain(name: &'a str, labels: &'a str) -> Self {
        Self::suffixed(name, "", labels)
    }

    pub(super) fn suffixed(name: &'a str, suffix: &'static str, labels: &'a str) -> Self {
        Self {
            name,
            suffix,
            labels,
            bound: None,
        }
    }

    pub(super) fn bucket(name: &'a str, labels: &'a str, bound: f64) -> Self {
        Self {
            name,
            suffix: "_bucket",
            labels,
            bound: Some(bound),
        }
    }
}

/// `a="x",b="y"`, escaped.
pub(super) fn label_text<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in labels {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(name);
        text.push_str("=\"");
        push_escaped(&mut text, value, true);
        text.push('"');
    }
    text
}

/// Backslashes and line feeds are escaped everywhere, quotes only inside label values.
fn push_escaped(out: &mut String, text: &str, quotes: bool) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            _ => out.push(c),
        }
    }
}
