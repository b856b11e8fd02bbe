//! Why a call to Redis failed, before a building block gives it its own name.

use std::time::Duration;

use outrigger_block_pubsub as pubsub;
use outrigger_block_state as state;
use redis::{RedisError, ServerError};

/// Why a call failed.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Fault {
    /// We closed the connection ourselves.
    #[error("the connection was closed")]
    Closed,
    /// There is no connection, or it broke.
    #[error("the connection to Redis failed")]
    Lost(#[source] RedisError),
    /// The server is there and did not answer in time.
    #[error("Redis did not answer within {}ms", .0.as_millis())]
    Late(Duration),
    /// The server answered with an error.
    #[error("Redis refused: {} {}", .0.code(), .0.details().unwrap_or_default())]
    Refused(ServerError),
    /// The answer is not of the form that the command has.
    #[error("unexpected answer: {0}")]
    Strange(String),
}

/// Answers that say *not now*: the command was not carried out, and may be later (here or on another server).
const PASSING: [&str; 7] = [
    "LOADING",
    "CLUSTERDOWN",
    "TRYAGAIN",
    "MASTERDOWN",
    "READONLY",
    "BUSY",
    "NOREPLICAS",
];

impl Fault {
    /// The code of the server's error (`WRONGTYPE`), if it is one.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(error) => Some(error.code()),
            _ => None,
        }
    }

    /// Whether the server was reached and declined for the moment, without doing anything.
    pub(crate) fn is_passing(&self) -> bool {
        self.code().is_some_and(|code| PASSING.contains(&code))
    }

    /// Whether the store or broker as such is out of reach.
    fn is_outage(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Late(_)) || self.is_passing()
    }

    /// The fault as the state building block names it.
    pub(crate) fn into_state(self, attempted: &'static str) -> state::Error {
        match self {
            Self::Closed => state::Error::Closed,
            fault if fault.is_outage() => state::Error::unavailable(attempted, fault),
            fault => state::Error::failed(attempted, fault),
        }
    }

    /// The fault as the pub/sub building block names it.
    pub(crate) fn into_pubsub(self, attempted: &'static str) -> pubsub::Error {
        match self {
            Self::Closed => pubsub::Error::Closed,
            fault if fault.is_outage() => pubsub::Error::unavailable(attempted, fault),
            fault => pubsub::Error::failed(attempted, fault),
        }
    }
}

impl From<RedisError> for Fault {
    /// What the client library reports is a server's answer, or else a matter of the connection.
    fn from(error: RedisError) -> Self {
        match error.clone().into_server_errors() {
            Some(errors) if !errors.is_empty() => Self::Refused(errors[0].1.clone()),
            _ => Self::Lost(error),
        }
    }
}
