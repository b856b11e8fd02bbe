//! Why a broker operation failed.

use outrigger_base_std::BoxError;

/// Why a broker refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request itself cannot be served, now or later.
    #[error("{0}")]
    Invalid(String),
    /// The broker is there and answered with a failure.
    #[error("{attempted}")]
    Failed {
        /// What was attempted.
        attempted: &'static str,
        /// Why it failed.
        source: BoxError,
    },
    /// The broker cannot be reached now.
    #[error("{attempted}")]
    Unavailable {
        /// What was attempted.
        attempted: &'static str,
        /// Why it failed.
        source: BoxError,
    },
    /// A queue on the way is full and the broker sheds rather than waits.
    #[error("the broker's queue for topic {topic:?} is full ({limit} messages)")]
    Full {
        /// The topic.
        topic: String,
        /// The bound that was reached.
        limit: usize,
    },
    /// The broker was closed.
    #[error("the broker is closed")]
    Closed,
}

impl Error {
    /// The broker answered with a failure.
    pub fn failed(attempted: &'static str, source: impl Into<BoxError>) -> Self {
        Self::Failed {
            attempted,
            source: source.into(),
        }
    }

    /// The broker cannot be reached.
    pub fn unavailable(attempted: &'static str, source: impl Into<BoxError>) -> Self {
        Self::Unavailable {
            attempted,
            source: source.into(),
        }
    }

    /// Whether the same call may succeed later with nothing changed by the caller.
    pub fn retryable(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. } | Self::Failed { .. } | Self::Full { .. }
        )
    }
}
