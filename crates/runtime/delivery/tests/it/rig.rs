//! A runtime with brokers, an app, and subscriptions over both.

use std::{path::PathBuf, sync::Arc};

use outrigger_base_clock::{ManualClock, SeededEntropy};
use outrigger_base_task::{StopSignal, TaskSet};
use outrigger_base_telemetry::{metrics::Registry as Metrics, trace::Tracer};
use outrigger_block_pubsub::{Broker, Publish};
use outrigger_discovery::static_list::StaticList;
use outrigger_resource_manifest::{Configuration, ProcessEnv, Routes, Rule, SourceFile, parse};
use outrigger_runtime_api::{Api, AppConnection, Outside, Parts, PublishRequest, Readiness, Telemetry};
use outrigger_runtime_channel::{AppChannel, AppSubscription, health::Health};
use outrigger_runtime_delivery::{Settings, Subscriptions};
use outrigger_runtime_host::{Host, Identity, Registry, open};
use outrigger_runtime_peer::Peers;

use crate::{app::App, fake_broker::FakeBroker};

pub(crate) struct Rig {
    pub(crate) api: Arc<Api>,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) broker: Arc<FakeBroker>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) metrics: Metrics,
    pub(crate) tasks: TaskSet,
}

/// What a rig is made of.
pub(crate) struct Plan {
    pub(crate) yaml: String,
    pub(crate) app: Option<Arc<App>>,
    pub(crate) settings: Settings,
    pub(crate) tracer: Tracer,
    pub(crate) health: Health,
    pub(crate) namespace: &'static str,
}

impl Plan {
    /// Brokers `bus` (in memory) and `fake`, and more resources.
    pub(crate) fn new(app: &Arc<App>, yaml: &str) -> Self {
        let brokers = [("bus", "in-memory"), ("fake", "fake")].map(|(name, kind)| component(name, kind, ""));
        Self {
            yaml: format!("{}---\n{yaml}", brokers.concat()),
            app: Some(app.clone()),
            settings: Settings::default(),
            tracer: Tracer::off(),
            health: Health::unwatched(),
            namespace: "",
        }
    }

    pub(crate) async fn build(self) -> Rig {
        let broker = Arc::new(FakeBroker::default());
        let clock = Arc::new(ManualClock::new("2026-02-03T04:05:06Z".parse().unwrap()));
        let host = self.host(&broker, &clock).await;
        let tasks = TaskSet::new("test");
        let channel = self.app.map(|app| app as Arc<dyn AppChannel>);
        let peers = Peers::new(Arc::new(StaticList::new()), tasks.clone(), 1 << 16);
        let metrics = Metrics::new();
        let parts = Parts {
            outside: Outside::new(&host.identity, tasks.clone()),
            host: Arc::new(host),
            channel,
            app_health: self.health,
            peers: Arc::new(peers),
            tracer: self.tracer,
            telemetry: Telemetry::off(),
            readiness: Readiness::default(),
            shutdown: StopSignal::default(),
            force_shutdown: StopSignal::default(),
            features: Vec::new(),
            app_connection: AppConnection::default(),
        };
        let api = Arc::new(Api::new(parts, &metrics).unwrap());
        let subscriptions =
            Subscriptions::with_settings(api.clone(), tasks.clone(), &metrics, self.settings).unwrap();
        Rig {
            api,
            subscriptions,
            broker,
            clock,
            metrics,
            tasks,
        }
    }

    async fn host(&self, broker: &Arc<FakeBroker>, clock: &Arc<ManualClock>) -> Host {
        let identity = Identity {
            app_id: "me".into(),
            namespace: self.namespace.into(),
            host_name: "host".into(),
            host_address: std::net::Ipv4Addr::LOCALHOST.into(),
        };
        let host = Host::new(identity, clock.clone(), Arc::new(SeededEntropy::new(7)));
        let fake = broker.clone();
        let registry = Registry::new()
            .state(&["in-memory"], outrigger_component_memory::store)
            .broker(&["in-memory"], outrigger_component_memory::broker)
            .broker(&["fake"], move |_, _| {
                let fake: Arc<dyn Broker> = fake.clone();
                async move { Ok(fake) }
            });
        let file = SourceFile {
            path: PathBuf::from("resources.yaml").into(),
            content: Ok(self.yaml.clone()),
        };
        let report = parse(vec![file], "me", host.identity.namespace());
        assert!(report.skipped.is_empty(), "{:?}", report.skipped);
        let opener = open::Opener {
            registry: &registry,
            host: &host,
            configuration: &Configuration::default(),
            tasks: &TaskSet::new("components"),
            data_dir: PathBuf::new(),
        };
        let snapshot = open::open(&report.resources, &opener, &ProcessEnv).await.unwrap();
        host.replace(snapshot);
        host
    }
}

impl Rig {
    /// A rig whose app's subscriptions stand.
    pub(crate) async fn started(app: &Arc<App>, yaml: &str) -> Self {
        let rig = Plan::new(app, yaml).build().await;
        rig.subscriptions.start().await;
        rig
    }

    /// Publishes text as an app would.
    pub(crate) async fn publish(&self, pubsub: &str, topic: &str, data: &str) {
        self.api
            .publish(PublishRequest {
                pubsub: pubsub.to_owned(),
                topic: topic.to_owned(),
                data: data.to_owned().into(),
                content_type: "text/plain".to_owned(),
                metadata: Default::default(),
                trace: Default::default(),
            })
            .await
            .unwrap();
    }

    /// Dead letters and whatever else went to the fake broker.
    pub(crate) fn published(&self) -> Vec<Publish> {
        self.broker.published.lock().unwrap().clone()
    }

    /// The value of a series of the single deliveries on topic `t` of `fake`.
    pub(crate) fn counted(&self, process_status: &str, status: &str) -> u64 {
        let line = format!(
            r#"dapr_component_pubsub_ingress_count{{app_id="me",component="fake",namespace="",process_status="{process_status}",status="{status}",topic="t"}} "#
        );
        let text = self.metrics.render();
        let found = text.lines().find_map(|text| text.strip_prefix(&line));
        found.map_or(0, |number| number.parse().unwrap())
    }
}

pub(crate) fn component(name: &str, kind: &str, metadata: &str) -> String {
    format!(
        "---\napiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  type: pubsub.{kind}\n  version: v1\n{metadata}\n"
    )
}

/// A subscription of the app with one route.
pub(crate) fn wants(pubsub: &str, topic: &str, path: &str) -> AppSubscription {
    AppSubscription {
        pubsub_name: pubsub.to_owned(),
        topic: topic.to_owned(),
        routes: Routes {
            rules: Vec::new(),
            default: Some(path.to_owned()),
        },
        ..AppSubscription::default()
    }
}

pub(crate) fn rule(match_: &str, path: &str) -> Rule {
    Rule {
        match_: match_.to_owned(),
        path: path.to_owned(),
    }
}

pub(crate) fn declared(name: &str, pubsub: &str, topic: &str, path: &str) -> String {
    format!(
        "---\napiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata:\n  name: {name}\nspec:\n  pubsubname: {pubsub}\n  topic: {topic}\n  routes:\n    default: {path}\n"
    )
}
