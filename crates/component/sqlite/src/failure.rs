//! A failure of SQLite, in its own words, once.

use std::sync::Arc;

use rusqlite::ErrorCode;

/// What SQLite said. The client library's own error repeats its source in its text, so it is no source here. It can
/// be handed out to everyone who shared the failed transaction.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failure(Arc<rusqlite::Error>);

impl Failure {
    /// The kind of failure, where SQLite named one.
    pub(crate) fn code(&self) -> Option<ErrorCode> {
        self.0.sqlite_error_code()
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self(Arc::new(error))
    }
}

/// Whether a statement gave up because another connection holds a lock.
pub(crate) fn is_locked(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}
