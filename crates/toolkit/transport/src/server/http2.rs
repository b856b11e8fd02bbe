//! HTTP/2 on an accepted connection.

use std::{
    convert::Infallible,
    pin::{Pin, pin},
};

use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tower_service::Service;

use super::{
    Options,
    io::Io,
    pings::Policed,
    signals::{Event, Signals},
    watch::{Answer, Exchanges, OpenExchange, Sent},
};
use crate::{Body, coalesce::Coalesced};

/// Flow-control window of a stream: what may be in flight on it, in bytes; see the client's for the reasons.
const STREAM_WINDOW: u32 = 1024 * 1024;
/// That of a connection: as much as all streams that a client of ours has on one. Were it less, a few uploads that nobody
/// reads would use it up, and hold up every other exchange on the connection.
const CONNECTION_WINDOW: u32 = 100 * STREAM_WINDOW;
/// Looks at a connection in the time that it may be idle.
const IDLE_TICKS: u32 = 12;

/// Serves a connection until it ends.
pub(super) async fn serve<S>(io: Io, service: S, options: Options, mut signals: Pin<&mut Signals<'_>>)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    signals
        .as_mut()
        .tick_every(options.max_idle.map(|max| max / IDLE_TICKS));
    let exchanges = Exchanges::default();
    let adapter = Adapter {
        service,
        exchanges: exchanges.clone(),
    };
    let io = Coalesced::new(TokioIo::new(Policed::new(io, options.min_ping)));
    let mut connection = pin!(builder(options).serve_connection(io, adapter));
    if signals.is_closing() {
        connection.as_mut().graceful_shutdown();
    }
    let mut idle = 0;
    loop {
        match signals.as_mut().next(&mut connection).await {
            Event::Ended(Ok(())) | Event::Stop => return,
            Event::Ended(Err(error)) => {
                tracing::debug!(%error, "connection ended early");
                return;
            }
            Event::Intake => connection.as_mut().graceful_shutdown(),
            Event::Tick => {
                idle = if exchanges.are_quiet() { idle + 1 } else { 0 };
                if idle == IDLE_TICKS {
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

fn builder(options: Options) -> http2::Builder<TokioExecutor> {
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
struct Adapter<S> {
    service: S,
    exchanges: Exchanges,
}

impl<S> hyper::service::Service<Request<Incoming>> for Adapter<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    type Response = Response<Sent<OpenExchange>>;
    type Error = Infallible;
    type Future = Answer<S::Future, OpenExchange>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        // Services of this crate are ready at all times; those with a limit queue inside.
        let answer = self.service.clone().call(request.map(Body::from));
        Answer::new(answer, self.exchanges.begin())
    }
}
