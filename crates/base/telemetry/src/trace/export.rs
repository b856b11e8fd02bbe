//! What an exporter is.

use std::{error::Error, fmt, future::Future, pin::Pin, time::Duration};

use bytes::Bytes;

use super::span::SpanData;

/// A future on the heap, so that exporters and clients can be values of one type.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends finished spans somewhere.
pub trait SpanExporter: Send + Sync + fmt::Debug {
    /// What to call it in the log.
    fn name(&self) -> &'static str;

    /// Sends one batch. It may be dropped midway at the end of the runtime, and called again with the same batch after
    /// an error that is [retryable](ExportError::retryable).
    fn export<'a>(&'a self, batch: &'a [SpanData]) -> BoxFuture<'a, Result<(), ExportError>>;
}

/// Sends a request whose body is whole and reads an answer whose body is small: what exporters need of an HTTP client.
/// The program has one, with its trust roots and proxies; none is linked here.
pub trait HttpPost: Send + Sync + fmt::Debug {
    /// Sends `request`, whose URI is absolute. An answer of any status is `Ok`.
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, Box<dyn Error + Send + Sync>>>;
}

/// Why a batch was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// No connection, or it broke.
    #[error("send spans to {endpoint}")]
    Send {
        /// Where to.
        endpoint: String,
        /// What the client said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// No answer in time.
    #[error("send spans to {endpoint}: no answer within {timeout:?}")]
    Timeout {
        /// Where to.
        endpoint: String,
        /// How long was waited.
        timeout: Duration,
    },
    /// An HTTP status other than success.
    #[error("send spans to {endpoint}: status {status}")]
    Status {
        /// Where to.
        endpoint: String,
        /// The status.
        status: http::StatusCode,
    },
    /// A gRPC status other than OK.
    #[error("send spans to {endpoint}: {code:?}: {message}")]
    Grpc {
        /// Where to.
        endpoint: String,
        /// The status.
        code: tonic::Code,
        /// The receiver's words.
        message: String,
    },
    /// The receiver took the batch, but not all spans.
    #[error("{endpoint} rejected {rejected} spans: {message}")]
    Rejected {
        /// Where to.
        endpoint: String,
        /// How many.
        rejected: i64,
        /// The receiver's words.
        message: String,
    },
    /// The request could not be built.
    #[error("prepare the request to {endpoint}")]
    Prepare {
        /// Where to.
        endpoint: String,
        /// What is wrong.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl ExportError {
    /// Whether the same batch may succeed later (OTLP specification, "Failures").
    pub fn retryable(&self) -> bool {
        use tonic::Code;
        match self {
            Self::Send { .. } | Self::Timeout { .. } => true,
            Self::Status { status, .. } => matches!(status.as_u16(), 429 | 502 | 503 | 504),
            Self::Grpc { code, .. } => matches!(
                code,
                Code::Cancelled
                    | Code::DeadlineExceeded
                    | Code::Aborted
                    | Code::OutOfRange
                    | Code::Unavailable
                    | Code::DataLoss
            ),
            Self::Rejected { .. } | Self::Prepare { .. } => false,
        }
    }
}

/// Sends `request` with a time limit; an answer without success is an error.
pub(super) async fn post(
    client: &dyn HttpPost,
    endpoint: &str,
    timeout: Duration,
    request: http::Request<Bytes>,
) -> Result<Bytes, ExportError> {
    let endpoint = || endpoint.to_owned();
    let answer = match tokio::time::timeout(timeout, client.send(request)).await {
        Err(_) => {
            let endpoint = endpoint();
            return Err(ExportError::Timeout { endpoint, timeout });
        }
        Ok(answer) => answer.map_err(|source| ExportError::Send {
            endpoint: endpoint(),
            source,
        })?,
    };
    match answer.status() {
        status if status.is_success() => Ok(answer.into_body()),
        status => Err(ExportError::Status {
            endpoint: endpoint(),
            status,
        }),
    }
}
