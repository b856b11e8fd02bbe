//! Why a transport failed.

use outrigger_base_std::BoxError;

/// Why a request, a response or a body failed on its way.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection could be made. Nothing of the request was sent.
    #[error("cannot connect to {target}")]
    Connect {
        /// Where to.
        target: String,
        /// Why.
        source: BoxError,
    },
    /// The connection ended before the request could be written: nothing of it was sent.
    #[error("the connection was closed before the request was sent")]
    NotSent,
    /// The connection failed while the request or the answer was on its way.
    #[error("the connection failed while the exchange was on its way")]
    Broken(#[source] BoxError),
    /// The body was cut by its sender.
    #[error("the body was cut")]
    Body(#[source] BoxError),
    /// A body is larger than the limit for it.
    #[error("http: request body too large")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
}

impl Error {
    /// Whether it is certain that the other side has seen nothing of the request.
    pub fn nothing_sent(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::NotSent)
    }

    /// Whether the body that was to be sent is at fault, and not the one it was sent to.
    pub fn is_of_the_body(&self) -> bool {
        matches!(self, Self::Body(_) | Self::TooLarge { .. })
    }

    pub(crate) fn broken(error: hyper::Error) -> Self {
        Self::Broken(error.into())
    }

    /// The error of an exchange over HTTP/1.1, where a cut body of ours stands as the cause.
    pub(crate) fn exchange(error: hyper::Error) -> Self {
        use std::error::Error as StdError;
        if error.source().is_some_and(<dyn StdError>::is::<Self>) {
            Self::Body(error.into())
        } else {
            Self::Broken(error.into())
        }
    }

    pub(crate) fn body(error: hyper::Error) -> Self {
        Self::Body(error.into())
    }
}
