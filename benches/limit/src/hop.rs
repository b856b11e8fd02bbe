//! A proxy of one hop that does only what a hop cannot do without: read a head, write a head, pass the body on.
//!
//! It has no routing, no policy, no metrics and no tracing; what it costs is what the transport costs. Connections to
//! the upstream stay open: with HTTP/1.1 on both sides each downstream connection has its own, otherwise a core has a
//! pool. A request that the upstream does not answer gets 502 with the reason; it is not tried again.

mod upstream;

use std::{convert::Infallible, error::Error, io, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use clap::ValueEnum;
use http::{Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use outrigger_base_std::chain;
use tokio::net::TcpStream;

use crate::serve::Server;
use upstream::Upstream;

/// What is spoken on one side of a hop; both without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// HTTP/1.1 with kept-alive connections.
    H1,
    /// HTTP/2 with prior knowledge.
    H2,
}

/// Where a hop forwards to, and how.
#[derive(Clone, Copy, Debug)]
pub struct Hop {
    /// What is spoken with the client.
    pub downstream: Protocol,
    /// The next process.
    pub upstream: SocketAddr,
    /// What is spoken with it.
    pub upstream_protocol: Protocol,
}

type Body = Either<Incoming, Full<Bytes>>;

/// Starts a hop.
///
/// # Errors
/// When the address cannot be bound.
pub fn start(addr: SocketAddr, threads: usize, hop: Hop) -> io::Result<Server> {
    Server::start(addr, threads, move || {
        let of_the_core = Arc::new(Upstream::shared(hop.upstream, hop.upstream_protocol));
        move |stream| connection(stream, hop, Arc::clone(&of_the_core))
    })
}

async fn connection(stream: TcpStream, hop: Hop, of_the_core: Arc<Upstream>) {
    let upstream = match (hop.downstream, hop.upstream_protocol) {
        (Protocol::H1, Protocol::H1) => Arc::new(Upstream::pinned(hop.upstream)),
        _ => of_the_core,
    };
    let service = service_fn(move |request| {
        let upstream = Arc::clone(&upstream);
        async move { Ok::<_, Infallible>(forward(&upstream, request).await) }
    });
    let io = TokioIo::new(stream);
    // A client that goes away is the end of its connection and nothing more.
    let _ = match hop.downstream {
        Protocol::H1 => http1::Builder::new().serve_connection(io, service).await,
        Protocol::H2 => {
            http2::Builder::new(TokioExecutor::new())
                .serve_connection(io, service)
                .await
        }
    };
}

async fn forward(upstream: &Upstream, request: Request<Incoming>) -> Response<Body> {
    match upstream.send(request).await {
        Ok(response) => response.map(Either::Left),
        Err(error) => bad_gateway(&error),
    }
}

fn bad_gateway(error: &(dyn Error + 'static)) -> Response<Body> {
    let mut response = Response::new(Either::Right(Full::new(chain(error).into())));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}
