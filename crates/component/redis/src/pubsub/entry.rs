//! Entries of a stream, and what the server says of them.

use std::{fmt, str::FromStr, time::Duration};

use bytes::Bytes;
use outrigger_block_pubsub::Metadata;
use redis::Value;

use crate::{fault::Fault, value};

/// An entry's id: milliseconds and a sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Id(u64, u64);

impl Id {
    /// The smallest id after this one.
    pub(super) fn next(self) -> Self {
        match self.1.checked_add(1) {
            Some(sequence) => Self(self.0, sequence),
            None => Self(self.0.saturating_add(1), 0),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0, self.1)
    }
}

impl FromStr for Id {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        text.split_once('-')
            .and_then(|(time, sequence)| Some(Self(time.parse().ok()?, sequence.parse().ok()?)))
            .ok_or_else(|| Fault::Strange(format!("{text:?} is not an entry's id")))
    }
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: Id,
    pub(super) data: Bytes,
    pub(super) metadata: Metadata,
}

/// What is known of a pending entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) id: Id,
    /// How long ago it was delivered.
    pub(super) idle: Duration,
    /// How often it was delivered.
    pub(super) deliveries: u32,
}

/// The entries in an answer of `XREADGROUP` for one stream.
pub(super) fn of_read(answer: Value) -> Result<Vec<Entry>, Fault> {
    let mut entries = Vec::new();
    for (_, stream) in streams(answer)? {
        entries.extend(self::entries(stream)?);
    }
    Ok(entries)
}

/// The older protocol lists pairs, the newer one has a map.
fn streams(answer: Value) -> Result<Vec<(Value, Value)>, Fault> {
    if let Value::Map(streams) = answer {
        return Ok(streams);
    }
    let mut pairs = Vec::new();
    for stream in value::list(answer)? {
        let mut parts = value::list(stream)?.into_iter();
        if let (Some(name), Some(entries)) = (parts.next(), parts.next()) {
            pairs.push((name, entries));
        }
    }
    Ok(pairs)
}

/// The entries in a list; one that was deleted is nothing, or has no fields, and is left out.
pub(super) fn entries(answer: Value) -> Result<Vec<Entry>, Fault> {
    let mut entries = Vec::new();
    for item in value::list(answer)? {
        let mut parts = value::list(item)?.into_iter();
        let (Some(id), Some(fields)) = (parts.next(), parts.next()) else {
            continue;
        };
        if matches!(fields, Value::Nil) {
            continue;
        }
        entries.push(entry(value::text(id)?.parse()?, fields)?);
    }
    Ok(entries)
}

fn entry(id: Id, fields: Value) -> Result<Entry, Fault> {
    let (mut data, mut metadata) = (Bytes::new(), Metadata::new());
    for (name, content) in value::pairs(fields)? {
        match &value::bytes(name)?[..] {
            b"data" => data = Bytes::from(value::bytes(content)?),
            b"metadata" => {
                metadata = serde_json::from_slice(&value::bytes(content)?).unwrap_or_else(|error| {
                    tracing::warn!(entry = %id, %error, "the metadata of a message is not a map of texts: left out");
                    Metadata::new()
                });
            }
            _ => {}
        }
    }
    Ok(Entry { id, data, metadata })
}

/// The rows of an answer of `XPENDING` in its long form.
pub(super) fn pending(answer: Value) -> Result<Vec<Pending>, Fault> {
    let mut rows = Vec::new();
    for row in value::list(answer)? {
        let mut parts = value::list(row)?.into_iter();
        let (Some(id), _, Some(idle), Some(deliveries)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Fault::Strange(
                "a pending entry without its four parts".to_owned(),
            ));
        };
        rows.push(Pending {
            id: value::text(id)?.parse()?,
            idle: Duration::from_millis(u64::try_from(value::number(&idle)?).unwrap_or(0)),
            deliveries: u32::try_from(value::number(&deliveries)?).unwrap_or(u32::MAX),
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn entries_are_read_with_and_without_metadata() {
        let fields = |pairs: &[&str]| Value::Array(pairs.iter().map(|part| text(part)).collect());
        let item = |id: &str, fields: Value| Value::Array(vec![text(id), fields]);
        let list = Value::Array(vec![
            item("1-0", fields(&["data", "a", "metadata", r#"{"k":"v"}"#])),
            item("1-1", fields(&["metadata", "{}", "data", "b", "other", "x"])),
            item("2-0", fields(&["data", "c", "metadata", "[broken"])),
            item("2-1", Value::Nil),
            Value::Nil,
        ]);
        let read = of_read(Value::Array(vec![Value::Array(vec![text("topic"), list])])).unwrap();
        assert_eq!(read.len(), 3);
        assert_eq!(read[0].metadata.get("k").map(String::as_str), Some("v"));
        assert_eq!((&read[1].data[..], read[1].metadata.len()), (&b"b"[..], 0));
        assert_eq!(read[2].id, Id(2, 0));
        assert_eq!(of_read(Value::Nil).unwrap(), []);
        assert!(of_read(Value::Int(1)).is_err());
    }

    proptest! {
        #[test]
        fn ids_are_written_as_they_were_read(time: u64, sequence: u64) {
            let id = Id(time, sequence);
            prop_assert_eq!(id.to_string().parse::<Id>().unwrap(), id);
            prop_assert!(id.next() > id || id == Id(u64::MAX, u64::MAX));
        }

        #[test]
        fn no_text_breaks_the_reader(text: String) {
            let _ = text.parse::<Id>();
        }
    }
}
