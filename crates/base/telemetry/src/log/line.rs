//! One line: its fields gathered in an arena that a thread keeps, then laid out as logrus does.

use std::{
    error::Error,
    fmt::{self, Write as _},
    ops::Range,
};

use tracing::field::{Field, Visit};

use super::level::Level;
use crate::go::{push_json, push_quoted, write_float};

/// Keys that logrus writes itself; a field of such a name is renamed.
const KEY_TIME: &str = "time";
const KEY_LEVEL: &str = "level";
const KEY_MESSAGE: &str = "msg";
/// In front of a field with one of those names.
const RENAMED: &str = "fields.";
/// The field in which `tracing` keeps the message.
const MESSAGE_FIELD: &str = "message";
/// The field that makes an error fatal.
const FATAL_FIELD: &str = "fatal";

/// A thread's buffer; it allocates only until it has seen the longest line.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Keys and values, one after another.
    arena: String,
    fields: Vec<Entry>,
    message: Range<usize>,
    pub(super) fatal: bool,
    /// The line as it will be written.
    out: String,
}

#[derive(Debug, Clone)]
struct Entry {
    key: Range<usize>,
    value: Range<usize>,
    /// A number or a truth value: JSON writes it without quotes.
    bare: bool,
}

impl Line {
    pub(super) fn clear(&mut self) {
        self.arena.clear();
        self.fields.clear();
        self.message = 0..0;
        self.fatal = false;
        self.out.clear();
    }

    /// Adds a text field.
    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.add(key, false, |arena| arena.push_str(value));
    }

    /// Adds all fields of a span.
    pub(super) fn extend(&mut self, other: &SpanFields) {
        for (key, value, bare) in &other.0 {
            self.add(key, *bare, |arena| arena.push_str(value));
        }
    }

    /// Lays the line out as text, with the line feed.
    pub(super) fn text_line(&mut self, time: impl FnOnce(&mut String), level: Level) -> &str {
        let time = self.written(time);
        self.sort();
        let out = &mut self.out;
        push_pair(out, KEY_TIME, &self.arena[time]);
        out.push(' ');
        push_pair(out, KEY_LEVEL, level.word());
        let message = &self.arena[self.message.clone()];
        if !message.is_empty() {
            out.push(' ');
            push_pair(out, KEY_MESSAGE, message);
        }
        for field in &self.fields {
            out.push(' ');
            push_pair(
                out,
                &self.arena[field.key.clone()],
                &self.arena[field.value.clone()],
            );
        }
        out.push('\n');
        out
    }

    /// Lays the line out as JSON, with the line feed.
    pub(super) fn json_line(&mut self, time: impl FnOnce(&mut String), level: Level) -> &str {
        let key = self.written(|arena| arena.push_str(KEY_MESSAGE));
        self.fields.push(Entry {
            key,
            value: self.message.clone(),
            bare: false,
        });
        self.push(KEY_TIME, false, time);
        self.push(KEY_LEVEL, false, |arena| arena.push_str(level.word()));
        self.sort();
        let out = &mut self.out;
        let mut separator = '{';
        for field in &self.fields {
            out.push(separator);
            separator = ',';
            push_json(out, &self.arena[field.key.clone()]);
            out.push(':');
            let value = &self.arena[field.value.clone()];
            match field.bare {
                true => out.push_str(value),
                false => push_json(out, value),
            }
        }
        out.push_str("}\n");
        out
    }

    /// Adds a field, renamed if logrus needs its name.
    fn add(&mut self, key: &str, bare: bool, write: impl FnOnce(&mut String)) {
        match key {
            KEY_TIME | KEY_LEVEL | KEY_MESSAGE => {
                let start = self.arena.len();
                self.arena.push_str(RENAMED);
                self.arena.push_str(key);
                self.finish(start..self.arena.len(), bare, write);
            }
            _ => self.push(key, bare, write),
        }
    }

    fn push(&mut self, key: &str, bare: bool, write: impl FnOnce(&mut String)) {
        let start = self.arena.len();
        self.arena.push_str(key);
        self.finish(start..self.arena.len(), bare, write);
    }

    fn finish(&mut self, key: Range<usize>, bare: bool, write: impl FnOnce(&mut String)) {
        let value = self.written(write);
        self.fields.push(Entry { key, value, bare });
    }

    fn written(&mut self, write: impl FnOnce(&mut String)) -> Range<usize> {
        let start = self.arena.len();
        write(&mut self.arena);
        start..self.arena.len()
    }

    /// Sorts by key; of equal keys the one added last stays.
    fn sort(&mut self) {
        let arena = &self.arena;
        self.fields.reverse();
        self.fields
            .sort_by(|a, b| arena[a.key.clone()].cmp(&arena[b.key.clone()]));
        self.fields
            .dedup_by(|later, kept| arena[later.key.clone()] == arena[kept.key.clone()]);
    }

    fn record(&mut self, field: &Field, bare: bool, write: impl FnOnce(&mut String)) {
        match field.name() {
            MESSAGE_FIELD => self.message = self.written(write),
            name => self.add(name, bare, write),
        }
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record(field, false, |arena| push_fmt(arena, format_args!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record(field, false, |arena| arena.push_str(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == FATAL_FIELD {
            self.fatal = value;
            return;
        }
        self.record(field, true, |arena| {
            arena.push_str(if value { "true" } else { "false" });
        });
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record(field, true, |arena| push_fmt(arena, format_args!("{value}")));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record(field, true, |arena| push_fmt(arena, format_args!("{value}")));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no word for what is not finite.
        self.record(field, value.is_finite(), |arena| write_float(arena, value));
    }

    /// The whole chain, once: our errors do not repeat their source.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.record(field, false, |arena| {
            push_fmt(arena, format_args!("{value}"));
            let mut cause = value.source();
            while let Some(error) = cause {
                push_fmt(arena, format_args!(": {error}"));
                cause = error.source();
            }
        });
    }
}

/// The fields of a span, kept with it.
#[derive(Debug, Default)]
pub(super) struct SpanFields(Vec<(String, String, bool)>);

impl SpanFields {
    /// Takes over what `line` gathered, replacing values of the same keys.
    pub(super) fn absorb(&mut self, line: &Line) {
        for field in &line.fields {
            let (key, value) = (&line.arena[field.key.clone()], &line.arena[field.value.clone()]);
            self.0.retain(|(known, ..)| known != key);
            self.0.push((key.to_owned(), value.to_owned(), field.bare));
        }
    }
}

/// Writing to a string cannot fail; a `Debug` that fails leaves what it wrote.
fn push_fmt(out: &mut String, value: fmt::Arguments<'_>) {
    let _ = out.write_fmt(value);
}

fn push_pair(out: &mut String, key: &str, value: &str) {
    out.push_str(key);
    out.push('=');
    match value.bytes().all(stands_bare) {
        true => out.push_str(value),
        false => push_quoted(out, value),
    }
}

/// What logrus' text formatter leaves unquoted; an empty value is among it.
fn stands_bare(c: u8) -> bool {
    c.is_ascii_alphanumeric() || b"-._/@^+".contains(&c)
}
