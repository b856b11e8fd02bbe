//! What an operation answers when it fails.

mod pubsub;
mod state;

use std::{borrow::Cow, collections::BTreeMap};

use http::StatusCode;
use outrigger_wire_names::errors::ErrorCode;
use tonic::Code;

pub(crate) use pubsub::About;

/// An error as the API tells it: one for all faces, which only encode it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The code that clients match on.
    pub code: ErrorCode,
    /// Status over HTTP.
    pub http: StatusCode,
    /// Status over gRPC.
    pub grpc: Code,
    /// What happened, for people.
    pub message: String,
    /// Machine-readable details; empty for errors that have none on the wire.
    pub details: Vec<Detail>,
}

/// A detail of a rich error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// Why, as a stable name.
    Info {
        /// The name.
        reason: &'static str,
        /// Facts.
        metadata: BTreeMap<&'static str, String>,
    },
    /// Which resource.
    Resource {
        /// Its kind.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What is wrong with it.
        description: String,
    },
    /// Which field of the request.
    Field {
        /// The field.
        field: String,
        /// What is wrong with it.
        description: String,
    },
    /// Where to read on.
    Help {
        /// The page.
        url: &'static str,
        /// What stands there.
        description: &'static str,
    },
}

impl Error {
    /// An error without details.
    pub fn new(code: ErrorCode, http: StatusCode, grpc: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            http,
            grpc,
            message: message.into().into_owned(),
            details: Vec::new(),
        }
    }

    /// The request's body cannot be understood.
    pub fn malformed(reason: impl std::fmt::Display) -> Self {
        Self::bad_body(format!("failed deserializing HTTP body: {reason}"))
    }

    /// The request's body says what it must not.
    pub fn bad_body(message: impl Into<Cow<'static, str>>) -> Self {
        let code = outrigger_wire_names::errors::MALFORMED_REQUEST;
        Self::new(code, StatusCode::BAD_REQUEST, Code::InvalidArgument, message)
    }

    /// The request's body could not be read to its end.
    pub fn body_read(reason: impl std::fmt::Display) -> Self {
        let code = outrigger_wire_names::errors::BODY_READ;
        let message = format!("failed to read request body: {reason}");
        Self::new(code, StatusCode::BAD_REQUEST, Code::InvalidArgument, message)
    }

    /// The building block is known and not built here.
    pub fn unbuilt(block: &str) -> Self {
        let code = outrigger_wire_names::errors::API_UNIMPLEMENTED;
        let message = format!("the {block} building block is not built into this version of Outrigger");
        Self::new(code, StatusCode::NOT_IMPLEMENTED, Code::Unimplemented, message)
    }

    /// Adds details.
    #[must_use]
    pub fn with(mut self, details: impl IntoIterator<Item = Detail>) -> Self {
        self.details.extend(details);
        self
    }

    /// The reason in the details, where there is one.
    pub fn reason(&self) -> Option<&'static str> {
        self.details.iter().find_map(|detail| match detail {
            Detail::Info { reason, .. } => Some(*reason),
            Detail::Resource { .. } | Detail::Field { .. } | Detail::Help { .. } => None,
        })
    }
}

/// A detail that names a reason.
pub(crate) fn info(reason: &'static str, facts: impl IntoIterator<Item = (&'static str, String)>) -> Detail {
    Detail::Info {
        reason,
        metadata: facts.into_iter().collect(),
    }
}
