//! The connection string: a path or a `file:` URI, with settings behind a question mark.
//!
//! The grammar is Dapr's. Two names are for us: `_pragma` (any number of times) and `_txlock`; names without an
//! underscore (`mode`, `cache`, `immutable`, `vfs`, …) are SQLite's own and travel on to it.

use std::fmt::Write as _;

use outrigger_block_kit::OpenError;
use url::form_urlencoded;

/// The property that holds it, for error texts.
pub(crate) const PROPERTY: &str = "connectionString";

/// Pragmas that have a property of their own or would break the store.
const FORBIDDEN_PRAGMAS: [&str; 3] = ["busy_timeout", "journal_mode", "foreign_keys"];

/// A connection string, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConnectionString {
    /// What SQLite opens: always a `file:` URI.
    pub(crate) uri: String,
    /// The database lives in memory only.
    pub(crate) in_memory: bool,
    /// The file is opened for reading only.
    pub(crate) read_only: bool,
    /// How a transaction begins.
    pub(crate) lock: TransactionLock,
    /// `PRAGMA` statements in the order in which they run.
    pub(crate) pragmas: Vec<String>,
}

/// How a write transaction begins (`_txlock`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TransactionLock {
    /// The lock is taken by the first write. Two processes may then refuse each other for good.
    Deferred,
    /// The lock is taken at the beginning: the default.
    Immediate,
    /// As immediate, and outside WAL mode readers are kept away as well.
    Exclusive,
}

impl TransactionLock {
    /// The statement that begins a transaction.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Deferred => "BEGIN DEFERRED",
            Self::Immediate => "BEGIN IMMEDIATE",
            Self::Exclusive => "BEGIN EXCLUSIVE",
        }
    }
}

impl ConnectionString {
    /// Takes `text` apart.
    pub(crate) fn parse(text: &str) -> Result<Self, OpenError> {
        let (base, query) = match text.find('?') {
            Some(at) if at > 0 => (&text[..at], &text[at + 1..]),
            _ => (text, ""),
        };
        let mut parts = Parts::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            parts.take(&name, &value)?;
        }
        parts.finish(base)
    }
}

/// The settings of a query, as they are met.
#[derive(Default)]
struct Parts {
    lock: Option<TransactionLock>,
    pragmas: Vec<String>,
    /// SQLite's own names. Of `mode` and `immutable` the first one counts.
    passed_on: Vec<(String, String)>,
}

impl Parts {
    fn take(&mut self, name: &str, value: &str) -> Result<(), OpenError> {
        match name {
            "_txlock" if self.lock.is_some() => {}
            "_txlock" => self.lock = Some(transaction_lock(value)?),
            "_pragma" => self.pragmas.push(pragma(value)?),
            "mode" | "immutable" if self.value(name).is_some() => {}
            _ if name.starts_with('_') => {
                tracing::warn!(
                    name,
                    "an option of the sqlite connection string has no meaning here"
                );
            }
            _ => self.passed_on.push((name.to_owned(), value.to_owned())),
        }
        Ok(())
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.passed_on
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn finish(mut self, base: &str) -> Result<ConnectionString, OpenError> {
        let lower = base.to_ascii_lowercase();
        let in_memory = lower.starts_with(":memory:")
            || lower.starts_with("file::memory:")
            || self.value("mode") == Some("memory");
        let read_only = self.value("mode") == Some("ro") || self.value("immutable") == Some("1");
        // The order of Dapr's driver, which matters for a few pragmas.
        self.pragmas.sort_by_key(|pragma| pragma.to_ascii_lowercase());
        Ok(ConnectionString {
            uri: uri(base, lower.starts_with("file:"), &self.passed_on),
            in_memory,
            read_only,
            lock: self.lock.unwrap_or(TransactionLock::Immediate),
            pragmas: self.pragmas,
        })
    }
}

fn transaction_lock(value: &str) -> Result<TransactionLock, OpenError> {
    let lock = match value.to_ascii_lowercase().as_str() {
        "immediate" => return Ok(TransactionLock::Immediate),
        "deferred" => TransactionLock::Deferred,
        "exclusive" => TransactionLock::Exclusive,
        _ => {
            let reason =
                format!("unknown _txlock {value:?}: expected \"immediate\", \"deferred\" or \"exclusive\"");
            return Err(OpenError::invalid(PROPERTY, reason));
        }
    };
    tracing::warn!(
        txlock = value,
        "the sqlite connection string sets a _txlock other than the recommended \"immediate\""
    );
    Ok(lock)
}

/// Checks a pragma's form (`name`, `name(value)` or `name=value`), so that it is one statement and a pragma.
fn pragma(text: &str) -> Result<String, OpenError> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    if let Some(name) = FORBIDDEN_PRAGMAS.iter().find(|name| lower.starts_with(**name)) {
        let reason = format!("found forbidden option '_pragma={name}' in the connection string");
        return Err(OpenError::invalid(PROPERTY, reason));
    }
    let name_end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    let value = text[name_end..].trim_start();
    let well_formed = name_end > 0
        && !text.contains([';', '\0'])
        && (value.is_empty() || value.starts_with('=') || (value.starts_with('(') && value.ends_with(')')));
    if !well_formed {
        let reason =
            format!("_pragma={text:?} is not a pragma: expected a form such as \"synchronous(NORMAL)\"");
        return Err(OpenError::invalid(PROPERTY, reason));
    }
    Ok(text.to_owned())
}

/// The `file:` URI for SQLite. Its parser knows `%20` and not `+` for a space.
fn uri(base: &str, has_scheme: bool, passed_on: &[(String, String)]) -> String {
    let mut uri = String::with_capacity(base.len() + 32);
    if !has_scheme {
        uri.push_str("file:");
    }
    uri.push_str(base);
    for (at, (name, value)) in passed_on.iter().enumerate() {
        let separator = if at == 0 { '?' } else { '&' };
        // Writing to a String cannot fail.
        let _ = write!(uri, "{separator}{}={}", encode(name), encode(value));
    }
    uri
}

fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_uri_and_keeps_its_defaults() {
        for text in ["data.db", "file:data.db"] {
            let parsed = ConnectionString::parse(text).unwrap();
            assert_eq!(parsed.uri, "file:data.db");
            assert_eq!(parsed.lock, TransactionLock::Immediate);
            assert!(!parsed.in_memory && !parsed.read_only && parsed.pragmas.is_empty());
        }
        assert_eq!(ConnectionString::parse("FILE:a").unwrap().uri, "FILE:a");
    }

    #[test]
    fn memory_and_read_only_are_seen() {
        for text in [
            ":memory:",
            "file::memory:",
            ":MEMORY:?cache=shared",
            "file:x?mode=memory&cache=shared",
        ] {
            assert!(ConnectionString::parse(text).unwrap().in_memory, "{text}");
        }
        for text in ["a.db?mode=ro", "a.db?immutable=1", "a.db?mode=ro&mode=rw"] {
            let parsed = ConnectionString::parse(text).unwrap();
            assert!(parsed.read_only, "{text}");
            assert!(!parsed.uri.contains("rw"), "{}", parsed.uri);
        }
    }

    #[test]
    fn our_options_are_taken_and_the_others_travel_on() {
        let parsed = ConnectionString::parse(
            "a.db?_pragma=synchronous(NORMAL)&vfs=my%20vfs&_txlock=Deferred&_pragma=Cache_size%3D-8000&_inttotime=1&cache=private",
        )
        .unwrap();
        assert_eq!(parsed.uri, "file:a.db?vfs=my%20vfs&cache=private");
        assert_eq!(parsed.lock.begin(), "BEGIN DEFERRED");
        assert_eq!(parsed.pragmas, ["Cache_size=-8000", "synchronous(NORMAL)"]);
    }

    #[test]
    fn forbidden_and_malformed_options_are_refused() {
        for name in ["busy_timeout", "journal_mode", "foreign_keys"] {
            let text = format!("a.db?_pragma={}(1)", name.to_ascii_uppercase());
            let error = ConnectionString::parse(&text).unwrap_err().to_string();
            assert!(
                error.contains(&format!(
                    "found forbidden option '_pragma={name}' in the connection string"
                )),
                "{error}"
            );
        }
        for bad in [
            "_txlock=later",
            "_pragma=",
            "_pragma=a(1);drop table x",
            "_pragma=(1)",
            "_pragma=a b",
        ] {
            assert!(ConnectionString::parse(&format!("a.db?{bad}")).is_err(), "{bad}");
        }
    }
}
