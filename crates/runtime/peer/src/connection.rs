//! The connections to one peer.

use std::{net::SocketAddr, time::Duration};

use http::{HeaderValue, Request, Response, header::HOST};
use outrigger_base_task::TaskSet;
use outrigger_transport::{
    Body, Error,
    client::{Connect, Failed, Http1Pool, Http2Channel, Target},
};

use crate::probe::{self, Found};

/// Bytes that the head or the trailers of an answer over gRPC may have at least: the details of an app's error travel there,
/// and Dapr's sidecars take 16 MiB of them.
const ANSWER_HEAD: u32 = 1024 * 1024;

/// Connections to the sidecar at one address: the pass-through, where it is ours, and gRPC.
#[derive(Debug)]
pub(crate) struct PeerConnection {
    direct: Http1Pool,
    grpc: Http2Channel,
    host: HeaderValue,
    authority: String,
}

/// How a request can go on.
pub(crate) enum Way {
    /// It was answered over the pass-through.
    Answered(Result<Response<Body>, Failed>),
    /// The peer is not ours; the request has to go in gRPC.
    Grpc(Request<Body>),
}

impl PeerConnection {
    /// Connections that are made when they are needed.
    pub(crate) fn new(address: SocketAddr, tasks: TaskSet, max_head: u32) -> Self {
        let connect = Connect::plain(Target::Address(address));
        let authority = address.to_string();
        // A socket address is always a valid header value.
        let host = HeaderValue::from_str(&authority).unwrap_or(HeaderValue::from_static("peer"));
        Self {
            direct: Http1Pool::new(connect.clone(), tasks.clone()),
            grpc: Http2Channel::new(connect, tasks, max_head.max(ANSWER_HEAD)),
            host,
            authority,
        }
    }

    /// Sends a request for the app `id`, whose URI is a path, over the pass-through, or finds that the peer is not ours.
    pub(crate) async fn send_direct(&self, id: &str, mut request: Request<Body>) -> Way {
        request.headers_mut().insert(HOST, self.host.clone());
        *request.version_mut() = http::Version::HTTP_11;
        let request = match self.direct.send_idle(request).await {
            Ok(answered) => return Way::Answered(answered),
            Err(unsent) => unsent,
        };
        // Learnt on a connection: while gRPC to this peer is open it is not asked again.
        if self.grpc.is_open() {
            return Way::Grpc(request);
        }
        let mut io = match self.direct.connect().connect().await {
            Ok(io) => io,
            Err(error) => return Way::Answered(Err(Failed::unsent(error, request))),
        };
        let unfit = match probe::ask(&mut io, id).await {
            Ok(Found::Ours) => return Way::Answered(self.direct.send_on(io, request).await),
            Ok(Found::Another) => return Way::Grpc(request),
            Ok(Found::OfAnotherApp) => "the sidecar there belongs to another app".into(),
            Err(error) => error.into(),
        };
        let error = Error::Connect {
            target: self.authority.clone(),
            source: unfit,
        };
        Way::Answered(Err(Failed::unsent(error, request)))
    }

    /// Closes connections that have been idle for `idle`, and tells of it.
    pub(crate) fn purge(&self, idle: Duration) {
        let purged = self.direct.purge(idle) + self.grpc.purge(idle);
        if purged > 0 {
            // The words are those that Dapr's users know; between two of ours the connections are the pass-through's.
            tracing::debug!("Purged {purged} expired gRPC connection(s) to {}", self.authority);
        }
    }

    /// The gRPC connection.
    pub(crate) fn grpc(&self) -> &Http2Channel {
        &self.grpc
    }
}
