//! A row as it stands in the table, and its times.
//!
//! Bytes stand as standard base64 with `is_binary` 1, JSON values as their text with `is_binary` 0; readers take both.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use outrigger_base_clock::{SignedDuration, Timestamp};
use outrigger_base_std::go;
use outrigger_block_state::{ETag, Error, Item, Metadata, Ttl, Value};
use rusqlite::{Row, types::ValueRef};

/// The entry of an answer's metadata that says when the value ends (RFC 3339, UTC).
const TTL_EXPIRE_TIME: &str = "ttlExpireTime";

/// The stored form of a value: its text, and whether that is base64.
#[derive(Debug)]
pub(super) struct Stored {
    /// UTF-8.
    pub(super) text: Bytes,
    /// The text is base64 of the value.
    pub(super) is_binary: bool,
}

impl Stored {
    /// The stored form of `value`. JSON must be text, for the column holds text.
    pub(super) fn new(value: Value) -> Result<Self, Error> {
        match value {
            Value::Bytes(bytes) => Ok(Self {
                text: STANDARD.encode(&bytes).into(),
                is_binary: true,
            }),
            Value::Json(text) if std::str::from_utf8(&text).is_ok() => Ok(Self {
                text,
                is_binary: false,
            }),
            Value::Json(_) => Err(Error::Invalid("the JSON value is not UTF-8 text".to_owned())),
        }
    }
}

/// A time as the table has it.
pub(super) fn time_text(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// When a value written at `now` ends, as the table has it.
pub(super) fn end_of_life(ttl: Ttl, now: Timestamp) -> Option<String> {
    match ttl {
        Ttl::Unset | Ttl::Forever => None,
        // At most 68 years on; a clock that stands at the end of the calendar keeps the value until then.
        Ttl::After(life) => {
            let life = SignedDuration::try_from(life).unwrap_or(SignedDuration::MAX);
            Some(time_text(now.saturating_add(life).unwrap_or(Timestamp::MAX)))
        }
    }
}

/// Why a row could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// SQLite failed.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The row holds what no writer of this layout writes.
    #[error("the column {column} holds {found}")]
    Column {
        /// Which column.
        column: &'static str,
        /// What stands there, in words.
        found: String,
    },
}

/// The item in a row of `Statements::get`, unless its life is over at `now`.
pub(super) fn item(row: &Row<'_>, now: Timestamp) -> Result<Option<Item>, ReadError> {
    let mut metadata = Metadata::new();
    if let Some(end) = text_or_null(row, 3, "expiration_time")? {
        if end <= time_text(now).as_str() {
            return Ok(None);
        }
        metadata.insert(TTL_EXPIRE_TIME.to_owned(), rfc3339(end)?);
    }
    Ok(Some(Item {
        data: data(row)?,
        etag: text_or_null(row, 2, "etag")?.and_then(ETag::new),
        metadata,
    }))
}

fn data(row: &Row<'_>) -> Result<Bytes, ReadError> {
    let text = match row.get_ref(0)? {
        ValueRef::Text(text) | ValueRef::Blob(text) => text,
        other => return Err(odd("value", format!("a value of type {}", other.data_type()))),
    };
    if !is_binary(row)? {
        return Ok(Bytes::copy_from_slice(text));
    }
    STANDARD
        .decode(text)
        .map(Bytes::from)
        .map_err(|error| odd("value", format!("broken base64 ({error})")))
}

fn is_binary(row: &Row<'_>) -> Result<bool, ReadError> {
    match row.get_ref(1)? {
        ValueRef::Integer(number) => Ok(number != 0),
        ValueRef::Text(text) => std::str::from_utf8(text)
            .ok()
            .and_then(go::parse_bool)
            .ok_or_else(|| odd("is_binary", "a text that is not a boolean".to_owned())),
        other => Err(odd("is_binary", format!("a value of type {}", other.data_type()))),
    }
}

fn text_or_null<'r>(
    row: &'r Row<'_>,
    index: usize,
    column: &'static str,
) -> Result<Option<&'r str>, ReadError> {
    match row.get_ref(index)? {
        ValueRef::Null => Ok(None),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(odd(column, "bytes that are not UTF-8".to_owned())),
        },
        other => Err(odd(column, format!("a value of type {}", other.data_type()))),
    }
}

/// `YYYY-MM-DD HH:MM:SS` as RFC 3339.
fn rfc3339(text: &str) -> Result<String, ReadError> {
    format!("{text}Z")
        .parse::<Timestamp>()
        .map(|time| time.to_string())
        .map_err(|_| odd("expiration_time", format!("{text:?}, which is not a time")))
}

fn odd(column: &'static str, found: String) -> ReadError {
    ReadError::Column { column, found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_form_of_current_timestamp() {
        let now: Timestamp = "2026-03-04T05:06:07.999Z".parse().unwrap();
        assert_eq!(time_text(now), "2026-03-04 05:06:07");
        let day = Ttl::After(std::time::Duration::from_secs(86_400));
        assert_eq!(end_of_life(day, now).as_deref(), Some("2026-03-05 05:06:07"));
        assert_eq!(end_of_life(Ttl::Forever, now), None);
        assert_eq!(rfc3339("2026-03-05 05:06:07").unwrap(), "2026-03-05T05:06:07Z");
        assert!(rfc3339("tomorrow").is_err());
    }

    #[test]
    fn values_have_two_forms() {
        let bytes = Stored::new(Value::Bytes(Bytes::from_static(&[0, 255]))).unwrap();
        assert_eq!((&*bytes.text, bytes.is_binary), (&b"AP8="[..], true));
        let json = Stored::new(Value::Json(Bytes::from_static(b"{\"a\":1}"))).unwrap();
        assert_eq!((&*json.text, json.is_binary), (&b"{\"a\":1}"[..], false));
        assert!(Stored::new(Value::Json(Bytes::from_static(&[0xff]))).is_err());
    }
}
