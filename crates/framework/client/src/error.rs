//! What goes wrong, in one type for the client and for the framework.

use std::{borrow::Cow, error::Error as StdError};

use bytes::Bytes;
use http::StatusCode;
use outrigger_wire_names::errors as codes;

type BoxError = Box<dyn StdError + Send + Sync>;

/// Codes of failures that may pass: a component or a peer failed, not the request.
const PASSING: [&str; 9] = [
    codes::STATE_GET.name,
    codes::STATE_SAVE.name,
    codes::STATE_DELETE.name,
    codes::STATE_BULK_GET.name,
    codes::STATE_BULK_DELETE.name,
    codes::PUBSUB_PUBLISH_MESSAGE.name,
    codes::DIRECT_INVOKE.name,
    codes::HEALTH_NOT_READY.name,
    codes::OUTBOUND_HEALTH_NOT_READY.name,
];

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The runtime refused or could not carry out an operation.
    #[error("{}", .0.message)]
    Refused(Box<Refusal>),
    /// The called app answered with a status other than 2xx.
    #[error("{} answered {} to {}{}", .0.app, .0.status, .0.method, .0.says())]
    Answered(Box<Answer>),
    /// An error that a handler gives its caller: a status, a code and a message.
    #[error("{}", .0.message)]
    Handler(Box<Refusal>),
    /// The sidecar cannot be reached, or the connection to it failed.
    #[error("cannot {attempted} over the sidecar")]
    Unreachable {
        /// What was attempted.
        attempted: Cow<'static, str>,
        /// Why it failed.
        #[source]
        source: BoxError,
    },
    /// A value cannot be written as JSON.
    #[error("cannot write {what} as JSON")]
    Encode {
        /// The value.
        what: Cow<'static, str>,
        /// Why not.
        #[source]
        source: BoxError,
    },
    /// An answer is not what was asked for.
    #[error("cannot read {what}")]
    Decode {
        /// What was read.
        what: Cow<'static, str>,
        /// Why it could not be.
        #[source]
        source: BoxError,
    },
    /// The arguments of a call cannot make a request; nothing was sent.
    #[error("{0}")]
    Input(String),
    /// The app cannot start, or has come to its end.
    #[error("cannot {attempted}")]
    Start {
        /// What was attempted.
        attempted: Cow<'static, str>,
        /// Why it failed.
        #[source]
        source: BoxError,
    },
}

/// A refusal: what a runtime answers instead of doing something, or a handler to its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its HTTP status.
    pub status: StatusCode,
    /// A stable code, such as `ERR_STATE_STORE_NOT_FOUND`.
    pub code: Cow<'static, str>,
    /// What happened, for people.
    pub message: String,
    /// A stable reason that is finer than the code, where the runtime names one (`DAPR_STATE_ILLEGAL_KEY`).
    pub reason: Option<Cow<'static, str>>,
}

/// An app's answer with a status other than 2xx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The app.
    pub app: String,
    /// The method that was called.
    pub method: String,
    /// The status.
    pub status: StatusCode,
    /// The code in its body, where it is an error of a handler ([`Error::new`]) or of the like form.
    pub code: Option<String>,
    /// The message in its body, likewise.
    pub message: Option<String>,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    fn says(&self) -> String {
        self.message
            .as_ref()
            .map_or_else(String::new, |message| format!(": {message}"))
    }
}

impl Error {
    /// An error that a handler gives its caller. It is answered as JSON: `{"errorCode": code, "message": message}`.
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::Handler(Box::new(Refusal {
            status,
            code: code.into(),
            message: message.into().into_owned(),
            reason: None,
        }))
    }

    /// 400: the request is wrong.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    /// 404: there is no such thing.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
    }

    /// 409: somebody else was faster, or the state of things does not allow it.
    pub fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, "CONFLICT", message)
    }

    /// 500: something failed that is not the caller's business; the message is what `failure` says.
    pub fn internal(failure: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", failure.to_string())
    }

    /// The code: of the refusal, or in the body of the app's answer.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) | Self::Handler(refusal) => Some(&refusal.code),
            Self::Answered(answer) => answer.code.as_deref(),
            _ => None,
        }
    }

    /// The reason that is finer than the code, where the runtime names one.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) | Self::Handler(refusal) => refusal.reason.as_deref(),
            _ => None,
        }
    }

    /// The HTTP status: of the refusal, or of the app's answer.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused(refusal) | Self::Handler(refusal) => Some(refusal.status),
            Self::Answered(answer) => Some(answer.status),
            _ => None,
        }
    }

    /// Whether a write was refused because the value has another version than the ETag says: read again, then write.
    ///
    /// A transaction does not tell its cause on the wire; for one this is always false.
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(StatusCode::CONFLICT)
    }

    /// Whether the same call may succeed later with nothing changed by the caller.
    ///
    /// It says nothing of whether the call was carried out: an invocation or a publish may have been.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Refused(refusal) => passing_status(refusal.status) || passing(refusal),
            Self::Handler(refusal) => passing_status(refusal.status),
            Self::Answered(answer) => passing_status(answer.status),
            Self::Unreachable { .. } => true,
            Self::Encode { .. } | Self::Decode { .. } | Self::Input(_) | Self::Start { .. } => false,
        }
    }

    /// The connection to the sidecar failed while something was attempted.
    pub(crate) fn unreachable(
        attempted: impl Into<Cow<'static, str>>,
        source: outrigger_transport::Error,
    ) -> Self {
        Self::Unreachable {
            attempted: attempted.into(),
            source: source.into(),
        }
    }
}

fn passing_status(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    )
}

fn passing(refusal: &Refusal) -> bool {
    refusal.status == StatusCode::INTERNAL_SERVER_ERROR && PASSING.contains(&&*refusal.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, code: &'static str) -> Error {
        Error::Refused(Box::new(Refusal {
            status: StatusCode::from_u16(status).unwrap(),
            code: code.into(),
            message: "message".to_owned(),
            reason: None,
        }))
    }

    #[test]
    fn only_what_may_pass_is_retryable() {
        assert!(refused(500, "ERR_STATE_SAVE").retryable());
        assert!(refused(503, "ANY").retryable());
        assert!(!refused(409, "ERR_STATE_SAVE").retryable());
        assert!(!refused(500, "ERR_STATE_TRANSACTION").retryable());
        assert!(!refused(400, "ERR_STATE_STORE_NOT_FOUND").retryable());
        assert!(!Error::bad_request("no").retryable());
    }

    #[test]
    fn a_conflict_is_told_by_its_status() {
        assert!(refused(409, "ERR_STATE_SAVE").is_conflict());
        assert!(Error::conflict("taken").is_conflict());
        assert!(!refused(500, "ERR_STATE_SAVE").is_conflict());
    }

    #[test]
    fn an_answer_reads_as_a_sentence() {
        let answer = Answer {
            app: "shop".into(),
            method: "buy".into(),
            status: StatusCode::NOT_FOUND,
            code: None,
            message: Some("no such thing".into()),
            body: Bytes::new(),
        };
        let text = Error::Answered(Box::new(answer)).to_string();
        assert_eq!(text, "shop answered 404 Not Found to buy: no such thing");
    }
}
