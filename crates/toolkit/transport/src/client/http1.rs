//! HTTP/1.1 connections to one target, kept open between exchanges.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, Weak},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use outrigger_base_task::TaskSet;
use thread_local::ThreadLocal;
use tokio::time::Instant;

use super::{Connect, Failed, Io, framing};
use crate::{Body, Error};

/// Idle connections kept for each thread. More at once than this would be a burst; the next one can connect again.
const MAX_IDLE_PER_THREAD: usize = 256;

/// Idle time after which a connection is not used again. Servers commonly close at 60 s or more; those that close
/// earlier are noticed when they do.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

type Sender = http1::SendRequest<Body>;

/// A pool of HTTP/1.1 connections to one target.
///
/// Each thread has idle connections of its own, the last one used first: where every worker thread runs a runtime of
/// its own, an exchange never leaves its thread and no two threads meet at a lock.
#[derive(Clone)]
pub struct Http1Pool(Arc<Inner>);

struct Inner {
    connect: Connect,
    tasks: TaskSet,
    /// Of each thread, the one used last at the back.
    idle: ThreadLocal<Mutex<VecDeque<(Sender, Instant)>>>,
}

impl Http1Pool {
    /// A pool without a connection. Connections are driven by tasks of `tasks`.
    pub fn new(connect: Connect, tasks: TaskSet) -> Self {
        Self(Arc::new(Inner {
            connect,
            tasks,
            idle: ThreadLocal::new(),
        }))
    }

    /// How connections are made.
    pub fn connect(&self) -> &Connect {
        &self.0.connect
    }

    /// Sends a request in origin form (the path only, a `Host` header set) and returns the head of the answer.
    ///
    /// Where a kept connection turns out to be closed and nothing was sent, the request goes out on another one.
    /// Dropping the future or the body before its end closes the connection.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Body>, Failed> {
        let request = match self.send_idle(request).await {
            Ok(done) => return done,
            Err(unsent) => unsent,
        };
        match self.0.connect.connect().await {
            Ok(io) => self.send_on(io, request).await,
            Err(error) => Err(Failed::unsent(error, request)),
        }
    }

    /// Sends a request on a kept connection. `Err` gives the request back: there is no connection that can take it.
    pub async fn send_idle(
        &self,
        mut request: Request<Body>,
    ) -> Result<Result<Response<Body>, Failed>, Request<Body>> {
        if let Err(failed) = framing::complete(&mut request).await {
            return Ok(Err(failed));
        }
        while let Some(mut sender) = self.0.take_idle() {
            match sender.try_send_request(request).await {
                Ok(response) => return Ok(Ok(self.pooled(response, sender))),
                Err(mut failed) => match failed.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Ok(Err(Failed::lost(Error::exchange(failed.into_error())))),
                },
            }
        }
        Err(request)
    }

    /// Sends a request on a connection that was made by the caller, which then joins the pool.
    pub async fn send_on(&self, io: Io, mut request: Request<Body>) -> Result<Response<Body>, Failed> {
        framing::complete(&mut request).await?;
        let mut sender = match self.0.open(io).await {
            Ok(sender) => sender,
            Err(error) => return Err(Failed::unsent(error, request)),
        };
        match sender.try_send_request(request).await {
            Ok(response) => Ok(self.pooled(response, sender)),
            Err(mut failed) => match failed.take_message() {
                Some(unsent) => Err(Failed::unsent(Error::NotSent, unsent)),
                None => Err(Failed::lost(Error::exchange(failed.into_error()))),
            },
        }
    }

    /// Closes every idle connection.
    pub fn clear(&self) {
        for shard in &self.0.idle {
            shard.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// Closes connections that have been idle for `idle`. Returns how many there were.
    pub fn purge(&self, idle: Duration) -> usize {
        let mut purged = 0;
        for shard in &self.0.idle {
            let mut kept = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let before = kept.len();
            kept.retain(|(sender, since)| !sender.is_closed() && since.elapsed() < idle);
            purged += before - kept.len();
        }
        purged
    }

    fn pooled(&self, response: Response<Incoming>, sender: Sender) -> Response<Body> {
        let (mut head, body) = response.into_parts();
        // The version belongs to this hop; a server of old must not make the next one close its connection.
        head.version = Version::HTTP_11;
        let mut lease = Lease {
            pool: Arc::downgrade(&self.0),
            sender: Some(sender),
        };
        if body.is_end_stream() {
            lease.give_back();
            return Response::from_parts(head, Body::empty());
        }
        Response::from_parts(head, PooledBody { body, lease }.into())
    }
}

impl Inner {
    fn shard(&self) -> &Mutex<VecDeque<(Sender, Instant)>> {
        self.idle.get_or_default()
    }

    fn take_idle(&self) -> Option<Sender> {
        let mut idle = self.shard().lock().unwrap_or_else(PoisonError::into_inner);
        let (sender, since) = loop {
            let (sender, since) = idle.pop_back()?;
            if !sender.is_closed() {
                break (sender, since);
            }
        };
        if since.elapsed() < IDLE_TIMEOUT {
            return Some(sender);
        }
        // The last one used is too old, so all are.
        idle.clear();
        None
    }

    fn put_idle(&self, sender: Sender) {
        if sender.is_closed() {
            return;
        }
        let now = Instant::now();
        let mut idle = self.shard().lock().unwrap_or_else(PoisonError::into_inner);
        // What a burst left behind is not used again while fewer are enough, and would stay for ever.
        while idle
            .front()
            .is_some_and(|(_, since)| now - *since >= IDLE_TIMEOUT)
        {
            idle.pop_front();
        }
        if idle.len() < MAX_IDLE_PER_THREAD {
            idle.push_back((sender, now));
        }
    }

    async fn open(&self, io: Io) -> Result<Sender, Error> {
        let (sender, connection) = http1::Builder::new()
            .preserve_header_case(false)
            .handshake(TokioIo::new(io))
            .await
            .map_err(Error::broken)?;
        let stop = self.tasks.signal().clone();
        self.tasks.spawn("http1-client-connection", async move {
            // The exchange itself reports the error; an idle connection that ends is no news.
            let _ = stop.run_until(connection.with_upgrades()).await;
        });
        Ok(sender)
    }
}

impl fmt::Debug for Http1Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http1Pool")
            .field("connect", &self.0.connect)
            .finish_non_exhaustive()
    }
}

/// A connection in use, which goes back to its pool after a whole exchange.
struct Lease {
    pool: Weak<Inner>,
    sender: Option<Sender>,
}

impl Lease {
    fn give_back(&mut self) {
        if let (Some(pool), Some(sender)) = (self.pool.upgrade(), self.sender.take()) {
            pool.put_idle(sender);
        }
    }
}

/// The body of an answer. When it has ended its connection goes back to the pool; dropped before, it is closed.
pub struct PooledBody {
    body: Incoming,
    lease: Lease,
}

impl HttpBody for PooledBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            None => self.lease.give_back(),
            // Trailers are the end, and whoever has them does not ask again.
            Some(Ok(frame)) if frame.is_trailers() || self.body.is_end_stream() => self.lease.give_back(),
            Some(Ok(_)) => {}
            Some(Err(_)) => self.lease.sender = None,
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Error::body)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;
