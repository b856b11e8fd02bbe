//! Opening connections to one database, all with the same settings.

use std::time::{Duration, Instant};

use outrigger_block_kit::OpenError;
use rusqlite::{Connection, OpenFlags};

use crate::{
    connection_string::ConnectionString,
    failure::{Failure, is_locked},
};

/// Statements that a connection keeps prepared; the store has about a dozen.
const CACHED_STATEMENTS: usize = 32;

/// How long to wait before asking for a lock again where SQLite does not wait by itself, or waits badly: its own
/// handler sleeps up to 100 ms between two attempts, and then misses every gap that another busy writer leaves, so that
/// of two sidecars on one file one would starve.
pub(crate) const ASK_AGAIN: Duration = Duration::from_micros(500);

/// Attempted by every step of opening, for error texts.
const OPENING: &str = "open the SQLite database";

/// What it takes to open a connection.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    /// The database and its pragmas.
    pub(crate) string: ConnectionString,
    /// How long a statement waits for a lock that another connection holds; zero means not at all.
    pub(crate) busy_timeout: Duration,
    /// Keep the rollback journal (`disableWAL`).
    pub(crate) disable_wal: bool,
}

impl Connector {
    /// A connection that may write, and whether the database is in WAL mode.
    pub(crate) fn writer(&self) -> Result<(Connection, bool), OpenError> {
        let connection = self.open(self.busy_timeout)?;
        let wal = self.set_journal(&connection).map_err(|error| {
            OpenError::unavailable(
                "set the journal mode of the SQLite database",
                Failure::from(error),
            )
        })?;
        self.apply_pragmas(&connection)?;
        Ok((connection, wal))
    }

    /// A connection that only reads, and waits for locks at most `busy_timeout`.
    pub(crate) fn reader(&self, busy_timeout: Duration) -> Result<Connection, OpenError> {
        let connection = self.open(busy_timeout)?;
        self.apply_pragmas(&connection)?;
        connection
            .execute_batch("PRAGMA query_only = 1")
            .map_err(|error| OpenError::unavailable(OPENING, Failure::from(error)))?;
        Ok(connection)
    }

    fn open(&self, busy_timeout: Duration) -> Result<Connection, OpenError> {
        // A connection of ours never runs on two threads at once, so SQLite need not lock it.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.string.uri, flags)
            .and_then(|connection| {
                connection.busy_timeout(busy_timeout)?;
                // The file is not touched before the first statement; this one reads its header.
                connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
                Ok(connection)
            })
            .map_err(|error| OpenError::unavailable(OPENING, Failure::from(error)))?;
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        Ok(connection)
    }

    /// Sets the journal mode, and tells whether it is WAL now. A file that is only read keeps the mode it has, for
    /// changing it writes.
    fn set_journal(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let statement = if self.string.in_memory {
            "PRAGMA journal_mode = MEMORY"
        } else if self.string.read_only {
            "PRAGMA journal_mode"
        } else if self.disable_wal {
            "PRAGMA journal_mode = DELETE"
        } else {
            "PRAGMA journal_mode = WAL"
        };
        let started = Instant::now();
        let mode: String = loop {
            match connection.query_row(statement, [], |row| row.get(0)) {
                // SQLite does not wait for everything here: of several programs that start together on a new file,
                // it may refuse one at once. This thread is ours to block.
                Err(error) if is_locked(&error) && started.elapsed() < self.busy_timeout => {
                    std::thread::park_timeout(ASK_AGAIN);
                }
                answer => break answer?,
            }
        };
        Ok(mode.eq_ignore_ascii_case("wal"))
    }

    fn apply_pragmas(&self, connection: &Connection) -> Result<(), OpenError> {
        // Keys that differ in case are different keys, so a pattern minds the case, as with most of Dapr's stores. Its
        // SQLite store does not, and so lists the keys of the app `Shop` to the app `shop`. Who needs that sets
        // `_pragma=case_sensitive_like(0)`.
        connection
            .execute_batch("PRAGMA case_sensitive_like = 1")
            .map_err(|error| OpenError::unavailable(OPENING, Failure::from(error)))?;
        for pragma in &self.string.pragmas {
            connection
                .execute_batch(&format!("PRAGMA {pragma}"))
                .map_err(|error| {
                    OpenError::unavailable(
                        format!("run `PRAGMA {pragma}` of the connection string"),
                        Failure::from(error),
                    )
                })?;
        }
        Ok(())
    }
}
