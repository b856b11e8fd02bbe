//! The tables, and the record of how far they have come.
//!
//! Dapr keeps the number of applied migrations in the metadata table, row `migrations`; there is one so far. Applying
//! them holds the database exclusively, so that of several programs that start together one does it.

use outrigger_block_kit::OpenError;
use rusqlite::{Connection, OptionalExtension as _};

use crate::failure::Failure;

/// How many migrations there are.
const LEVEL: u32 = 1;

/// The names of the two tables; both are valid identifiers.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    /// Where the state is.
    pub(crate) state: String,
    /// Where the record of migrations and of the last cleanup is.
    pub(crate) metadata: String,
}

/// Why the tables could not be made ready.
#[derive(Debug, thiserror::Error)]
enum Obstacle {
    #[error("{0}")]
    Sqlite(Failure),
    #[error("invalid migration level found in metadata table: {0}")]
    Level(String),
}

impl From<rusqlite::Error> for Obstacle {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error.into())
    }
}

/// Makes the tables if they are not there. A database that is up to date is only read.
pub(crate) fn migrate(connection: &Connection, tables: &Tables) -> Result<(), OpenError> {
    let attempt = || {
        if is_current(connection, tables)? {
            return Ok(());
        }
        // What is not committed is rolled back when the connection is closed, which it is when this fails.
        connection.execute_batch("BEGIN EXCLUSIVE")?;
        apply(connection, tables)?;
        connection.execute_batch("COMMIT")?;
        Ok(())
    };
    attempt()
        .map_err(|error: Obstacle| OpenError::unavailable("migrate the tables of the SQLite database", error))
}

fn is_current(connection: &Connection, tables: &Tables) -> Result<bool, Obstacle> {
    Ok(table_exists(connection, &tables.metadata)?
        && level(connection, tables)? >= LEVEL
        && table_exists(connection, &tables.state)?)
}

fn apply(connection: &Connection, tables: &Tables) -> Result<(), Obstacle> {
    let Tables { state, metadata } = tables;
    connection.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS \"{metadata}\" (
            key text NOT NULL PRIMARY KEY,
            value text NOT NULL
        )"
    ))?;
    let level = level(connection, tables)?;
    // Also at the current level: two components may share a metadata table and have a state table each.
    connection.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS \"{state}\" (
            key TEXT NOT NULL PRIMARY KEY,
            value TEXT NOT NULL,
            is_binary BOOLEAN NOT NULL,
            etag TEXT NOT NULL,
            expiration_time TIMESTAMP DEFAULT NULL,
            update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        )"
    ))?;
    if level < LEVEL {
        let statement = format!("REPLACE INTO \"{metadata}\" (key, value) VALUES ('migrations', ?1)");
        connection.execute(&statement, [LEVEL.to_string()])?;
    }
    Ok(())
}

fn table_exists(connection: &Connection, name: &str) -> Result<bool, Obstacle> {
    let statement =
        "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1 COLLATE NOCASE)";
    Ok(connection.query_row(statement, [name], |row| row.get(0))?)
}

fn level(connection: &Connection, tables: &Tables) -> Result<u32, Obstacle> {
    let statement = format!(
        "SELECT value FROM \"{}\" WHERE key = 'migrations'",
        tables.metadata
    );
    let text: Option<String> = connection
        .query_row(&statement, [], |row| row.get(0))
        .optional()?;
    match text {
        None => Ok(0),
        Some(text) => text.parse().map_err(|_| Obstacle::Level(text)),
    }
}
