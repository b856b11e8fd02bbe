//! What the operations stand on.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use outrigger_base_task::StopSignal;
use outrigger_base_telemetry::{
    metrics::{RegisterError, Registry},
    trace::Tracer,
};
use outrigger_runtime_channel::{AppChannel, health::Health};
use outrigger_runtime_host::Host;
use outrigger_runtime_peer::Peers;
use outrigger_runtime_telemetry::Telemetry;

use crate::{
    AppConnection, Outbox, Readiness, SubscriptionInfo,
    invoke::Outside,
    metrics::{self, Metrics},
};

/// What a runtime is made of, as its operations see it.
#[derive(Debug)]
pub struct Parts {
    /// Identity, time, chance, and what is open.
    pub host: Arc<Host>,
    /// The way to the app, where there is one.
    pub channel: Option<Arc<dyn AppChannel>>,
    /// Whether the app is well.
    pub app_health: Health,
    /// The sidecars of other apps.
    pub peers: Arc<Peers>,
    /// Services outside the mesh.
    pub outside: Outside,
    /// Makes trace contexts and spans.
    pub tracer: Tracer,
    /// What is counted of requests.
    pub telemetry: Arc<Telemetry>,
    /// How far the runtime has come.
    pub readiness: Readiness,
    /// Set off when a caller asks the runtime to end.
    pub shutdown: StopSignal,
    /// Set off when a caller asks the program to exit at once.
    pub force_shutdown: StopSignal,
    /// Active features, by name.
    pub features: Vec<String>,
    /// How the app is reached, for the metadata operation.
    pub app_connection: AppConnection,
}

/// Every operation of the runtime. Shared by all faces.
pub struct Api {
    parts: Parts,
    metrics: Metrics,
    extended: RwLock<BTreeMap<String, String>>,
    subscriptions: Mutex<Vec<SubscriptionInfo>>,
    outbox: Mutex<Option<Arc<dyn Outbox>>>,
}

impl Api {
    /// An API over `parts`, whose operations are counted in `registry`.
    pub fn new(parts: Parts, registry: &Registry) -> Result<Self, RegisterError> {
        let identity = &parts.host.identity;
        let metrics = Metrics::new(registry, identity.app_id.clone(), identity.namespace.clone())?;
        metrics::count_components(registry, &identity.app_id, &parts.host.snapshot())?;
        Ok(Self {
            parts,
            metrics,
            extended: RwLock::default(),
            subscriptions: Mutex::default(),
            outbox: Mutex::default(),
        })
    }

    /// What the operations stand on.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Identity, time, chance, and what is open.
    pub fn host(&self) -> &Arc<Host> {
        &self.parts.host
    }

    /// How far the runtime has come.
    pub fn readiness(&self) -> &Readiness {
        &self.parts.readiness
    }

    /// The way to the app, where there is one.
    pub fn channel(&self) -> Option<&Arc<dyn AppChannel>> {
        self.parts.channel.as_ref()
    }

    /// Makes trace contexts and spans.
    pub fn tracer(&self) -> &Tracer {
        &self.parts.tracer
    }

    /// What is counted of requests.
    pub fn telemetry(&self) -> &Telemetry {
        &self.parts.telemetry
    }

    /// Asks the runtime to end: in order, or at once with `force`.
    pub fn shut_down(&self, force: bool) {
        if force {
            tracing::info!("Force shutdown requested, exiting immediately without graceful shutdown");
            self.parts.force_shutdown.stop();
            return;
        }
        tracing::info!("Shutdown requested via API");
        self.parts.shutdown.stop();
    }

    /// Standing subscriptions, as whoever delivers them reported.
    pub fn subscriptions(&self) -> Vec<SubscriptionInfo> {
        self.subscriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Changes the report of standing subscriptions.
    pub fn report_subscriptions(&self, change: impl FnOnce(&mut Vec<SubscriptionInfo>)) {
        change(&mut self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Whoever carries announcements of transactions; looked at for stores that ask for it, for a moment.
    pub(crate) fn outbox_slot<T>(&self, look: impl FnOnce(&mut Option<Arc<dyn Outbox>>) -> T) -> T {
        look(&mut self.outbox.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) fn extended(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, String>> {
        self.extended.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn extended_mut(&self, change: impl FnOnce(&mut BTreeMap<String, String>)) {
        change(&mut self.extended.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("app_id", &self.parts.host.identity.app_id)
            .finish_non_exhaustive()
    }
}
