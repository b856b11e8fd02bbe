//! Accept loops: HTTP/1.1 and HTTP/2 on one port, told apart by the preface, drained without cutting an answer.

mod connection;
mod http1;
mod http2;
mod io;
mod linger;
mod listen;
mod pings;
mod signals;
mod upgrade;
mod watch;

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use http::{Request, Response};
use outrigger_base_task::{StopSignal, TaskSet};
use tokio::runtime::Handle;
use tower_service::Service;

use crate::Body;
use listen::Moving;
pub use listen::{Listener, bind};
pub(crate) use watch::Received;

/// Looks at a connection in the time of a head: a head that is not whole is found late by one of them at most.
const HEAD_TICKS: u32 = 5;
/// Pause after a failed `accept` (out of descriptors): the loop must not spin while it cannot help.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What a server accepts.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Bytes that the head of a request may have.
    pub max_head: usize,
    /// Time for the first bytes of a connection, and from the first byte of a head for the whole of it. Between requests
    /// a client may be silent as long as it likes.
    pub head_timeout: Duration,
    /// Whether HTTP/2 with prior knowledge is served.
    pub http2: bool,
    /// Whether HTTP/1.1 is served.
    pub http1: bool,
    /// HTTP/2: streams that one connection may have at a time.
    pub max_streams: u32,
    /// HTTP/2: idle time after which the server asks whether the client is still there.
    pub ping_interval: Duration,
    /// HTTP/2: time for the answer.
    pub ping_timeout: Duration,
    /// HTTP/2: time without a call after which a connection is ended in good order; `None` keeps it.
    pub max_idle: Option<Duration>,
    /// HTTP/2: time that is to lie between two pings of a client, unless something was sent to it meanwhile. One that
    /// pings oftener is told so and cut. `None` for no bound.
    pub min_ping: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            // 4 KiB and the slop that Go's server grants on top.
            max_head: 8 * 1024,
            // `ReadHeaderTimeout` of the servers we replace.
            head_timeout: Duration::from_secs(10),
            http2: true,
            http1: true,
            // As many as Dapr's pooled connections allow (dapr-1.19.md §3.7).
            max_streams: 2048,
            ping_interval: Duration::from_secs(10),
            ping_timeout: Duration::from_secs(5),
            max_idle: None,
            min_ping: None,
        }
    }
}

impl Options {
    /// Time between two looks at a connection over HTTP/1.1. One that is quiet from one to the next is taken down to its
    /// socket.
    fn tick(&self) -> Duration {
        self.head_timeout / HEAD_TICKS
    }
}

/// What is known of a connection before its first request.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// The other side; `None` on a Unix socket.
    pub address: Option<SocketAddr>,
}

/// Serves connections until `intake` goes off; then accepts no more, finishes what is in flight and returns when the
/// last connection has ended. Connections are tasks of `tasks`: closing it cuts those that do not end.
///
/// Connections go to the runtimes of `workers` in turn, and stay there: an even spread, which a kernel that hashes
/// addresses onto several sockets does not give. Without workers they run where the loop runs.
///
/// `make` is called once for each connection, the service it returns is cloned for each request.
pub async fn serve<M, S>(
    listener: Listener,
    make: M,
    options: Options,
    workers: Vec<Handle>,
    tasks: TaskSet,
    intake: StopSignal,
) where
    M: Fn(Peer) -> S,
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let connections = tasks.child("connections");
    let name: Arc<str> = "server-connection".into();
    let mut turn = 0usize;
    while let Some(accepted) = intake.run_until(listener.accept()).await {
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                let _ = intake.run_until(tokio::time::sleep(ACCEPT_PAUSE)).await;
                continue;
            }
        };
        turn = turn.wrapping_add(1);
        let worker = (!workers.is_empty()).then(|| &workers[turn % workers.len()]);
        let (service, intake, stop) = (make(peer), intake.clone(), tasks.signal().clone());
        let moving = if worker.is_some() {
            stream.leave()
        } else {
            Ok(Moving::Stay(stream))
        };
        match moving {
            Ok(moving) => connections.spawn_on(worker, name.clone(), async move {
                let Ok(stream) = moving.arrive() else { return };
                // In a box: each layer around a future may hold it twice, and this is what an idle connection costs.
                Box::pin(connection::run(stream, service, options, stop, intake)).await;
            }),
            Err(error) => tracing::warn!(%error, "cannot hand a connection to its worker"),
        }
    }
    drop(listener);
    connections.wait().await;
}

#[cfg(test)]
mod tests;
