//! Why a component did not open.

use outrigger_base_std::BoxError;

/// Why a component could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A property that the component needs is not there. Dapr's own texts are kept where its users match on them.
    #[error("{0}")]
    Missing(String),
    /// A property is there and cannot be used.
    #[error("property {property}: {reason}")]
    Invalid {
        /// The property's name as documented.
        property: &'static str,
        /// What was found, what was expected.
        reason: String,
    },
    /// A setting asks for what is not built.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// The outside world refused: a file, a server.
    #[error("{attempted}")]
    Unavailable {
        /// What was attempted.
        attempted: String,
        /// Why it failed.
        source: BoxError,
    },
}

impl OpenError {
    /// A property that cannot be used.
    pub fn invalid(property: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid {
            property,
            reason: reason.into(),
        }
    }

    /// A failure of the outside world.
    pub fn unavailable(attempted: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self::Unavailable {
            attempted: attempted.into(),
            source: source.into(),
        }
    }

    /// Whether trying again may help.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
