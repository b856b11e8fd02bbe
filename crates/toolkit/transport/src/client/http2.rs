//! HTTP/2 connections to one target.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::{body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use outrigger_base_std::chain;
use outrigger_base_task::TaskSet;
use thread_local::ThreadLocal;
use tokio::time::Instant;

use super::{Connect, Failed, Io};
use crate::{Body, Error, coalesce::Coalesced};

/// How often a connection with streams in flight is pinged, so that a peer that vanished is noticed.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// How long an answer to a ping may take.
const PING_TIMEOUT: Duration = Duration::from_secs(5);
/// Flow-control window of a stream: what may be in flight on it, in bytes. Enough for a fast loopback, little enough that
/// a reader that never reads costs only this much.
const STREAM_WINDOW: u32 = 1024 * 1024;
/// That of a connection: as much as all of its streams together. Were it less, a few readers that never read would use it
/// up, and hold up every other exchange on the connection.
const CONNECTION_WINDOW: u32 = STREAM_WINDOW * MAX_EXCHANGES as u32;

/// Exchanges that one connection carries at a time; for one more another connection is made. Servers are asked to allow
/// at least as many (RFC 9113, section 6.5.2), and many allow no more: those above would wait for their turn.
const MAX_EXCHANGES: usize = 100;

type Sender = http2::SendRequest<Body>;

/// HTTP/2 connections of each thread to one target, made when they are needed. One carries many exchanges at a time:
/// there is a second one only for what a server may not take on the first.
#[derive(Clone)]
pub struct Http2Channel(Arc<Inner>);

struct Inner {
    connect: Connect,
    tasks: TaskSet,
    max_header_list: u32,
    slots: ThreadLocal<Slot>,
}

#[derive(Default)]
struct Slot {
    lines: Mutex<Vec<Line>>,
    /// One dial at a time: those who come in the meantime wait and share its connection, or its failure. Were each to
    /// dial again, the last of many would wait for as many timeouts.
    dialling: tokio::sync::Mutex<Option<FailedDial>>,
}

/// A dial that failed.
struct FailedDial {
    at: Instant,
    target: String,
    reason: String,
}

/// A connection.
struct Line {
    sender: Sender,
    /// Held by every exchange on it.
    load: Load,
    /// When an exchange began on it last.
    used: Instant,
}

/// Stands for one exchange on a connection, until its answer has ended.
type Load = Arc<()>;

impl Line {
    fn exchanges(&self) -> usize {
        Arc::strong_count(&self.load) - 1
    }
}

impl Http2Channel {
    /// A channel without a connection; headers of an answer may have `max_header_list` bytes in all.
    pub fn new(connect: Connect, tasks: TaskSet, max_header_list: u32) -> Self {
        Self(Arc::new(Inner {
            connect,
            tasks,
            max_header_list,
            slots: ThreadLocal::new(),
        }))
    }

    /// How connections are made.
    pub fn connect(&self) -> &Connect {
        &self.0.connect
    }

    /// Sends a request with an absolute URI and returns the head of the answer. A stream refused before it began goes
    /// out again on a new connection.
    pub async fn send(&self, mut request: Request<Body>) -> Result<Response<Body>, Failed> {
        let cut = request.body_mut().watch_for_cut();
        let is_cut = || cut.as_ref().is_some_and(|cut| cut.load(Ordering::Acquire));
        for _ in 0..2 {
            let (mut sender, load) = match self.0.line().await {
                Ok(line) => line,
                Err(error) => return Err(Failed::unsent(error, request)),
            };
            match sender.try_send_request(request).await {
                Ok(response) => return Ok(response.map(|body| LeasedBody { body, load }.into())),
                Err(mut failed) => match failed.take_message() {
                    Some(unsent) => {
                        self.0.forget(&load);
                        request = unsent;
                    }
                    // The stream was reset because its body was cut, not by the other side.
                    None if is_cut() => return Err(Failed::lost(Error::body(failed.into_error()))),
                    None => return Err(Failed::lost(Error::broken(failed.into_error()))),
                },
            }
        }
        Err(Failed::unsent(Error::NotSent, request))
    }

    /// Whether this thread has an open connection.
    pub fn is_open(&self) -> bool {
        self.0.slot().lines().iter().any(|line| !line.sender.is_closed())
    }

    /// Makes this thread's connection now, where there is none with room for an exchange.
    pub async fn warm(&self) -> Result<(), Error> {
        self.0.line().await.map(drop)
    }

    /// Lets go of every connection; streams in flight go on.
    pub fn clear(&self) {
        for slot in &self.0.slots {
            slot.lines().clear();
        }
    }

    /// Lets go of connections on which there is no exchange and has begun none for `idle`. Returns how many there were.
    pub fn purge(&self, idle: Duration) -> usize {
        let mut purged = 0;
        for slot in &self.0.slots {
            slot.lines().retain(|line| {
                let keep = line.exchanges() > 0 || line.used.elapsed() < idle;
                purged += usize::from(!keep);
                keep
            });
        }
        purged
    }
}

impl Inner {
    fn slot(&self) -> &Slot {
        self.slots.get_or_default()
    }

    /// Lets go of the connection that carries an exchange.
    fn forget(&self, load: &Load) {
        self.slot().lines().retain(|line| !Arc::ptr_eq(&line.load, load));
    }

    /// A connection with room for one more exchange.
    async fn line(&self) -> Result<(Sender, Load), Error> {
        let slot = self.slot();
        if let Some(line) = slot.take() {
            return Ok(line);
        }
        let begun = Instant::now();
        let mut turn = slot.dialling.lock().await;
        if let Some(line) = slot.take() {
            return Ok(line);
        }
        if let Some(failed) = turn.as_ref().filter(|failed| failed.at > begun) {
            return Err(failed.error());
        }
        let dialled = match self.connect.connect().await {
            Ok(io) => self.open(io).await,
            Err(error) => Err(error),
        };
        let sender = match dialled {
            Ok(sender) => sender,
            Err(error) => {
                *turn = Some(FailedDial::new(&self.connect, &error));
                return Err(error);
            }
        };
        let load = Load::default();
        slot.lines().push(Line {
            sender: sender.clone(),
            load: load.clone(),
            used: Instant::now(),
        });
        Ok((sender, load))
    }

    async fn open(&self, io: Io) -> Result<Sender, Error> {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(self.max_header_list);
        let (sender, connection) = builder
            .handshake(Coalesced::new(TokioIo::new(io)))
            .await
            .map_err(Error::broken)?;
        let stop = self.tasks.signal().clone();
        self.tasks.spawn("http2-client-connection", async move {
            // The streams report the error; a connection that ends between them is no news.
            let _ = stop.run_until(connection).await;
        });
        Ok(sender)
    }
}

impl FailedDial {
    fn new(connect: &Connect, error: &Error) -> Self {
        Self {
            at: Instant::now(),
            target: format!("{:?}", connect.target()),
            reason: match error {
                Error::Connect { source, .. } => chain(&**source),
                other => chain(other),
            },
        }
    }

    /// The failure, for one who waited for it.
    fn error(&self) -> Error {
        Error::Connect {
            target: self.target.clone(),
            source: self.reason.clone().into(),
        }
    }
}

impl Slot {
    fn lines(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place on a connection that has room. The first ones are filled first, so that the others come to rest.
    fn take(&self) -> Option<(Sender, Load)> {
        let mut lines = self.lines();
        lines.retain(|line| !line.sender.is_closed());
        let line = lines.iter_mut().find(|line| line.exchanges() < MAX_EXCHANGES)?;
        line.used = Instant::now();
        Some((line.sender.clone(), line.load.clone()))
    }
}

/// The body of an answer, which counts as an exchange on its connection until it has ended.
pub struct LeasedBody {
    body: Incoming,
    load: Load,
}

impl LeasedBody {
    /// The body alone, once it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.body.is_end_stream()
    }
}

impl HttpBody for LeasedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.body).poll_frame(cx).map_err(Error::body)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl fmt::Debug for LeasedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeasedBody")
            .field("exchanges", &(Arc::strong_count(&self.load) - 1))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Http2Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2Channel")
            .field("connect", &self.0.connect)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
