//! One write, made ready by its caller and applied by the writer.
//!
//! What costs time and needs no database (checks, base64, a fresh ETag, times as text) is done on the caller's
//! thread, so that the one writer thread has little left to do.

use outrigger_base_clock::{Clock, Entropy, uuid_v4};
use outrigger_block_state::{Concurrency, DeleteRequest, ETag, Error, Operation, SetRequest, Ttl};
use rusqlite::{
    Connection,
    types::{ToSql, ToSqlOutput, ValueRef},
};

use super::{
    row::{Stored, end_of_life, time_text},
    statements::Statements,
};

/// A write of one key, ready to run.
#[derive(Debug)]
pub(super) enum Ready {
    /// Write a value.
    Set(Set),
    /// Remove a key.
    Delete {
        /// Which.
        key: String,
        /// The ETag that must stand there.
        etag: Option<ETag>,
    },
}

/// A row to write, and on what condition.
#[derive(Debug)]
pub(super) struct Set {
    key: String,
    value: Stored,
    etag: String,
    now: String,
    end: Option<String>,
    condition: Condition,
}

#[derive(Debug)]
enum Condition {
    Always,
    /// No live row stands there.
    Absent,
    /// A live row with this ETag stands there.
    Matching(ETag),
}

/// Why a write was not applied.
#[derive(Debug)]
pub(super) enum NotApplied {
    /// The row is not as the request wants it.
    Mismatch,
    /// SQLite failed.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for NotApplied {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Ready {
    /// Checks one step of a transaction and makes it ready.
    pub(super) fn new(operation: Operation, clock: &dyn Clock, entropy: &dyn Entropy) -> Result<Self, Error> {
        match operation {
            Operation::Set(request) => Self::set(request, clock, entropy),
            Operation::Delete(request) => Self::delete(request),
        }
    }

    /// Checks a write and makes it ready.
    pub(super) fn set(request: SetRequest, clock: &dyn Clock, entropy: &dyn Entropy) -> Result<Self, Error> {
        if request.key.is_empty() {
            return Err(Error::Invalid("missing key in set option".to_owned()));
        }
        let ttl = Ttl::from_metadata(&request.metadata)?;
        let now = clock.now();
        Ok(Self::Set(Set {
            key: request.key,
            value: Stored::new(request.value)?,
            etag: uuid_v4(entropy).to_string(),
            now: time_text(now),
            end: end_of_life(ttl, now),
            // An ETag is checked whatever the concurrency says, as in Dapr.
            condition: match (request.etag, request.options.concurrency) {
                (Some(etag), _) => Condition::Matching(etag),
                (None, Concurrency::FirstWrite) => Condition::Absent,
                (None, Concurrency::Unspecified | Concurrency::LastWrite) => Condition::Always,
            },
        }))
    }

    /// Checks a removal and makes it ready.
    pub(super) fn delete(request: DeleteRequest) -> Result<Self, Error> {
        if request.key.is_empty() {
            return Err(Error::Invalid("missing key in delete operation".to_owned()));
        }
        Ok(Self::Delete {
            key: request.key,
            etag: request.etag,
        })
    }

    /// About how many bytes it adds to a transaction.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Set(set) => set.key.len() + set.value.text.len(),
            Self::Delete { key, .. } => key.len(),
        }
    }

    /// Runs the one statement of it. A failed statement leaves no trace.
    pub(super) fn apply(&self, connection: &Connection, statements: &Statements) -> Result<(), NotApplied> {
        match self {
            Self::Set(set) => set.apply(connection, statements),
            Self::Delete { key, etag: None } => {
                connection.prepare_cached(&statements.delete)?.execute([key])?;
                Ok(())
            }
            Self::Delete {
                key,
                etag: Some(etag),
            } => {
                let mut statement = connection.prepare_cached(&statements.delete_matching)?;
                some(statement.execute([key.as_str(), etag.as_str()])?)
            }
        }
    }
}

impl Set {
    fn apply(&self, connection: &Connection, statements: &Statements) -> Result<(), NotApplied> {
        let value = Text(&self.value.text);
        let row: [&dyn ToSql; 6] = [
            &self.key,
            &value,
            &self.value.is_binary,
            &self.etag,
            &self.now,
            &self.end,
        ];
        match &self.condition {
            Condition::Always => {
                connection.prepare_cached(&statements.set)?.execute(&row[..])?;
                Ok(())
            }
            Condition::Absent => some(
                connection
                    .prepare_cached(&statements.set_first)?
                    .execute(&row[..])?,
            ),
            Condition::Matching(etag) => {
                let [key, value, is_binary, fresh, now, end] = row;
                let etag = etag.as_str();
                let row: [&dyn ToSql; 7] = [key, value, is_binary, fresh, now, end, &etag];
                some(
                    connection
                        .prepare_cached(&statements.set_matching)?
                        .execute(&row[..])?,
                )
            }
        }
    }
}

/// A conditional statement that touched no row found the row otherwise.
fn some(rows: usize) -> Result<(), NotApplied> {
    if rows == 0 {
        return Err(NotApplied::Mismatch);
    }
    Ok(())
}

/// UTF-8 bytes as a text value, without a copy or a second check.
struct Text<'t>(&'t [u8]);

impl ToSql for Text<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}
