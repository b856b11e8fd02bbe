//! One accepted connection, from its preface to its end.

use std::{convert::Infallible, future::Future, pin::pin};

use http::{Request, Response};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use outrigger_base_task::StopSignal;
use tower_service::Service;

use super::{HEAD_TIMEOUT, Options, listen::Stream};
use crate::Body;

/// Flow-control windows of a server connection; see the client's for the reasons.
const STREAM_WINDOW: u32 = 1024 * 1024;
/// See [`STREAM_WINDOW`].
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;

/// Serves a connection. When `intake` goes off it finishes the exchange in hand and ends.
pub(super) async fn run<S>(stream: Stream, service: S, options: Options, intake: StopSignal)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let waited = intake
        .run_until(tokio::time::timeout(HEAD_TIMEOUT, stream.begins_with_http2()))
        .await;
    let Some(Ok(Ok(begins_with_http2))) = waited else {
        return;
    };
    let service = Adapter(service);
    let io = TokioIo::new(stream);
    match begins_with_http2 {
        Some(true) if options.http2 => {
            let connection = http2_builder(options).serve_connection(io, service);
            finish(connection, intake, http2::Connection::graceful_shutdown).await;
        }
        Some(false) if options.http1 => {
            let connection = http1_builder(options)
                .serve_connection(io, service)
                .with_upgrades();
            finish(
                connection,
                intake,
                http1::UpgradeableConnection::graceful_shutdown,
            )
            .await;
        }
        None => {
            let builder = auto::Builder::new(TokioExecutor::new());
            let connection = builder.serve_connection(io, service).into_owned();
            finish(connection, intake, auto::Connection::graceful_shutdown).await;
        }
        // The protocol is switched off here: the connection is closed, as by a server that does not know it.
        Some(_) => {}
    }
}

/// Drives a connection to its end; tells it to end when `intake` goes off.
async fn finish<C, E>(connection: C, intake: StopSignal, shut_down: impl FnOnce(std::pin::Pin<&mut C>))
where
    C: Future<Output = Result<(), E>>,
    E: std::fmt::Display,
{
    let mut connection = pin!(connection);
    let mut stopped = pin!(intake.stopped());
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = stopped.as_mut() => {
            shut_down(connection.as_mut());
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}

fn http1_builder(options: Options) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // No timer: hyper's header timeout also closes kept connections and costs each request an allocation.
    builder
        .header_read_timeout(None)
        .half_close(true)
        .max_header_size(options.max_head);
    builder
}

fn http2_builder(options: Options) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(options.ping_interval)
        .keep_alive_timeout(options.ping_timeout)
        .max_concurrent_streams(options.max_streams)
        .max_header_list_size(u32::try_from(options.max_head).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    builder
}

/// A tower service as hyper calls it.
#[derive(Clone)]
struct Adapter<S>(S);

impl<S> hyper::service::Service<Request<Incoming>> for Adapter<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = S::Future;

    fn call(&self, request: Request<Incoming>) -> S::Future {
        // Services of this crate are ready at all times; those with a limit queue inside.
        self.0.clone().call(request.map(Body::from))
    }
}
