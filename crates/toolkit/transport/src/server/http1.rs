//! HTTP/1.1 on an accepted connection.

use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::Either;
use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::rt::TokioIo;
use tower_service::Service;

use super::{
    HEAD_TICKS, Options, http2,
    io::Io,
    linger,
    signals::{Event, Signals},
    upgrade::{self, Slot},
    watch::{Answer, Answering, Look, Sent, Watch},
};
use crate::Body;

/// How the use of a connection ends.
enum End {
    /// There is nothing in hand, and more may come.
    Quiet(Io),
    /// It goes on with HTTP/2, and this request as a frame.
    Upgrade(Io, Bytes),
    /// It is closed.
    Closed,
}

/// Serves a connection until it ends. Between requests that are far apart it is no more than its socket: the buffers that
/// an exchange needs are most of what a connection costs.
pub(super) async fn serve<S>(mut io: Io, service: S, options: Options, mut signals: Pin<&mut Signals<'_>>)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    loop {
        // In a box, so that it takes no room while the connection is quiet.
        let used = Box::pin(exchanges(io, service.clone(), options, signals.as_mut()));
        io = match used.await {
            End::Quiet(kept) => kept,
            End::Upgrade(kept, first) => {
                let upgraded = Box::pin(upgrade::splice(kept, first, signals.as_mut())).await;
                if let Some(kept) = upgraded {
                    Box::pin(http2::serve(kept, service, options, signals)).await;
                }
                return;
            }
            End::Closed => return,
        };
        if !goes_on(&io, options.tick(), signals.as_mut()).await {
            return;
        }
    }
}

/// Waits as long as the client likes. Whether there is more to read.
async fn goes_on(io: &Io, tick: Duration, mut signals: Pin<&mut Signals<'_>>) -> bool {
    signals.as_mut().tick_every(None);
    let mut readable = pin!(io.readable());
    let event = signals.as_mut().next(&mut readable).await;
    signals.tick_every(Some(tick));
    matches!(event, Event::Ended(Ok(())))
}

/// Serves requests until the connection is quiet or has ended.
async fn exchanges<S>(mut io: Io, service: S, options: Options, mut signals: Pin<&mut Signals<'_>>) -> End
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    io.keep_open();
    let (watch, slot) = (io.watch().clone(), Slot::default());
    let adapter = Adapter {
        service,
        slot: options.http2.then(|| slot.clone()),
        watch: watch.clone(),
    };
    let mut connection = builder(options).serve_connection(TokioIo::new(io), adapter);
    let Some((ended, is_quiet)) = drive(&mut connection, &watch, signals.as_mut()).await else {
        return End::Closed;
    };
    let parts = connection.into_parts();
    let mut io = parts.io.into_inner();
    io.put_back(parts.read_buf);
    if let Some(first) = slot.take() {
        return End::Upgrade(io, first);
    }
    // Only where nothing is left of the last exchange: what nobody has read of its body must not become a request.
    if is_quiet && ended.is_ok() && watch.may_go_on() && !signals.is_closing() {
        io.skip_empty_lines();
        return End::Quiet(io);
    }
    if let Err(error) = &ended {
        tracing::debug!(%error, "connection ended early");
    }
    if ended.is_err() || watch.is_cut() {
        Box::pin(linger::close(io, signals)).await;
    }
    End::Closed
}

/// Drives a connection to its end: how it ended, and whether it was told to because it was quiet. `None` when it is given
/// up.
async fn drive<S>(
    connection: &mut http1::Connection<TokioIo<Io>, Adapter<S>>,
    watch: &Watch,
    mut signals: Pin<&mut Signals<'_>>,
) -> Option<(hyper::Result<()>, bool)>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    let (mut late, mut is_quiet) = (0, false);
    let mut turns = Turns { connection, watch };
    loop {
        match signals.as_mut().next(&mut turns).await {
            Event::Ended(ended) => return Some((ended, is_quiet)),
            Event::Stop => return None,
            Event::Intake => Pin::new(&mut *turns.connection).graceful_shutdown(),
            Event::Tick => match watch.look() {
                Look::Busy => late = 0,
                Look::Head if late == HEAD_TICKS => {
                    tracing::debug!("a connection is closed whose head did not come in time");
                    return None;
                }
                Look::Head => late += 1,
                Look::Quiet => {
                    // At rest it ends at once, and gives its socket back.
                    is_quiet = true;
                    Pin::new(&mut *turns.connection).graceful_shutdown();
                }
            },
        }
    }
}

/// A connection whose watch is told of the turns in which hyper deals with what nobody reads.
struct Turns<'c, S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    connection: &'c mut http1::Connection<TokioIo<Io>, Adapter<S>>,
    watch: &'c Watch,
}

impl<S> Future for Turns<'_, S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    type Output = hyper::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let drains = self.watch.begin_drain();
        let polled = Pin::new(&mut *self.connection).poll(cx);
        if drains {
            self.watch.end_drain();
        }
        if polled.is_pending() && self.watch.is_to_drain() {
            // hyper wakes itself only when it has not read the body yet. Without this turn the next head would have it.
            cx.waker().wake_by_ref();
        }
        polled
    }
}

fn builder(options: Options) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // No timer: hyper's header timeout also closes kept connections and costs each request an allocation.
    // No half-close: a client that gives up an answer closes its end, and what is done for it must be let go.
    builder
        .header_read_timeout(None)
        .half_close(false)
        .max_header_size(options.max_head);
    builder
}

/// A tower service as hyper calls it over HTTP/1.1, where requests may ask for HTTP/2.
struct Adapter<S> {
    service: S,
    /// `None` where HTTP/2 is switched off.
    slot: Option<Slot>,
    watch: Watch,
}

impl<S> hyper::service::Service<Request<Incoming>> for Adapter<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    type Response = Response<Sent<Answering>>;
    type Error = Infallible;
    type Future =
        Either<Answer<S::Future, Answering>, Answer<Ready<Result<Response<Body>, Infallible>>, Answering>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let answering = self.watch.begin();
        let upgraded = self.slot.as_ref().and_then(|slot| slot.upgrade(&request));
        match upgraded {
            Some(answer) => Either::Right(Answer::new(ready(Ok(answer)), answering)),
            None => {
                let request = request.map(|body| self.watch.upload(body));
                Either::Left(Answer::new(self.service.clone().call(request), answering))
            }
        }
    }
}
