//! An exchange that failed.

use http::Request;

use crate::{Body, Error};

/// Why an exchange failed, and the request where nothing of it was sent, so that it can go somewhere else.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Failed {
    /// Why.
    pub error: Error,
    /// The whole request. Boxed, because failures are rare and their size is paid by every success.
    pub unsent: Option<Box<Request<Body>>>,
}

impl Failed {
    /// Nothing of the request was sent.
    pub fn unsent(error: Error, request: Request<Body>) -> Self {
        Self {
            error,
            unsent: Some(Box::new(request)),
        }
    }

    /// The other side may have seen the request.
    pub fn lost(error: Error) -> Self {
        Self { error, unsent: None }
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}
