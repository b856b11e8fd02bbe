//! A subscription at work: claims what there is, hands it to the handler, sleeps until there is more.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::{FutureExt, poll};
use outrigger_base_task::{StopSignal, TaskSet};
use outrigger_block_pubsub::{Delivery, Error, Handler, Subscription};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot},
    time::{Instant, sleep, sleep_until, timeout_at},
};

use crate::{
    bell::Sleepers,
    life::LifeLines,
    store::{Claim, Claimed, Claims, Group, Join, Leave, Settle, StoreHandle, Verdict},
};

/// The pause after a claim that failed, doubled with each failure.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest such pause: a disk that has room again is found in this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A subscription of this process that is about to join its group.
pub(crate) struct Newcomer {
    /// Its number in this process.
    pub(crate) id: u64,
    /// Its topic.
    pub(crate) topic: Arc<str>,
    /// Who handles what comes.
    pub(crate) handler: Arc<dyn Handler>,
    /// How long a delivery may take.
    pub(crate) lease: Duration,
    /// Deliveries in flight.
    pub(crate) concurrency: usize,
    /// The store.
    pub(crate) store: StoreHandle,
    /// Where it is woken.
    pub(crate) sleepers: Arc<Sleepers>,
    /// How it learns that another process of its group died.
    pub(crate) lines: Arc<LifeLines>,
    /// Owner of deliveries in flight.
    pub(crate) deliveries: TaskSet,
    /// Its end.
    pub(crate) end: End,
}

/// A subscription that has joined.
struct Consumer {
    own: Newcomer,
    group: Group,
}

/// How a subscription is told to end, and tells that it has.
#[derive(Debug, Clone)]
pub(crate) struct End {
    wanted: StopSignal,
    reached: StopSignal,
}

/// A subscription in the hands of the runtime.
pub(crate) struct Standing(pub(crate) End);

impl End {
    /// The end of a subscription that also ends when `owner` does.
    pub(crate) fn new(owner: &StopSignal) -> Self {
        Self {
            wanted: owner.child(),
            reached: StopSignal::default(),
        }
    }

    /// Tells the subscription to end.
    pub(crate) fn request(&self) {
        self.wanted.stop();
    }

    /// Waits until it has.
    pub(crate) async fn wait(&self) {
        self.reached.stopped().await;
    }

    /// Whether it has.
    pub(crate) fn has_ended(&self) -> bool {
        self.reached.is_stopped()
    }
}

#[async_trait]
impl Subscription for Standing {
    async fn close(&self) {
        self.0.request();
        self.0.wait().await;
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.0.request();
    }
}

/// Sets the end off however the task ends, so that a close never waits in vain.
struct Reached(End);

impl Drop for Reached {
    fn drop(&mut self) {
        self.0.reached.stop();
    }
}

/// What deliveries in flight share.
struct Shared {
    group: Group,
    handler: Arc<dyn Handler>,
    store: StoreHandle,
    wake: Arc<Notify>,
    wanted: StopSignal,
}

impl Newcomer {
    /// Joins the group, reports, and is a consumer until its end. All of it on one task: who subscribes and goes away
    /// meanwhile leaves no member behind that nobody ends.
    pub(crate) async fn run(self, report: oneshot::Sender<Result<Standing, Error>>) {
        let _reached = Reached(self.end.clone());
        let join = Join {
            topic: self.topic.clone(),
            subscription: self.id,
        };
        match self.store.run(join).await {
            // The caller may have gone.
            Err(error) => drop(report.send(Err(error))),
            Ok(joined) => {
                self.lines.draw(&joined.peers);
                // If the caller has gone, what is sent is dropped, and the subscription is told to end.
                drop(report.send(Ok(Standing(self.end.clone()))));
                let group = joined.group;
                Consumer { own: self, group }.run().await;
            }
        }
    }
}

impl Consumer {
    /// Delivers until it is told to end; then finishes what is in hand and leaves.
    async fn run(self) {
        let own = &self.own;
        let wake = own.sleepers.add(own.id, self.group.topic);
        self.deliver_all(&wake).await;
        own.sleepers.remove(own.id);
        own.deliveries.wait().await;
        let leave = Leave {
            group: self.group,
            subscription: own.id,
        };
        if let Err(error) = own.store.run(leave).await {
            tracing::warn!(topic = &*own.topic, %error, "cannot end a subscription in order");
        }
    }

    async fn deliver_all(&self, wake: &Arc<Notify>) {
        let own = &self.own;
        let places = Arc::new(Semaphore::new(own.concurrency));
        let shared = Arc::new(Shared {
            group: self.group,
            handler: own.handler.clone(),
            store: own.store.clone(),
            wake: wake.clone(),
            wanted: own.end.wanted.clone(),
        });
        let mut pause = FIRST_PAUSE;
        // The semaphore is never closed.
        while let Some(Ok(place)) = own.end.wanted.run_until(places.clone().acquire_owned()).await {
            let look_again = match self.pass(&shared, &places, place).await {
                Ok(look_again) => {
                    pause = FIRST_PAUSE;
                    look_again
                }
                Err(Error::Closed) => return,
                Err(error) => {
                    let error = outrigger_base_std::chain(&error);
                    tracing::warn!(topic = &*own.topic, error, "cannot take messages; trying again");
                    let waited = pause;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    Some(waited)
                }
            };
            if own.end.wanted.run_until(nap(wake, look_again)).await.is_none() {
                return;
            }
        }
    }

    /// Claims as many messages as there are free places, and begins to deliver them. When to look again: at once where
    /// all places were filled, for there may be more.
    async fn pass(
        &self,
        shared: &Arc<Shared>,
        places: &Arc<Semaphore>,
        first: OwnedSemaphorePermit,
    ) -> Result<Option<Duration>, Error> {
        let own = &self.own;
        let free = std::iter::from_fn(|| places.clone().try_acquire_owned().ok());
        let mut free: Vec<_> = std::iter::once(first).chain(free).collect();
        let claim = Claim {
            group: self.group,
            topic: own.topic.clone(),
            limit: free.len(),
        };
        // Before the store reads the clock: we let go before the lease does.
        let deadline = Instant::now() + own.lease;
        let Claims { claimed, look_again } = own.store.run(claim).await?;
        if own.end.wanted.is_stopped() {
            self.give_back(claimed).await;
            return Ok(None);
        }
        for message in claimed {
            // As many as were asked for, at most.
            let place = free.pop();
            let mut delivery = Box::pin(shared.clone().deliver(message, place, deadline));
            // The first step is taken here, so that handlers begin in publish order; the rest runs beside.
            if poll!(&mut delivery).is_pending() {
                own.deliveries.spawn("broker-delivery", delivery);
            }
        }
        Ok(if free.is_empty() {
            Some(Duration::ZERO)
        } else {
            look_again
        })
    }

    /// Returns messages that nobody began to handle, so that another consumer gets them at once.
    async fn give_back(&self, claimed: Vec<Claimed>) {
        for Claimed { seq, attempt, .. } in claimed {
            let settle = Settle {
                group: self.group,
                seq,
                attempt,
                verdict: Verdict::Untried,
            };
            if let Err(error) = self.own.store.run(settle).await {
                tracing::warn!(topic = &*self.own.topic, %error, "cannot return a message; its lease will end");
            }
        }
    }
}

impl Shared {
    /// Delivers one message and says how it went.
    async fn deliver(
        self: Arc<Self>,
        claimed: Claimed,
        place: Option<OwnedSemaphorePermit>,
        deadline: Instant,
    ) {
        let Claimed {
            seq,
            attempt,
            message,
        } = claimed;
        let delivery = Delivery {
            message,
            redeliveries: attempt.saturating_sub(1),
        };
        let verdict = self.handle(delivery, deadline).await;
        let settle = Settle {
            group: self.group,
            seq,
            attempt,
            verdict,
        };
        let settled = self.store.run(settle).await;
        drop(place);
        match settled {
            Ok(()) if verdict == Verdict::Done => {}
            // There is a pause now whose end somebody must wait for.
            Ok(()) => self.wake.notify_one(),
            Err(Error::Closed) => {}
            Err(error) => {
                let error = outrigger_base_std::chain(&error);
                tracing::warn!(seq, error, "cannot acknowledge a message: it will come again");
                self.wanted.run_until(sleep_until(deadline)).await;
                // The store's clock began a little later.
                self.wanted.run_until(sleep(FIRST_PAUSE)).await;
                self.wake.notify_one();
            }
        }
    }

    async fn handle(&self, delivery: Delivery, deadline: Instant) -> Verdict {
        let topic = delivery.message.topic.clone();
        let handled = AssertUnwindSafe(async { self.handler.handle(delivery).await }).catch_unwind();
        match timeout_at(deadline, handled).await {
            Ok(Ok(Ok(()))) => return Verdict::Done,
            Ok(Ok(Err(nack))) => tracing::debug!(topic = &*topic, %nack, "a message was not processed"),
            Ok(Err(_)) => tracing::error!(topic = &*topic, "the handler of a message panicked"),
            Err(_) => tracing::warn!(
                topic = &*topic,
                "a message was not processed within its processingTimeout"
            ),
        }
        Verdict::Failed
    }
}

/// Sleeps until woken, or for `at_most`.
async fn nap(wake: &Notify, at_most: Option<Duration>) {
    match at_most {
        Some(Duration::ZERO) => {}
        None => wake.notified().await,
        Some(at_most) => {
            // Either is a reason to look.
            let _ = tokio::time::timeout(at_most, wake.notified()).await;
        }
    }
}
