//! Answers that are kept, and refreshed before a caller has to wait for them.
//!
//! Readers look into a table that is swapped as a whole: they take no lock and allocate nothing. One task,
//! owned by the cache, asks the resolver: at most once at a time for a name, however many callers wait.

mod table;
#[cfg(test)]
mod tests;
mod worker;

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use self::{
    table::{Entry, State, Table},
    worker::{Ask, Worker},
};
use crate::{BoxFuture, Endpoints, Error, Name, NameRef, Resolve, task};

const RESOLVER: &str = "the discovery cache";

/// How many names may wait to be looked up. Beyond it a caller without an answer waits its turn, and a
/// refresh is left to the next reader.
const QUEUE: usize = 1024;

/// How long the cache keeps and trusts answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheOptions {
    /// How long an answer is fresh. Default: 20 s, which bounds how long a moved instance is missed.
    pub ttl: Duration,
    /// How much longer an old answer is handed out while a new one is fetched. Default: 40 s; a resolver that
    /// is down for less than this is not noticed.
    pub stale: Duration,
    /// How long "nobody serves this name" is believed. Default: 500 ms: long enough to shield the network
    /// from a caller in a loop, short enough not to delay a service that is just starting.
    pub negative_ttl: Duration,
    /// How long to wait after a failed refresh before the next attempt. Default: 1 s.
    pub retry_after: Duration,
    /// How long one look-up may take. Default: 10 s; it bounds how long a caller can wait.
    pub timeout: Duration,
    /// How many names are kept. Default: 4096. One more displaces the name whose answer is oldest.
    pub names: usize,
}

/// Keeps the answers of `R`.
///
/// * A fresh answer is handed out without asking.
/// * An old one is handed out too, for a while, and a new one is fetched behind the caller's back.
/// * "Nobody" is kept briefly, a failure is not kept, and neither replaces an answer that can still be used,
///   except that "nobody" replaces an old one.
/// * An address that is [evicted](Resolve::evict) is out at once.
pub struct Cache<R> {
    table: Arc<Table>,
    resolver: Arc<R>,
    asks: mpsc::Sender<Ask>,
    options: Arc<CacheOptions>,
    _worker: task::Owned,
}

// === impl CacheOptions ===

impl Default for CacheOptions {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(20),
            stale: Duration::from_secs(40),
            negative_ttl: Duration::from_millis(500),
            retry_after: Duration::from_secs(1),
            timeout: Duration::from_secs(10),
            names: 4096,
        }
    }
}

// === impl Cache ===

impl<R: Resolve + 'static> Cache<R> {
    /// Puts a cache before `resolver`. Its task runs on the current tokio runtime until the cache is dropped.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn new(resolver: R, options: CacheOptions) -> Self {
        let (resolver, options) = (Arc::new(resolver), Arc::new(options));
        let table = Arc::new(Table::new(options.names));
        let (asks, queue) = mpsc::channel(QUEUE);
        let worker = Worker::new(resolver.clone(), table.clone(), options.clone());
        Self {
            table,
            resolver,
            asks,
            options,
            _worker: task::spawn("discovery-cache", worker.run(queue)),
        }
    }

    /// The resolver behind the cache.
    pub fn get_ref(&self) -> &R {
        &self.resolver
    }

    /// Hands out what `entry` holds if it can still be used, and has it refreshed if it is old.
    fn usable(&self, name: NameRef<'_>, entry: &Entry, now: Instant) -> Option<Endpoints> {
        let answer = entry.answer();
        let State::Known(endpoints) = &answer.state else {
            return None;
        };
        let age = now.saturating_duration_since(answer.since);
        if age < self.options.ttl {
            return Some(endpoints.clone());
        }
        if age >= self.options.ttl.saturating_add(self.options.stale) {
            return None;
        }
        self.refresh(name, entry, now);
        Some(endpoints.clone())
    }

    /// Has the name looked up again, unless that is under way or failed a moment ago.
    fn refresh(&self, name: NameRef<'_>, entry: &Entry, now: Instant) {
        if entry.may_refresh(now) && !entry.refreshing.swap(true, Ordering::AcqRel) {
            let ask = Ask {
                name: name.to_name(),
                waiter: None,
            };
            if self.asks.try_send(ask).is_err() {
                // The queue is full; the next reader tries again.
                entry.refreshing.store(false, Ordering::Release);
            }
        }
    }

    /// The answer that is known, be it "nobody", or `None` when the resolver has to be asked.
    fn known(&self, name: &Name) -> Option<Result<Endpoints, Error>> {
        let now = Instant::now();
        self.table.with(name.into(), |entry| {
            if let Some(endpoints) = self.usable(name.into(), entry, now) {
                return Some(Ok(endpoints));
            }
            let answer = entry.answer();
            let age = now.saturating_duration_since(answer.since);
            (matches!(answer.state, State::Nobody) && age < self.options.negative_ttl).then(|| {
                Err(Error::NotFound {
                    name: name.clone(),
                    resolver: RESOLVER,
                })
            })
        })?
    }
}

impl<R: Resolve + 'static> Resolve for Cache<R> {
    fn resolve<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<Endpoints, Error>> {
        Box::pin(async move {
            if let Some(known) = self.known(name) {
                return known;
            }
            let (waiter, answer) = oneshot::channel();
            let closed = || Error::Closed { resolver: RESOLVER };
            let ask = Ask {
                name: name.clone(),
                waiter: Some(waiter),
            };
            self.asks.send(ask).await.map_err(|_| closed())?;
            answer.await.unwrap_or_else(|_| Err(closed()))
        })
    }

    fn cached(&self, name: NameRef<'_>) -> Option<Endpoints> {
        let now = Instant::now();
        self.table.with(name, |entry| self.usable(name, entry, now))?
    }

    fn evict(&self, name: NameRef<'_>, address: SocketAddr) {
        self.resolver.evict(name, address);
        if self.table.evict(name, address) {
            self.table
                .with(name, |entry| self.refresh(name, entry, Instant::now()));
        }
    }
}

impl<R: fmt::Debug> fmt::Debug for Cache<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("resolver", &self.resolver)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
