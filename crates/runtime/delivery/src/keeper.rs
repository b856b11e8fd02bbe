//! The task that keeps the app's subscriptions.

use std::sync::Arc;

use futures_util::future::join_all;
use outrigger_base_std::chain;
use outrigger_block_pubsub::{Handler, Metadata, envelope};
use outrigger_engine_routing::{Router, Rule};
use outrigger_resource_manifest::Routes;
use outrigger_runtime_api::SubscriptionInfo;
use outrigger_runtime_channel::{AppChannel, AppSubscription};
use outrigger_runtime_host::{PubSub, Snapshot};
use tokio::sync::{mpsc, oneshot};

use crate::{
    ask::ask,
    bulk::{self, Batching},
    courier::{Courier, Form},
    life::Life,
    merge::{Wanted, merge},
    metrics::TopicMetrics,
    outbox::{self, Carrier},
    outlet::Outlet,
    standing::Standing,
    subscriptions::Core,
};

/// What the keeper is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Start,
    Pause,
    Stop,
}

/// How the first attempt at a subscription went, once it has been made.
pub(crate) type Tried = oneshot::Receiver<Result<(), outrigger_block_pubsub::Error>>;

/// A command, and where to say that it was carried out. Whoever gave it waits for what was begun by it; the keeper does
/// not, so that a broker that hangs holds up no other order.
pub(crate) struct Order {
    pub(crate) command: Command,
    pub(crate) done: oneshot::Sender<Vec<Tried>>,
}

/// Keeps the app's subscriptions.
pub(crate) struct Keeper {
    core: Arc<Core>,
    orders: mpsc::Receiver<Order>,
    /// What the app answered; it is asked once.
    asked: Option<Vec<AppSubscription>>,
    /// Subscriptions that stand, or try to; `None` while there are to be none.
    standing: Option<Vec<Life>>,
    /// Those that carry announcements of transactions; they are no business of the app's.
    outboxes: Vec<Life>,
}

impl Keeper {
    pub(crate) fn new(core: Arc<Core>, orders: mpsc::Receiver<Order>) -> Self {
        Self {
            core,
            orders,
            asked: None,
            standing: None,
            outboxes: Vec::new(),
        }
    }

    /// Carries out orders until it is told to stop, its owner stops, or nobody can give any.
    pub(crate) async fn run(mut self) {
        self.carry_outboxes();
        let owner = self.core.tasks.signal().clone();
        while let Some(Some(Order { command, done })) = owner.run_until(self.orders.recv()).await {
            let tried = match command {
                Command::Start => self.start().await,
                Command::Pause => self.pause().await,
                Command::Stop => {
                    self.stop().await;
                    let _ = done.send(Vec::new());
                    return;
                }
            };
            // Whoever gave the order may have stopped waiting.
            let _ = done.send(tried);
        }
        self.stop().await;
    }

    async fn start(&mut self) -> Vec<Tried> {
        if self.standing.is_some() || self.core.ending.is_stopped() {
            return Vec::new();
        }
        let snapshot = self.core.api.host().snapshot_owned();
        let Some(channel) = self.core.api.channel().cloned() else {
            self.core.report_declared();
            if snapshot.has_pubsub() {
                tracing::warn!(
                    "app channel not initialized, make sure -app-port is specified if pubsub subscription is required"
                );
            }
            return Vec::new();
        };
        self.ask(&snapshot, &*channel).await;
        let asked = self.asked.as_deref().unwrap_or_default();
        let wanted = merge(&snapshot.subscriptions, asked);
        self.core.report(&wanted);
        let started = wanted
            .iter()
            .filter_map(|wanted| self.core.stand(&snapshot, wanted, &channel));
        let (standing, tried) = started.unzip();
        self.standing = Some(standing);
        tried
    }

    /// Begins to carry the announcements of every store that has an outbox.
    fn carry_outboxes(&mut self) {
        let snapshot = self.core.api.host().snapshot_owned();
        for state in snapshot.states() {
            let Some(settings) = &state.outbox else { continue };
            let Some(pubsub) = snapshot.pubsub(&settings.outbox_pubsub) else {
                tracing::warn!(
                    "could not subscribe to internal outbox topic: outbox pubsub {} not loaded",
                    settings.outbox_pubsub
                );
                continue;
            };
            let life = Life::new(&self.core.ending);
            let host = self.core.api.host().clone();
            let topic = outbox::topic(&host.identity, settings).into();
            let carrier = Carrier::new(host, state.name.clone(), settings.clone(), life.clone());
            let standing = Standing {
                pubsub: pubsub.clone(),
                topic,
                metadata: Metadata::new(),
                handler: Arc::new(carrier),
                life,
                persistent: true,
            };
            self.outboxes.push(standing.start(&self.core.tasks).0);
        }
    }

    async fn ask(&mut self, snapshot: &Snapshot, channel: &dyn AppChannel) {
        if self.asked.is_some() || !snapshot.has_pubsub() {
            return;
        }
        if !self.core.settings.ask_app {
            tracing::warn!(
                "Skipping programmatic subscription loading (see 'disable-init-endpoints' flag/annotation)"
            );
            self.asked = Some(Vec::new());
            return;
        }
        self.asked = self.core.ending.run_until(ask(channel)).await.flatten();
    }

    async fn pause(&mut self) -> Vec<Tried> {
        let standing = self.standing.take().unwrap_or_default();
        join_all(standing.iter().map(Life::end)).await;
        Vec::new()
    }

    /// Ends everything. What the app wanted is no longer reported.
    async fn stop(&mut self) {
        let core = self.core.clone();
        core.ending.stop();
        let outboxes = std::mem::take(&mut self.outboxes);
        let outboxes = join_all(outboxes.iter().map(Life::end));
        tokio::join!(self.pause(), core.streams_ended(), outboxes);
        core.report(&[]);
    }
}

impl Core {
    /// Starts one of the app's subscriptions, where there is such a broker and the app may.
    fn stand(
        &self,
        snapshot: &Snapshot,
        wanted: &Wanted,
        channel: &Arc<dyn AppChannel>,
    ) -> Option<(Life, Tried)> {
        let (name, topic) = (&wanted.info.pubsub_name, &wanted.info.topic);
        let failed = |problem: &str| {
            tracing::error!("Failed to start subscription for pubsub {name}, topic {topic}: {problem}");
        };
        let Some(pubsub) = snapshot.pubsub(name) else {
            tracing::warn!("topic {topic} is not subscribed: pubsub {name} is not found");
            return None;
        };
        if !pubsub.scopes.may_subscribe(topic) {
            failed(&format!(
                "subscription to topic '{topic}' on pubsub '{name}' is not allowed"
            ));
            return None;
        }
        let life = Life::new(&self.ending);
        let outlet = Outlet::App(channel.clone());
        let courier = match self.courier(pubsub.clone(), &wanted.info, outlet, life.clone()) {
            Ok(courier) => Arc::new(courier),
            Err(problem) => {
                failed(&problem);
                return None;
            }
        };
        let standing = Standing {
            pubsub: pubsub.clone(),
            topic: courier.topic.clone(),
            metadata: wanted.info.metadata.clone(),
            handler: self.handler(courier, wanted, channel),
            life,
            persistent: true,
        };
        Some(standing.start(&self.tasks))
    }

    /// What the broker calls: the courier, or what gathers for it.
    fn handler(
        &self,
        courier: Arc<Courier>,
        wanted: &Wanted,
        channel: &Arc<dyn AppChannel>,
    ) -> Arc<dyn Handler> {
        let Some(batching) = Batching::of(&wanted.bulk) else {
            return courier;
        };
        let name = format!("batches of {}", courier.topic);
        let (handler, batches) = bulk::gather(courier, channel.clone(), batching);
        self.tasks.spawn(name, batches);
        handler
    }

    /// The courier of a subscription; the error says which of its rules cannot be used.
    pub(crate) fn courier(
        &self,
        pubsub: PubSub,
        info: &SubscriptionInfo,
        outlet: Outlet,
        life: Life,
    ) -> Result<Courier, String> {
        let topic: Arc<str> = info.topic.as_str().into();
        Ok(Courier {
            api: self.api.clone(),
            router: router(&info.routes)?,
            form: form(&info.metadata),
            dead_letter: info.dead_letter_topic.clone(),
            outlet,
            policy: (self.settings.inbound)(&pubsub.name),
            metrics: TopicMetrics::new(self.metrics.clone(), pubsub.name.clone(), topic.clone()),
            topic,
            pubsub,
            life,
        })
    }
}

/// Rules in order, the default path last.
fn router(routes: &Routes) -> Result<Router, String> {
    let rules = routes.rules.iter().map(|rule| Rule {
        expression: &rule.match_,
        path: &rule.path,
    });
    let default = routes.default.iter().map(|path| Rule { expression: "", path });
    let rules: Vec<_> = rules.chain(default).collect();
    Router::compile(&rules).map_err(|error| chain(&error))
}

fn form(metadata: &Metadata) -> Form {
    match envelope::is_raw_payload(metadata) {
        Ok(true) => Form::Raw,
        Ok(false) => Form::Events,
        Err(error) => Form::Unclear(chain(&error)),
    }
}
