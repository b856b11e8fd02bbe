//! What goes wrong in the store, and how a caller hears of it.

use std::{io, sync::Arc};

use outrigger_block_pubsub::Error;
use rusqlite::ErrorCode;

/// What went wrong. One failure may have many hearers.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Fault {
    /// SQLite refused. The client library's error repeats its source in its text, so it is no source here.
    #[error("the broker's file cannot be used: {0}")]
    Sql(Arc<rusqlite::Error>),
    /// The folder's lock, or a place in it, cannot be had.
    #[error("the broker's folder cannot be used")]
    Folder(#[source] Arc<io::Error>),
    /// The disk did not take what was written.
    #[error("the broker's file cannot be synced to disk")]
    Sync(#[source] Arc<io::Error>),
    /// An earlier sync failed: the kernel forgets what it could not write, so a later success would prove nothing.
    #[error("an earlier sync of the broker's file to disk failed; the component must be opened again")]
    Unsynced,
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(Arc::new(error))
    }
}

impl Fault {
    /// The folder refused.
    pub(super) fn folder(error: io::Error) -> Self {
        Self::Folder(Arc::new(error))
    }

    /// Whether the transaction never began, whatever was to be done in it: each part of it would wait as long, to hear
    /// the same.
    pub(super) fn is_of_the_beginning(&self) -> bool {
        let locked = [ErrorCode::DatabaseBusy, ErrorCode::DatabaseLocked];
        matches!(self, Self::Folder(_)) || self.code().is_some_and(|code| locked.contains(&code))
    }

    /// Whether there was no room on the disk.
    pub(super) fn is_full_disk(&self) -> bool {
        self.code() == Some(ErrorCode::DiskFull)
    }

    /// The error of a broker operation that attempted `what`.
    pub(crate) fn into_error(self, what: &'static str) -> Error {
        match self.code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Error::Invalid(format!(
                "{what}: the broker's file is damaged ({}); move its folder away to start afresh",
                outrigger_base_std::chain(&self)
            )),
            Some(ErrorCode::TooBig) => Error::Invalid(format!("{what}: the message is too large")),
            Some(
                ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OutOfMemory,
            ) => Error::unavailable(what, self),
            Some(_) => Error::failed(what, self),
            None => Error::unavailable(what, self),
        }
    }

    fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Sql(error) => error.sqlite_error_code().or(Some(ErrorCode::Unknown)),
            Self::Folder(_) | Self::Sync(_) | Self::Unsynced => None,
        }
    }
}
