//! Why a peer could not be called.

use http::Request;
use outrigger_transport::{Body, client::Failed};

/// Why a call of a peer failed. What the app behind it answers, whatever its status, is no error here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody serves the app, as far as can be known.
    #[error("failed to resolve address for '{app}'")]
    Resolve {
        /// The app, with its namespace where one was named.
        app: String,
        /// Why.
        source: outrigger_discovery::Error,
        /// The request. `None` once it was taken out.
        again: Option<Box<Request<Body>>>,
    },
    /// The peer could not be reached, or the connection broke.
    #[error("failed to reach the sidecar of '{app}' at {address}")]
    Transport {
        /// The app.
        app: String,
        /// The peer.
        address: std::net::SocketAddr,
        /// Why.
        source: Failed,
        /// The request, where it can go out again.
        again: Option<Box<Request<Body>>>,
    },
    /// The peer answered with an error of its own.
    #[error("{message}")]
    Peer {
        /// gRPC status code that it gave or that corresponds.
        code: tonic::Code,
        /// What it says.
        message: String,
    },
    /// The request cannot be carried to this kind of peer.
    #[error("{0}")]
    Request(String),
}

impl Error {
    /// Takes the request out, where it can go out again: nothing of it was sent, or to carry it out twice is no harm.
    pub fn take_request(&mut self) -> Option<Request<Body>> {
        match self {
            Self::Resolve { again, .. } | Self::Transport { again, .. } => {
                again.take().map(|request| *request)
            }
            Self::Peer { .. } | Self::Request(_) => None,
        }
    }
}
