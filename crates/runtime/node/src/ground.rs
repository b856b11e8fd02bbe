//! What a node stands on. It is there before the node is, so that a start which fails can clear it away.

use std::{sync::Arc, time::Duration};

use outrigger_base_task::{StopSignal, TaskSet};
use outrigger_base_telemetry::metrics::{ProcessCollector, Registry as Metrics};
use outrigger_discovery::Resolve;
use outrigger_resource_manifest::{Configuration, Env, configuration::DEFAULT_FEATURES};
use outrigger_runtime_api::{Outside, Parts, Readiness, Telemetry, metrics_registry};
use outrigger_runtime_host::{Host, open};
use outrigger_runtime_peer::Peers;

use crate::{Options, StartError, app::App, drain::TASKS_TIMEOUT, spans::Spans};

/// Components, tasks, metrics and spans of a node.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) host: Arc<Host>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) tasks: TaskSet,
    pub(crate) components: TaskSet,
    pub(crate) spans: Spans,
}

impl Ground {
    /// Nothing is open yet.
    pub(crate) fn new(options: &Options, env: &dyn Env) -> Result<Self, StartError> {
        let configuration = &options.loaded.configuration;
        let (clock, entropy) = (options.clock.clone(), options.entropy.clone());
        let app_id = &options.identity.app_id;
        let spans = Spans::start(configuration, app_id, clock.clone(), entropy.clone(), env);
        let metrics = metrics_registry(&configuration.metrics);
        metrics.add_collector(Arc::new(ProcessCollector::default()));
        Ok(Self {
            host: Arc::new(Host::new(options.identity.clone(), clock, entropy)),
            metrics: Arc::new(metrics),
            tasks: TaskSet::new("node"),
            components: TaskSet::on(tokio::runtime::Handle::current(), "components"),
            spans: spans.map_err(StartError::Tracing)?,
        })
    }

    /// Opens the components.
    pub(crate) async fn open(&self, options: &Options, env: &dyn Env) -> Result<(), StartError> {
        let opener = open::Opener {
            registry: &options.registry,
            host: &self.host,
            configuration: &options.loaded.configuration,
            tasks: &self.components,
            data_dir: options.data_dir.clone(),
        };
        let opened = open::open(&options.loaded.resources, &opener, env).await;
        self.host.replace(opened.map_err(Box::new)?);
        Ok(())
    }

    /// What the operations stand on.
    pub(crate) fn parts(
        &self,
        options: &Options,
        app: &App,
        resolver: Arc<dyn Resolve>,
        telemetry: Arc<Telemetry>,
    ) -> Parts {
        let max_head = u32::try_from(options.max_head).unwrap_or(u32::MAX);
        let mut seed = [0; 8];
        self.host.entropy.fill(&mut seed);
        let peers = Peers::new(resolver, self.tasks.child("peers"), max_head);
        Parts {
            peers: Arc::new(peers.seeded(u64::from_le_bytes(seed))),
            outside: Outside::new(&options.identity, self.tasks.child("outside")),
            host: self.host.clone(),
            channel: app.channel.clone(),
            app_health: app.health.clone(),
            tracer: self.spans.tracer.clone(),
            telemetry,
            readiness: Readiness::default(),
            shutdown: StopSignal::default(),
            force_shutdown: StopSignal::default(),
            features: features(&options.loaded.configuration),
            app_connection: app.connection.clone(),
        }
    }

    /// Ends what a start that failed has begun.
    pub(crate) async fn clear(self, graceful: Duration) {
        let snapshot = self.host.snapshot_owned();
        // The start has failed already, and said why: what does not end in time is cut.
        let _ = tokio::time::timeout(graceful, snapshot.close()).await;
        self.components.close(TASKS_TIMEOUT).await;
        self.tasks.close(TASKS_TIMEOUT).await;
        self.spans.close().await;
    }
}

/// The features that the configuration names and switches on. Those that are on by default are built into Dapr and not
/// into this version: they are not shown.
fn features(configuration: &Configuration) -> Vec<String> {
    let named = configuration.enabled_features().into_iter();
    named
        .filter(|name| !DEFAULT_FEATURES.contains(name))
        .map(str::to_owned)
        .collect()
}
