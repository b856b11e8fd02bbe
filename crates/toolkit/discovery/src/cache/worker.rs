//! The task that asks the resolver for the cache, one flight per name.

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};

use super::{
    CacheOptions, RESOLVER,
    table::{State, Table},
};
use crate::{BoxFuture, Endpoints, Error, Name, Resolve};

/// A name to look up, for somebody who waits or for nobody in particular.
pub(super) struct Ask {
    pub(super) name: Name,
    pub(super) waiter: Option<Waiter>,
}

type Answer = Result<Endpoints, Error>;
type Waiter = oneshot::Sender<Answer>;

/// What the task owns.
pub(super) struct Worker<R> {
    resolver: Arc<R>,
    table: Arc<Table>,
    options: Arc<CacheOptions>,
    /// Who waits for the flights that are under way.
    waiters: HashMap<Name, Vec<Waiter>>,
    flights: FuturesUnordered<BoxFuture<'static, (Name, Answer)>>,
}

impl<R: Resolve + 'static> Worker<R> {
    pub(super) fn new(resolver: Arc<R>, table: Arc<Table>, options: Arc<CacheOptions>) -> Self {
        Self {
            resolver,
            table,
            options,
            waiters: HashMap::new(),
            flights: FuturesUnordered::new(),
        }
    }

    /// Serves until the cache is gone.
    pub(super) async fn run(mut self, mut asks: mpsc::Receiver<Ask>) {
        loop {
            tokio::select! {
                ask = asks.recv() => match ask {
                    Some(ask) => self.join_or_start(ask),
                    None => return,
                },
                Some((name, answer)) = self.flights.next() => self.land(&name, answer),
            }
        }
    }

    fn join_or_start(&mut self, ask: Ask) {
        if let Some(waiters) = self.waiters.get_mut(&ask.name) {
            waiters.extend(ask.waiter);
            return;
        }
        self.waiters
            .insert(ask.name.clone(), ask.waiter.into_iter().collect());
        self.flights
            .push(fly(self.resolver.clone(), ask.name, self.options.timeout).boxed());
    }

    fn land(&mut self, name: &Name, answer: Answer) {
        let now = Instant::now();
        // No list that is handed out is empty, whatever the resolver does.
        let answer = match answer {
            Ok(endpoints) if endpoints.is_empty() => Err(Error::NotFound {
                name: name.clone(),
                resolver: RESOLVER,
            }),
            other => other,
        };
        match &answer {
            Ok(endpoints) => self.table.put(name, State::Known(endpoints.clone()), now),
            Err(Error::NotFound { .. }) => self.table.put(name, State::Nobody, now),
            Err(error) => {
                tracing::debug!(%name, error = %error, "a look-up failed, what is known stays");
                self.table.failed(name, now + self.options.retry_after);
            }
        }
        for waiter in self.waiters.remove(name).into_iter().flatten() {
            // A waiter that went away needs no answer.
            let _ = waiter.send(answer.clone());
        }
    }
}

/// Asks the resolver once. A resolver that panics or hangs fails this look-up and not the cache.
async fn fly<R: Resolve>(resolver: Arc<R>, name: Name, limit: Duration) -> (Name, Answer) {
    let looked_up = timeout(limit, AssertUnwindSafe(resolver.resolve(&name)).catch_unwind()).await;
    let answer = match looked_up {
        Ok(Ok(answer)) => answer,
        Ok(Err(_panic)) => Err(Error::Unavailable {
            name: name.clone(),
            resolver: RESOLVER,
            source: Arc::new(std::io::Error::other("the resolver panicked")),
        }),
        Err(_elapsed) => Err(Error::Timeout {
            name: name.clone(),
            resolver: RESOLVER,
            after: limit,
        }),
    };
    (name, answer)
}
