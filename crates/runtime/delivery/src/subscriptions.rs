//! The handle of all subscriptions of a runtime.

mod open;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::join_all;
use outrigger_base_task::{StopSignal, TaskSet};
use outrigger_base_telemetry::metrics::{RegisterError, Registry};
use outrigger_resilience::Policy;
use outrigger_runtime_api::{Api, SubscriptionInfo, SubscriptionKind};
use tokio::sync::{mpsc, oneshot};

use crate::{
    keeper::{Command, Keeper, Order},
    merge::{self, Wanted},
    metrics::Metrics,
    outbox::Announcer,
};

/// Orders that wait for the keeper. Whoever brings one more waits for a place.
const ORDERS: usize = 16;

/// The inbound policy of a broker component, by its name.
pub type InboundPolicy = Arc<dyn Fn(&str) -> Policy + Send + Sync>;

/// How subscriptions are made.
#[derive(Clone)]
pub struct Settings {
    /// Whether the app is asked for subscriptions of its own (`--disable-init-endpoints`).
    pub ask_app: bool,
    /// How often a delivery that fails is repeated before the broker, or the dead-letter topic, gets it.
    pub inbound: InboundPolicy,
}

/// The app is asked, and nothing is repeated.
impl Default for Settings {
    fn default() -> Self {
        Self {
            ask_app: true,
            inbound: Arc::new(|_| Policy::none()),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("ask_app", &self.ask_app)
            .finish_non_exhaustive()
    }
}

/// All subscriptions of one runtime. Cloning gives another handle.
///
/// A task keeps the app's subscriptions and carries out what the handles ask for, one after the other: an order that was
/// given is carried out even if whoever gave it stops waiting. The owner's stop signal ends everything in order, too.
#[derive(Clone)]
pub struct Subscriptions {
    core: Arc<Core>,
    orders: mpsc::Sender<Order>,
}

/// What the handles and the keeper share.
pub(crate) struct Core {
    pub(crate) api: Arc<Api>,
    pub(crate) tasks: TaskSet,
    pub(crate) settings: Settings,
    pub(crate) metrics: Metrics,
    /// Set off when nothing is to be subscribed any more.
    pub(crate) ending: StopSignal,
    /// Ends of open streams. Never locked across an await.
    streams: Mutex<Vec<StopSignal>>,
}

impl Subscriptions {
    /// Subscriptions of `api`'s app, counted in `registry`; nothing is subscribed yet, and what is declared is reported.
    /// `tasks` owns every task.
    pub fn new(api: Arc<Api>, tasks: TaskSet, registry: &Registry) -> Result<Self, RegisterError> {
        Self::with_settings(api, tasks, registry, Settings::default())
    }

    /// The same with other settings.
    pub fn with_settings(
        api: Arc<Api>,
        tasks: TaskSet,
        registry: &Registry,
        settings: Settings,
    ) -> Result<Self, RegisterError> {
        let metrics = Metrics::new(registry, &api.host().identity)?;
        let core = Arc::new(Core {
            api,
            settings,
            metrics,
            ending: tasks.signal().child(),
            streams: Mutex::default(),
            tasks,
        });
        core.report_declared();
        core.api
            .set_outbox(Arc::new(Announcer::new(core.api.host().clone())));
        let (orders, queue) = mpsc::channel(ORDERS);
        let keeper = Keeper::new(core.clone(), queue);
        core.tasks.spawn("subscriptions", keeper.run());
        Ok(Self { core, orders })
    }

    /// Starts the app's subscriptions: asks the app once, merges, subscribes. Returns when each was tried; a broker that
    /// refuses is asked again in the background. Nothing happens where they stand already.
    pub async fn start(&self) {
        self.order(Command::Start).await;
    }

    /// Ends the app's subscriptions until the next [`start`](Self::start): no further message is taken, those in hand are
    /// finished. Streams go on. Subscriptions stay reported, as the app still wants them.
    pub async fn pause(&self) {
        self.order(Command::Pause).await;
    }

    /// Ends everything for good, streams included: no further message is taken, those in hand are finished.
    pub async fn stop(&self) {
        self.core.ending.stop();
        self.order(Command::Stop).await;
    }

    /// Starts a task that follows the app's health: well, and the subscriptions stand; unwell, and they pause.
    pub fn follow_health(&self) {
        let this = self.clone();
        let name = "subscriptions follow the app's health";
        self.core.tasks.spawn(name, async move { this.follow().await });
    }

    async fn follow(&self) {
        let mut health = self.core.api.parts().app_health.clone();
        let ending = &self.core.ending;
        while ending.run_until(health.until(true)).await.is_some() {
            let unwell = async {
                // A broker that hangs must not keep the others from pausing: nothing is lost when the wait is dropped.
                let mut now = health.clone();
                tokio::select! {
                    () = self.start() => (),
                    () = now.until(false) => (),
                }
                health.until(false).await;
            };
            if ending.run_until(unwell).await.is_none() {
                return;
            }
            self.pause().await;
        }
    }

    /// Gives an order and waits until it is carried out. After the end there is nobody to give it to.
    async fn order(&self, command: Command) {
        let (done, carried_out) = oneshot::channel();
        if self.orders.send(Order { command, done }).await.is_ok() {
            // How each attempt went is in the log; here it only matters that it was made.
            join_all(carried_out.await.unwrap_or_default()).await;
        }
    }
}

impl Core {
    /// Reports what is declared, before anything was asked: it is wanted whether or not the app is there.
    pub(crate) fn report_declared(&self) {
        let declared = merge::merge(&self.api.host().snapshot().subscriptions, &[]);
        self.report(&declared);
    }

    /// Reports what the app wants; streams stay as they are.
    pub(crate) fn report(&self, wanted: &[Wanted]) {
        self.api.report_subscriptions(|all| {
            let streams = all
                .drain(..)
                .filter(|info| info.kind == SubscriptionKind::Streaming);
            let streams: Vec<SubscriptionInfo> = streams.collect();
            all.extend(wanted.iter().map(|wanted| wanted.info.clone()));
            all.extend(streams);
        });
    }

    fn add_stream(&self, ended: StopSignal) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.retain(|ended| !ended.is_stopped());
        streams.push(ended);
    }

    /// Waits until every stream has ended.
    pub(crate) async fn streams_ended(&self) {
        let streams = self
            .streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for ended in streams {
            ended.stopped().await;
        }
    }
}

impl fmt::Debug for Subscriptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriptions")
            .field("settings", &self.core.settings)
            .finish_non_exhaustive()
    }
}
