//! SQLite's failures as errors of the state block.

use outrigger_block_state::Error;
use rusqlite::ErrorCode;

use super::row::ReadError;
use crate::failure::Failure;

/// Attempted by every read, for error texts.
pub(super) const READING: &str = "read from the SQLite database";
/// Attempted by every write, for error texts.
pub(super) const WRITING: &str = "write to the SQLite database";

/// What one of those is told who shared a failed transaction.
pub(super) fn of_write(failure: &Failure) -> Error {
    of(WRITING, failure.clone())
}

/// Whether there was no room on the disk.
pub(super) fn is_disk_full(failure: &Failure) -> bool {
    failure.code() == Some(ErrorCode::DiskFull)
}

/// What the caller of a failed read is told.
pub(super) fn of_read(error: ReadError) -> Error {
    match error {
        ReadError::Sqlite(error) => of(READING, error.into()),
        ReadError::Column { .. } => Error::failed(READING, error),
    }
}

/// Whether a failure of one request leaves the transaction that it shares with others as it was.
pub(super) fn concerns_request_only(error: &rusqlite::Error) -> bool {
    !matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OutOfMemory
                | ErrorCode::ReadOnly
                | ErrorCode::OperationInterrupted
                | ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::DiskFull
                | ErrorCode::CannotOpen
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::NotADatabase
        )
    )
}

fn of(attempted: &'static str, failure: Failure) -> Error {
    match failure.code() {
        Some(ErrorCode::ReadOnly) => Error::Invalid(
            "the SQLite database is opened for reading only, or its file must not be written".to_owned(),
        ),
        Some(ErrorCode::TooBig) => Error::Invalid("the value is larger than SQLite can hold".to_owned()),
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::FileLockingProtocolFailed,
        ) => Error::unavailable(attempted, failure),
        _ => Error::failed(attempted, failure),
    }
}
