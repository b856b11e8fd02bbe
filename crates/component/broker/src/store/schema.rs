//! The broker's file: its tables, and opening it.

use std::{sync::Arc, time::Duration};

use outrigger_block_kit::OpenError;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::folder::Folder;

/// Marks the file as a broker's ("OutB").
const APPLICATION_ID: i64 = 0x4F75_7442;
/// The version of the tables below.
const VERSION: i64 = 1;
/// Our processes never meet in the file, for they hold the folder's lock; a tool that looks at it may be in the way
/// for a moment. Meanwhile the folder's lock is held, and everyone waits.
const FOREIGN_TOOL_PATIENCE: Duration = Duration::from_secs(3);
/// Statements that stay prepared: about as many as there are.
const PREPARED: usize = 64;

/// A message is kept once per topic. A group has a cursor: it claimed, or skipped, all up to there. What it claimed and
/// has not acknowledged is in `delivery`, until `due` in the hands of `holder`; without holder it waits until `due`.
const TABLES: &str = "
CREATE TABLE topic (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    bytes INTEGER NOT NULL DEFAULT 0 -- of payload; kept up to date only while the topic has no group
);
CREATE TABLE message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    topic INTEGER NOT NULL,
    published INTEGER NOT NULL,
    expires INTEGER,
    data BLOB NOT NULL,
    content_type TEXT,
    metadata TEXT
);
CREATE INDEX message_topic ON message (topic, seq);
CREATE INDEX message_expires ON message (expires) WHERE expires IS NOT NULL;
CREATE TABLE consumer (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    topic INTEGER NOT NULL,
    name TEXT NOT NULL,
    cursor INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    UNIQUE (topic, name)
);
CREATE TABLE delivery (
    seq INTEGER NOT NULL,
    consumer INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due INTEGER NOT NULL,
    holder INTEGER,
    PRIMARY KEY (seq, consumer)
) WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (consumer, due);
CREATE TABLE member (id INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE TABLE interest (
    topic INTEGER NOT NULL,
    member INTEGER NOT NULL,
    subscription INTEGER NOT NULL,
    consumer INTEGER NOT NULL,
    PRIMARY KEY (topic, member, subscription)
) WITHOUT ROWID;
";

/// Opens the file of `folder`, made where it is missing. The caller holds the folder's lock.
pub(super) fn open(folder: &Folder) -> Result<Connection, OpenError> {
    // Used by the store's thread only.
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let explain = |error: rusqlite::Error| refused(folder, error);
    let sql = Connection::open_with_flags(folder.database(), flags).map_err(explain)?;
    sql.busy_timeout(FOREIGN_TOOL_PATIENCE).map_err(explain)?;
    sql.set_prepared_statement_cache_capacity(PREPARED);
    let known = is_known(folder, &sql)?;
    if !known {
        // Has an effect before the first table only: room of dropped messages can go back to the disk.
        sql.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")
            .map_err(explain)?;
    }
    use_wal(folder, &sql)?;
    // The commit itself does not sync; see the module's documentation. Checkpoints do.
    sql.execute_batch("PRAGMA synchronous = NORMAL")
        .map_err(explain)?;
    if !known {
        let script = format!(
            "BEGIN IMMEDIATE;{TABLES}PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT"
        );
        sql.execute_batch(&script).map_err(explain)?;
    }
    Ok(sql)
}

/// Whether the file is a broker's already; a new one is not yet, and any other is refused.
fn is_known(folder: &Folder, sql: &Connection) -> Result<bool, OpenError> {
    let facts = sql.query_row(
        "SELECT (SELECT count(*) FROM sqlite_schema), application_id, user_version
         FROM pragma_application_id, pragma_user_version",
        [],
        |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, i64>(2)?,
            ))
        },
    );
    let (tables, application, version) = facts.map_err(|error| refused(folder, error))?;
    match (tables, application, version) {
        (0, 0, 0) => Ok(false),
        (_, APPLICATION_ID, VERSION) => Ok(true),
        (_, APPLICATION_ID, _) => Err(OpenError::Unsupported(format!(
            "version {version} of the broker's file {} (this program knows version {VERSION})",
            folder.database().display()
        ))),
        _ => Err(foreign(folder, "it is a database of something else")),
    }
}

fn use_wal(folder: &Folder, sql: &Connection) -> Result<(), OpenError> {
    let mode: String = sql
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(|error| refused(folder, error))?;
    if mode.eq_ignore_ascii_case("wal") {
        return Ok(());
    }
    let reason = format!(
        "{} is on a file system without shared memory (a network one?): several processes cannot share it",
        folder.path().display()
    );
    Err(OpenError::invalid("path", reason))
}

/// Why SQLite did not open the file, in the broker's terms.
pub(super) fn refused(folder: &Folder, error: impl Into<Arc<rusqlite::Error>>) -> OpenError {
    let error = error.into();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => foreign(folder, "it is not a database"),
        Some(ErrorCode::DatabaseCorrupt) => foreign(folder, "it is damaged"),
        _ => {
            let attempted = format!("open the broker's file {}", folder.database().display());
            OpenError::unavailable(attempted, error)
        }
    }
}

fn foreign(folder: &Folder, why: &str) -> OpenError {
    let reason = format!(
        "{} cannot be the broker's file, for {why}: move it away, or set another path",
        folder.database().display()
    );
    OpenError::invalid("path", reason)
}
