//! The queries, over whatever connection they are given.

use outrigger_base_clock::Timestamp;
use outrigger_block_state::Item;
use rusqlite::Connection;

use super::{
    row::{self, ReadError, time_text},
    statements::Statements,
};

/// A query on its way to a thread that owns a connection; it answers its caller by itself.
pub(super) type ReadJob = Box<dyn FnOnce(Reader<'_>) + Send>;

/// A connection seen as something to read from.
#[derive(Clone, Copy)]
pub(super) struct Reader<'c> {
    connection: &'c Connection,
    statements: &'c Statements,
}

impl<'c> Reader<'c> {
    /// Reads from `connection`.
    pub(super) fn new(connection: &'c Connection, statements: &'c Statements) -> Self {
        Self {
            connection,
            statements,
        }
    }

    /// Whether the database answers.
    pub(super) fn ping(&self) -> Result<(), ReadError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT count(*) FROM sqlite_master")?;
        Ok(statement.query_row([], |_| Ok(()))?)
    }

    /// The item under `key`, if it is alive at `now`.
    pub(super) fn get(&self, key: &str, now: Timestamp) -> Result<Option<Item>, ReadError> {
        let mut statement = self.connection.prepare_cached(&self.statements.get)?;
        let mut rows = statement.query([key])?;
        match rows.next()? {
            Some(row) => row::item(row, now),
            None => Ok(None),
        }
    }

    /// The items under `keys`, as they were at one moment. A row that makes no sense fails alone.
    pub(super) fn get_many(
        &self,
        keys: &[String],
        now: Timestamp,
    ) -> Result<Vec<Result<Option<Item>, ReadError>>, ReadError> {
        let snapshot = self.connection.unchecked_transaction()?;
        let mut items = Vec::with_capacity(keys.len());
        for key in keys {
            match self.get(key, now) {
                Err(ReadError::Sqlite(error)) => return Err(error.into()),
                item => items.push(item),
            }
        }
        snapshot.commit()?;
        Ok(items)
    }

    /// The first `limit` live keys that match, with their rowids, beginning after the rowid `after`.
    pub(super) fn keys(
        &self,
        pattern: &str,
        after: i64,
        limit: Option<i64>,
        now: Timestamp,
    ) -> Result<Vec<(String, i64)>, ReadError> {
        let mut statement = self.connection.prepare_cached(&self.statements.keys)?;
        // To SQLite a limit below zero is none.
        let parameters = (pattern, time_text(now), after, limit.unwrap_or(-1));
        let rows = statement.query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The first `limit` rowids after `after` whose rows are over at `now`.
    pub(super) fn expired(&self, after: i64, limit: i64, now: Timestamp) -> Result<Vec<i64>, ReadError> {
        let mut statement = self.connection.prepare_cached(&self.statements.expired)?;
        let rows = statement.query_map((time_text(now), after, limit), |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
