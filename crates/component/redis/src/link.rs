//! A connection that calls share and that comes back by itself.
//!
//! Calls of any number of callers go over one multiplexed connection and are pipelined on it. Who finds no connection
//! makes one, together with all others who wait; a broken one is replaced at the next call. A call whose connection
//! could not be made, or that the server declined for the moment, is tried again a few times ([`Retry`]); one that was
//! sent and whose answer was lost only if it may run twice. Nothing waits without a limit.

mod cluster;
mod dial;
mod live;
mod tls;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use futures_util::{FutureExt, future::BoxFuture, future::Shared};
use outrigger_base_clock::{Entropy, fraction};
use outrigger_base_task::StopSignal;
use outrigger_block_kit::{Context, OpenError};
use redis::{Cmd, ErrorKind, Pipeline, Value};
use tokio::sync::oneshot;

use crate::{
    fault::Fault,
    settings::{Retry, Settings},
    value::checked,
};
pub(crate) use cluster::slot;
use dial::Dialer;
use live::{Ask, Live};

/// How one call is carried out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    /// How long its answer may take; `None`: no limit.
    pub(crate) limit: Option<Duration>,
    /// Whether it may run twice, as it does when it is repeated after its answer was lost.
    pub(crate) repeat: bool,
}

/// A shared connection. Cloning gives another handle to the same one.
#[derive(Clone)]
pub(crate) struct Link(Arc<Inner>);

struct Inner {
    dialer: Arc<Dialer>,
    slot: ArcSwap<Slot>,
    entropy: Arc<dyn Entropy>,
    /// Whether the connection was lost and is not back yet; keeps the log to one line for each.
    lost: AtomicBool,
}

/// A connection that is being made.
struct Dialing {
    made: Shared<BoxFuture<'static, Result<Arc<Live>, Fault>>>,
    /// Ends the task that makes it: whoever takes no further call does not want the connection any more.
    give_up: StopSignal,
}

enum Slot {
    Idle,
    Dialing(Dialing),
    Ready(Arc<Live>),
    Closed,
}

/// A call that failed, and whether it may have reached the server.
struct Failed {
    fault: Fault,
    sent: bool,
}

impl Link {
    /// Connects and waits until the server answers a ping.
    pub(crate) async fn open(settings: Settings, context: &Context) -> Result<Self, OpenError> {
        let place = settings.place();
        let dialer = Dialer::new(settings, context)?;
        let link = Self::over(Arc::new(dialer), context.entropy.clone());
        link.ping()
            .await
            .map_err(|fault| OpenError::unavailable(format!("connect to Redis at {place}"), fault))?;
        Ok(link)
    }

    fn over(dialer: Arc<Dialer>, entropy: Arc<dyn Entropy>) -> Self {
        Self(Arc::new(Inner {
            dialer,
            slot: ArcSwap::from_pointee(Slot::Idle),
            entropy,
            lost: AtomicBool::new(false),
        }))
    }

    /// Another connection to the same place, whose answers may take up to `patience` (for calls that block).
    pub(crate) fn sibling(&self, patience: Option<Duration>) -> Self {
        Self::over(Arc::new(self.0.dialer.patient(patience)), self.0.entropy.clone())
    }

    /// The settings that it was made from.
    pub(crate) fn settings(&self) -> &Settings {
        self.0.dialer.settings()
    }

    /// How a read is carried out.
    pub(crate) fn reading(&self) -> Call {
        Call {
            limit: self.settings().read_timeout,
            repeat: true,
        }
    }

    /// How a write is carried out; `repeat` says whether it may run twice.
    pub(crate) fn writing(&self, repeat: bool) -> Call {
        Call {
            limit: self.settings().write_timeout,
            repeat,
        }
    }

    /// Whether the server answers.
    pub(crate) async fn ping(&self) -> Result<(), Fault> {
        self.send(&redis::cmd("PING"), self.reading()).await.map(drop)
    }

    /// Sends a command and gives its answer; a server's error is a fault.
    pub(crate) async fn send(&self, command: &Cmd, call: Call) -> Result<Value, Fault> {
        self.call(Ask::One(command), call).await
    }

    /// Sends commands in one go and gives an answer for each; a server's error is one of the answers.
    pub(crate) async fn send_all(&self, pipeline: &Pipeline, call: Call) -> Result<Vec<Value>, Fault> {
        match self.call(Ask::Many(pipeline), call).await? {
            Value::Array(answers) if answers.len() == pipeline.len() => Ok(answers),
            other => Err(crate::value::strange("an answer for each command", &other)),
        }
    }

    /// Whether the servers form a cluster: then commands with several keys need them in one slot.
    pub(crate) fn is_cluster(&self) -> bool {
        self.0.dialer.is_cluster()
    }

    /// Sends a command to every master of a cluster, or to the one server; the answers in no order.
    pub(crate) async fn send_to_masters(&self, command: &Cmd) -> Result<Vec<(cluster::Node, Value)>, Fault> {
        let mut answers = Vec::new();
        for node in self.masters().await? {
            let answer = self.send_to(&node, command).await?;
            answers.push((node, answer));
        }
        Ok(answers)
    }

    /// The masters that hold the keys.
    async fn masters(&self) -> Result<Vec<cluster::Node>, Fault> {
        if !self.is_cluster() {
            return Ok(vec![cluster::Node::Only]);
        }
        let mut slots = redis::cmd("CLUSTER");
        slots.arg("SLOTS");
        cluster::masters(self.send(&slots, self.reading()).await?)
    }

    /// Sends a reading command to one node.
    pub(crate) async fn send_to(&self, node: &cluster::Node, command: &Cmd) -> Result<Value, Fault> {
        self.call(Ask::At(node, command), self.reading()).await
    }

    /// Sends a command to the node that holds `key`, on the connection that carries the writes to it.
    pub(crate) async fn send_to_owner(&self, key: &str, command: &Cmd, call: Call) -> Result<Value, Fault> {
        if self.is_cluster() {
            self.call(Ask::At(&cluster::Node::OwnerOf(slot(key)), command), call)
                .await
        } else {
            self.send(command, call).await
        }
    }

    /// Takes no further call. Calls that are on their way finish, then the connection ends; those that wait for one
    /// fail, as it is not made any more.
    pub(crate) fn close(&self) {
        self.0.slot.swap(Arc::new(Slot::Closed)).give_up();
    }

    /// Takes no further call and breaks the connection: calls on their way fail.
    pub(crate) fn cut(&self) {
        let slot = self.0.slot.swap(Arc::new(Slot::Closed));
        slot.give_up();
        if let Slot::Ready(live) = &*slot {
            live.cut();
        }
    }

    /// Closes the link when it is dropped: also when a close that waits for something first is given up.
    pub(crate) fn closing(&self) -> Closing<'_> {
        Closing(self)
    }

    /// The pause before try number `tried` + 1 (0 is the first repetition): exponential, jittered, capped.
    pub(crate) fn pause(&self, tried: u32) -> Duration {
        let Retry { min, max, .. } = self.settings().retry;
        let base = min.saturating_mul(1_u32.checked_shl(tried).unwrap_or(u32::MAX));
        (base + base.mul_f64(fraction(&*self.0.entropy))).min(max)
    }

    async fn call(&self, ask: Ask<'_>, call: Call) -> Result<Value, Fault> {
        let mut tried = 0;
        loop {
            let Failed { fault, sent } = match self.once(ask, call.limit).await {
                Ok(value) => return Ok(value),
                Err(failed) => failed,
            };
            let may_repeat = match fault {
                // A wrong password does not get right by trying.
                Fault::Lost(ref error) if error.kind() == ErrorKind::AuthenticationFailed => false,
                Fault::Lost(_) => call.repeat || !sent,
                ref other => other.is_passing(),
            };
            if !may_repeat || tried >= self.settings().retry.times {
                return Err(fault);
            }
            tokio::time::sleep(self.pause(tried)).await;
            tried += 1;
        }
    }

    async fn once(&self, ask: Ask<'_>, limit: Option<Duration>) -> Result<Value, Failed> {
        let live = match self.ready() {
            Some(live) => live,
            None => self.live().await.map_err(|fault| Failed { fault, sent: false })?,
        };
        let answer = match limit {
            None => live.ask(ask).await,
            Some(limit) => match tokio::time::timeout(limit, live.ask(ask)).await {
                Ok(answer) => answer,
                Err(_) => Err(Fault::Late(limit)),
            },
        };
        answer.and_then(checked).map_err(|fault| {
            // A read-only server was the master once: only a new connection finds the present one.
            let useless =
                matches!(fault, Fault::Lost(_) | Fault::Late(_)) || fault.code() == Some("READONLY");
            if useless && live.can_be_replaced() {
                self.give_up(&live);
            }
            Failed { fault, sent: true }
        })
    }

    fn ready(&self) -> Option<Arc<Live>> {
        match &**self.0.slot.load() {
            Slot::Ready(live) if live.is_alive() => Some(live.clone()),
            _ => None,
        }
    }

    /// The connection, made together with all others who ask meanwhile.
    async fn live(&self) -> Result<Arc<Live>, Fault> {
        loop {
            let slot = self.0.slot.load_full();
            match &*slot {
                Slot::Ready(live) if live.is_alive() => return Ok(live.clone()),
                Slot::Closed => return Err(Fault::Closed),
                Slot::Dialing(dialing) => return dialing.made.clone().await,
                Slot::Ready(_) => {
                    self.note_loss("it was closed by the server");
                    self.start_dialing(&slot);
                }
                Slot::Idle => self.start_dialing(&slot),
            }
        }
    }

    /// Connects on a task, so that it goes on when the caller who began it goes away.
    fn start_dialing(&self, from: &Arc<Slot>) {
        let (report, made) = oneshot::channel();
        let made = made.map(|made| made.unwrap_or(Err(Fault::Closed)));
        let give_up = StopSignal::default();
        let slot = Arc::new(Slot::Dialing(Dialing {
            made: made.boxed().shared(),
            give_up: give_up.clone(),
        }));
        let before = self.0.slot.compare_and_swap(from, slot.clone());
        if !Arc::ptr_eq(&before, from) {
            return;
        }
        let (dialer, link) = (self.0.dialer.clone(), Arc::downgrade(&self.0));
        self.0.dialer.tasks().spawn("redis dialing", async move {
            let made = give_up.run_until(Box::pin(dialer.dial())).await;
            let made = made.unwrap_or(Err(Fault::Closed)).map(Arc::new);
            if let Some(link) = link.upgrade() {
                Self(link).settle(&slot, &made);
            }
            // Nobody may wait any more.
            let _ = report.send(made);
        });
    }

    fn settle(&self, from: &Arc<Slot>, made: &Result<Arc<Live>, Fault>) {
        let next = match made {
            Ok(live) => Slot::Ready(live.clone()),
            Err(_) => Slot::Idle,
        };
        let before = self.0.slot.compare_and_swap(from, Arc::new(next));
        if Arc::ptr_eq(&before, from) && made.is_ok() && self.0.lost.swap(false, Ordering::Relaxed) {
            tracing::info!(place = self.settings().place(), "the connection to Redis is back");
        }
    }

    /// Makes the next call look for a new connection. Calls on the old one still get their answers from it.
    fn give_up(&self, live: &Arc<Live>) {
        let slot = self.0.slot.load_full();
        if matches!(&*slot, Slot::Ready(current) if Arc::ptr_eq(current, live)) {
            self.note_loss("a call on it failed");
            self.0.slot.compare_and_swap(&slot, Arc::new(Slot::Idle));
        }
    }

    fn note_loss(&self, reason: &str) {
        if !self.0.lost.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                place = self.settings().place(),
                reason,
                "lost the connection to Redis"
            );
        }
    }
}

impl Slot {
    /// Ends the making of a connection, where one is being made.
    fn give_up(&self) {
        if let Self::Dialing(dialing) = self {
            dialing.give_up.stop();
        }
    }
}

impl Drop for Inner {
    /// No handle is left, so nobody can close it any more.
    fn drop(&mut self) {
        self.slot.load().give_up();
    }
}

/// See [`Link::closing`].
pub(crate) struct Closing<'l>(&'l Link);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(&self.settings().place()).finish()
    }
}

#[cfg(test)]
mod tests {
    use outrigger_block_kit::Properties;
    use outrigger_testing_harness::{RedisServer, eventually};

    use super::*;
    use crate::settings::Kind;

    /// A link to a place that takes connections and never says a word, with no limit for making one.
    fn to_silence(context: &Context) -> (std::net::TcpListener, Link) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let properties = Properties::new([
            ("redisHost", listener.local_addr().unwrap().to_string()),
            // It makes the connection wait for an answer.
            ("redisPassword", "secret".to_owned()),
            ("dialTimeout", "-1".to_owned()),
        ]);
        let settings = Settings::new(&properties, Kind::State).unwrap();
        assert_eq!(settings.dial_timeout, None);
        let dialer = Dialer::new(settings, context).unwrap();
        (listener, Link::over(Arc::new(dialer), context.entropy.clone()))
    }

    #[tokio::test]
    async fn a_connection_that_is_being_made_is_given_up_at_the_end() {
        let ends: [fn(&Link); 3] = [Link::close, Link::cut, |link| drop(link.closing())];
        for end in ends {
            let context = Context::for_test("redis");
            let (_listener, link) = to_silence(&context);
            let mut ping = Box::pin(link.ping());
            assert!(futures_util::poll!(&mut ping).is_pending());
            assert_eq!(context.tasks.len(), 1);
            end(&link);
            let late = Duration::from_secs(20);
            let answer = tokio::time::timeout(late, ping).await.unwrap();
            assert!(matches!(answer, Err(Fault::Closed)), "{answer:?}");
            tokio::time::timeout(late, context.tasks.wait()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_connection_that_is_being_made_is_given_up_when_nobody_is_left_to_use_it() {
        let context = Context::for_test("redis");
        let (_listener, link) = to_silence(&context);
        assert!(futures_util::poll!(Box::pin(link.ping())).is_pending());
        drop(link);
        let ended = tokio::time::timeout(Duration::from_secs(20), context.tasks.wait());
        ended.await.unwrap();
    }

    #[tokio::test]
    async fn a_connection_is_made_though_the_caller_who_wanted_it_went_away() {
        let server = RedisServer::start().await.unwrap();
        let properties = Properties::new([("redisHost", server.address())]);
        let settings = Settings::new(&properties, Kind::State).unwrap();
        let context = Context::for_test("redis");
        let dialer = Dialer::new(settings, &context).unwrap();
        let link = Link::over(Arc::new(dialer), context.entropy.clone());
        assert!(futures_util::poll!(Box::pin(link.ping())).is_pending());
        eventually(Duration::from_secs(20), async || link.ready().is_some()).await;
    }
}
