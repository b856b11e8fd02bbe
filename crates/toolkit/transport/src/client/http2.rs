//! HTTP/2 connections to one target.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{Request, Response};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use outrigger_base_task::TaskSet;
use thread_local::ThreadLocal;

use super::{Connect, Failed, Io};
use crate::{Body, Error};

/// How often a connection with streams in flight is pinged, so that a peer that vanished is noticed.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// How long an answer to a ping may take.
const PING_TIMEOUT: Duration = Duration::from_secs(5);
/// Flow-control windows: what one stream and one connection may have in flight. Enough for a fast loopback, little
/// enough that a reader that never reads costs only this much.
const STREAM_WINDOW: u32 = 1024 * 1024;
/// See [`STREAM_WINDOW`].
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;

type Sender = http2::SendRequest<Body>;

/// One HTTP/2 connection for each thread to one target, made when first needed and again when it has ended.
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
    sender: Mutex<Option<Sender>>,
    /// One dial at a time: those who come in the meantime wait and share its connection.
    dialling: tokio::sync::Mutex<()>,
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
        for _ in 0..2 {
            let mut sender = match self.0.sender().await {
                Ok(sender) => sender,
                Err(error) => return Err(Failed::unsent(error, request)),
            };
            match sender.try_send_request(request).await {
                Ok(response) => return Ok(response.map(Body::from)),
                Err(mut failed) => match failed.take_message() {
                    Some(unsent) => {
                        self.0.forget();
                        request = unsent;
                    }
                    None => return Err(Failed::lost(Error::broken(failed.into_error()))),
                },
            }
        }
        Err(Failed::unsent(Error::NotSent, request))
    }

    /// Whether this thread has an open connection.
    pub fn is_open(&self) -> bool {
        Inner::current(self.0.slot()).is_some()
    }

    /// Makes this thread's connection now, where there is none.
    pub async fn warm(&self) -> Result<(), Error> {
        self.0.sender().await.map(drop)
    }

    /// Lets go of every connection; streams in flight go on.
    pub fn clear(&self) {
        for slot in &self.0.slots {
            *slot.sender.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

impl Inner {
    fn slot(&self) -> &Slot {
        self.slots.get_or_default()
    }

    fn current(slot: &Slot) -> Option<Sender> {
        let sender = slot.sender.lock().unwrap_or_else(PoisonError::into_inner);
        sender.as_ref().filter(|sender| !sender.is_closed()).cloned()
    }

    fn forget(&self) {
        *self.slot().sender.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    async fn sender(&self) -> Result<Sender, Error> {
        let slot = self.slot();
        if let Some(sender) = Self::current(slot) {
            return Ok(sender);
        }
        let _turn = slot.dialling.lock().await;
        if let Some(sender) = Self::current(slot) {
            return Ok(sender);
        }
        let sender = self.open(self.connect.connect().await?).await?;
        *slot.sender.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender.clone());
        Ok(sender)
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
        let (sender, connection) = builder.handshake(TokioIo::new(io)).await.map_err(Error::broken)?;
        let stop = self.tasks.signal().clone();
        self.tasks.spawn("http2-client-connection", async move {
            // The streams report the error; a connection that ends between them is no news.
            let _ = stop.run_until(connection).await;
        });
        Ok(sender)
    }
}

impl fmt::Debug for Http2Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2Channel")
            .field("connect", &self.0.connect)
            .finish_non_exhaustive()
    }
}
