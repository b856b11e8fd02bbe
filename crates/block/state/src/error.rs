//! Why a state operation failed.

use outrigger_base_std::BoxError;

use crate::TtlError;

/// Why a store refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ETag given is not the one stored, or a first write came second.
    #[error("possible etag mismatch")]
    ETagMismatch,
    /// The ETag given cannot be one of this store's.
    #[error("invalid etag value")]
    ETagInvalid,
    /// The request itself cannot be served, now or later.
    #[error("{0}")]
    Invalid(String),
    /// The time to live in the request's metadata is not one.
    #[error(transparent)]
    Ttl(#[from] TtlError),
    /// The store is there and answered with a failure.
    #[error("{attempted}")]
    Failed {
        /// What was attempted.
        attempted: &'static str,
        /// Why it failed.
        source: BoxError,
    },
    /// The store cannot be reached now.
    #[error("{attempted}")]
    Unavailable {
        /// What was attempted.
        attempted: &'static str,
        /// Why it failed.
        source: BoxError,
    },
    /// The store was closed while the call waited.
    #[error("the store is closed")]
    Closed,
}

impl Error {
    /// The store answered with a failure.
    pub fn failed(attempted: &'static str, source: impl Into<BoxError>) -> Self {
        Self::Failed {
            attempted,
            source: source.into(),
        }
    }

    /// The store cannot be reached.
    pub fn unavailable(attempted: &'static str, source: impl Into<BoxError>) -> Self {
        Self::Unavailable {
            attempted,
            source: source.into(),
        }
    }

    /// Whether the same call may succeed later with nothing changed by the caller.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Failed { .. })
    }
}
