//! One accepted connection, from its preface to its end.

use std::{
    convert::Infallible,
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::future::{Either, Ready, ready};
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

use super::{
    HEAD_TIMEOUT, Options,
    listen::Stream,
    upgrade::{Joined, Slot},
};
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
    let io = TokioIo::new(stream);
    match begins_with_http2 {
        // Idle connections are HTTP/1.1 as a rule: only they are kept in this future, the larger others in a box.
        Some(true) if options.http2 => Box::pin(serve_http2(io, service, options, intake)).await,
        Some(false) if options.http1 => serve_http1(io, service, options, intake).await,
        None => Box::pin(serve_either(io, service, intake)).await,
        // The protocol is switched off here: the connection is closed, as by a server that does not know it.
        Some(_) => {}
    }
}

async fn serve_http1<S>(io: TokioIo<Stream>, service: S, options: Options, intake: StopSignal)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let slot = Slot::default();
    let first_head = FirstHead::default();
    let adapter = Upgradable {
        service: service.clone(),
        slot: options.http2.then(|| slot.clone()),
        first_head: first_head.clone(),
    };
    {
        let connection = pin!(
            http1_builder(options)
                .serve_connection(io, adapter)
                .with_upgrades()
        );
        let shut_down = http1::UpgradeableConnection::graceful_shutdown;
        tokio::select! {
            biased;
            () = finish(connection, &intake, shut_down) => {}
            () = first_head.late() => {
                tracing::debug!("a connection is closed whose first head did not come in time");
                return;
            }
        }
    }
    if let Some(upgrade) = slot.take()
        && let Ok(upgraded) = upgrade.on.await
    {
        let io = Joined::new(TokioIo::new(upgraded), upgrade.first);
        Box::pin(serve_http2(TokioIo::new(io), service, options, intake)).await;
    }
}

async fn serve_http2<I, S>(io: I, service: S, options: Options, intake: StopSignal)
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send,
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let connection = pin!(http2_builder(options).serve_connection(io, Adapter(service)));
    finish(connection, &intake, http2::Connection::graceful_shutdown).await;
}

async fn serve_either<S>(io: TokioIo<Stream>, service: S, intake: StopSignal)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let builder = auto::Builder::new(TokioExecutor::new());
    let connection = pin!(builder.serve_connection(io, Adapter(service)).into_owned());
    finish(connection, &intake, auto::Connection::graceful_shutdown).await;
}

/// Drives a connection to its end; tells it to end when `intake` goes off.
async fn finish<C, E>(mut connection: Pin<&mut C>, intake: &StopSignal, shut_down: impl FnOnce(Pin<&mut C>))
where
    C: Future<Output = Result<(), E>>,
    E: std::fmt::Display,
{
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

/// Whether a connection has brought a whole head yet. One that does not within [`HEAD_TIMEOUT`] is closed: bytes that
/// trickle in would hold it for ever. A connection that has brought one may be idle as long as its client likes.
#[derive(Clone, Default)]
struct FirstHead(Arc<AtomicBool>);

impl FirstHead {
    fn has_come(&self) {
        // Nothing else is told by this than that it is so.
        self.0.store(true, Ordering::Relaxed);
    }

    /// Completes when the time is over and no head has come; never when one has.
    async fn late(&self) {
        tokio::time::sleep(HEAD_TIMEOUT).await;
        if self.0.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
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

/// A tower service as hyper calls it over HTTP/1.1, where requests may ask for HTTP/2.
struct Upgradable<S> {
    service: S,
    /// `None` where HTTP/2 is switched off.
    slot: Option<Slot>,
    first_head: FirstHead,
}

impl<S> hyper::service::Service<Request<Incoming>> for Upgradable<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<Response<Body>, Infallible>>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        self.first_head.has_come();
        let upgraded = self.slot.as_ref().and_then(|slot| slot.upgrade(&mut request));
        match upgraded {
            Some(answer) => Either::Right(ready(Ok(answer))),
            None => Either::Left(self.service.clone().call(request.map(Body::from))),
        }
    }
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
