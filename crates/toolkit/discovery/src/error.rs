//! What can go wrong, by cause.

use std::{sync::Arc, time::Duration};

use crate::Name;

/// An error of any kind, shared: several callers may wait for one answer.
pub type BoxError = Arc<dyn std::error::Error + Send + Sync>;

/// Why a name was not resolved, or an instance not registered.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The resolver did its work, and nobody serves the name.
    #[error("no instance of {name} is known to {resolver}")]
    NotFound {
        /// What was asked for.
        name: Name,
        /// Who was asked.
        resolver: &'static str,
    },
    /// The resolver could not do its work; the instance may well exist.
    #[error("{resolver} could not resolve {name}")]
    Unavailable {
        /// What was asked for.
        name: Name,
        /// Who was asked.
        resolver: &'static str,
        /// What it ran into.
        source: BoxError,
    },
    /// The resolver gave no answer in time.
    #[error("{resolver} did not resolve {name} within {after:?}")]
    Timeout {
        /// What was asked for.
        name: Name,
        /// Who was asked.
        resolver: &'static str,
        /// How long it was waited for.
        after: Duration,
    },
    /// The name, or the instance, cannot be expressed in the resolver's records.
    #[error("{resolver} cannot express {name}: {reason}")]
    Inexpressible {
        /// The name that was asked for or registered.
        name: Name,
        /// Who was asked.
        resolver: &'static str,
        /// What is wrong and what to do about it.
        reason: String,
    },
    /// The instance could not be announced.
    #[error("{resolver} could not register this instance of {name}")]
    Register {
        /// What was to be registered.
        name: Name,
        /// Who was asked.
        resolver: &'static str,
        /// What it ran into.
        source: BoxError,
    },
    /// The resolver was closed.
    #[error("{resolver} is closed")]
    Closed {
        /// Who was asked.
        resolver: &'static str,
    },
}

impl Error {
    /// Whether the answer is "nobody", as opposed to a failure to find out.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether asking again, later, can give another answer.
    pub fn retryable(&self) -> bool {
        match self {
            Self::NotFound { .. }
            | Self::Unavailable { .. }
            | Self::Timeout { .. }
            | Self::Register { .. } => true,
            Self::Inexpressible { .. } | Self::Closed { .. } => false,
        }
    }
}
