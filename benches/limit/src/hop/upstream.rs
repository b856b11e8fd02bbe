//! The connections of a hop to its next process.

use std::{
    io,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
};

use http::{
    HeaderValue, Request, Response, Uri, Version,
    header::{CONNECTION, HOST, TRANSFER_ENCODING},
    uri::{Authority, InvalidUriParts, PathAndQuery, Scheme},
};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::Protocol;

/// Why a request got no answer from the upstream.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpstreamError {
    /// No connection could be opened.
    #[error("connecting to {addr}")]
    Connect {
        /// The next process.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The connection broke, or what came was not HTTP.
    #[error("forwarding")]
    Http(#[from] hyper::Error),
    /// The request's path cannot be written for the upstream.
    #[error("rewriting the request's URI")]
    Uri(#[from] InvalidUriParts),
}

/// Connections to one address, opened when first needed.
pub(super) enum Upstream {
    /// One HTTP/1.1 connection, for one downstream connection that has one request at a time.
    Pinned {
        addr: SocketAddr,
        sender: Mutex<Option<http1::SendRequest<Incoming>>>,
    },
    /// HTTP/1.1 connections of a core whose clients speak HTTP/2: as many as there are requests at a time.
    Pool {
        addr: SocketAddr,
        senders: Mutex<Vec<http1::SendRequest<Incoming>>>,
    },
    /// One HTTP/2 connection of a core.
    Multiplexed {
        addr: SocketAddr,
        authority: Option<Authority>,
        sender: Mutex<Option<http2::SendRequest<Incoming>>>,
    },
}

impl Upstream {
    pub(super) fn pinned(addr: SocketAddr) -> Self {
        Self::Pinned {
            addr,
            sender: Mutex::default(),
        }
    }

    pub(super) fn shared(addr: SocketAddr, protocol: Protocol) -> Self {
        match protocol {
            Protocol::H1 => Self::Pool {
                addr,
                senders: Mutex::default(),
            },
            Protocol::H2 => Self::Multiplexed {
                addr,
                authority: addr.to_string().parse().ok(),
                sender: Mutex::default(),
            },
        }
    }

    /// Forwards one request; the answer's body is still on its way when this returns.
    pub(super) async fn send(&self, request: Request<Incoming>) -> Result<Response<Incoming>, UpstreamError> {
        match self {
            Self::Pinned { addr, sender } => {
                let request = for_h1(request)?;
                let kept = lock(sender).take();
                let mut connection = ready_or_new(kept, *addr).await?;
                let response = connection.send_request(request).await?;
                *lock(sender) = Some(connection);
                Ok(response)
            }
            Self::Pool { addr, senders } => {
                let request = for_h1(request)?;
                let kept = take_ready(&mut lock(senders));
                let mut connection = ready_or_new(kept, *addr).await?;
                let response = connection.send_request(request).await?;
                lock(senders).push(connection);
                Ok(response)
            }
            Self::Multiplexed {
                addr,
                authority,
                sender,
            } => {
                let request = for_h2(request, authority.clone())?;
                let kept = lock(sender)
                    .as_ref()
                    .filter(|sender| !sender.is_closed())
                    .cloned();
                let mut connection = match kept {
                    Some(connection) => connection,
                    None => {
                        let connection = connect_h2(*addr).await?;
                        *lock(sender) = Some(connection.clone());
                        connection
                    }
                };
                connection.ready().await?;
                Ok(connection.send_request(request).await?)
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The connection that was used last and is free: one whose answer is still being read is not.
fn take_ready(senders: &mut Vec<http1::SendRequest<Incoming>>) -> Option<http1::SendRequest<Incoming>> {
    senders.retain(|sender| !sender.is_closed());
    let free = senders.iter().rposition(http1::SendRequest::is_ready)?;
    Some(senders.swap_remove(free))
}

async fn ready_or_new(
    kept: Option<http1::SendRequest<Incoming>>,
    addr: SocketAddr,
) -> Result<http1::SendRequest<Incoming>, UpstreamError> {
    if let Some(mut connection) = kept
        && connection.ready().await.is_ok()
    {
        return Ok(connection);
    }
    let (sender, connection) = http1::handshake(TokioIo::new(connect(addr).await?)).await?;
    // Ends with the sender, or when the upstream closes.
    tokio::spawn(connection);
    Ok(sender)
}

async fn connect_h2(addr: SocketAddr) -> Result<http2::SendRequest<Incoming>, UpstreamError> {
    let io = TokioIo::new(connect(addr).await?);
    let (sender, connection) = http2::Builder::new(TokioExecutor::new()).handshake(io).await?;
    // Ends with the last sender, or when the upstream closes.
    tokio::spawn(connection);
    Ok(sender)
}

async fn connect(addr: SocketAddr) -> Result<TcpStream, UpstreamError> {
    let failed = |source| UpstreamError::Connect { addr, source };
    let stream = TcpStream::connect(addr).await.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    Ok(stream)
}

/// Origin form and a `Host`, as HTTP/1.1 wants them; a request that came by HTTP/1.1 already has both.
fn for_h1(mut request: Request<Incoming>) -> Result<Request<Incoming>, UpstreamError> {
    if request.version() == Version::HTTP_2 {
        let uri = std::mem::take(request.uri_mut());
        if let Some(authority) = uri.authority()
            && !request.headers().contains_key(HOST)
            && let Ok(host) = HeaderValue::from_str(authority.as_str())
        {
            request.headers_mut().insert(HOST, host);
        }
        let path = uri
            .into_parts()
            .path_and_query
            .unwrap_or_else(|| PathAndQuery::from_static("/"));
        *request.uri_mut() = Uri::from(path);
        *request.version_mut() = Version::HTTP_11;
    }
    Ok(request)
}

/// Absolute form and no connection headers, as HTTP/2 wants it.
fn for_h2(
    mut request: Request<Incoming>,
    authority: Option<Authority>,
) -> Result<Request<Incoming>, UpstreamError> {
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = parts.authority.or(authority);
    *request.uri_mut() = Uri::from_parts(parts)?;
    *request.version_mut() = Version::HTTP_2;
    for name in [HOST, CONNECTION, TRANSFER_ENCODING] {
        request.headers_mut().remove(name);
    }
    Ok(request)
}
