//! An exchange that failed.

use std::fmt;

use http::Request;

use crate::{Body, Error};

/// Why an exchange failed, and the request where nothing of it was sent, so that it can go somewhere else.
#[derive(Debug)]
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

/// Speaks as its error does, whose causes are its own.
impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

#[cfg(test)]
mod tests {
    use outrigger_base_std::chain;

    use super::*;

    #[test]
    fn a_failure_says_why() {
        let error = Error::Connect {
            target: "127.0.0.1:1".to_owned(),
            source: "refused".into(),
        };
        let failed = Failed::unsent(error, Request::new(Body::empty()));
        assert_eq!(chain(&failed), "cannot connect to 127.0.0.1:1: refused");
    }
}
