//! The node itself.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use outrigger_base_std::{BoxError, go};
use outrigger_base_task::{StopSignal, TaskSet};
use outrigger_base_telemetry::{
    metrics::{ProcessCollector, RegisterError, Registry as Metrics},
    trace::Tracer,
};
use outrigger_discovery::Registration;
use outrigger_resource_manifest::{Configuration, Env, configuration::DEFAULT_FEATURES};
use outrigger_runtime_api::{Api, Outside, Parts, Readiness, Stage, Telemetry};
use outrigger_runtime_host::{Host, open};
use outrigger_runtime_peer::{Collector, InternalService, Peers};
use outrigger_transport::server::{self, Listener};
use outrigger_wire_names::environment;

use crate::{
    Options,
    app::App,
    discovery::Discovery,
    drain::{self, Ending},
};

/// Bytes of a message between sidecars where the body has no limit.
const UNLIMITED: usize = usize::MAX >> 1;

/// Bytes that the head of a call between sidecars may have at least. What came in a message of gRPC, the method and the
/// query, stands in the head there: up to 64 KiB of a URI, with what the sidecar of the caller adds beside it.
const INTERNAL_HEAD: usize = 128 * 1024;

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The internal port is taken, or its address is not this host's.
    #[error("cannot listen on the internal address {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A component did not open.
    #[error(transparent)]
    Component(#[from] open::ComponentError),
    /// The settings of the app channel cannot be used.
    #[error("cannot reach the app with these settings")]
    App(#[source] BoxError),
    /// A metric was registered twice.
    #[error("cannot register metrics")]
    Metrics(#[from] RegisterError),
}

/// A running member of the mesh.
pub struct Node {
    api: Arc<Api>,
    metrics: Arc<Metrics>,
    tasks: TaskSet,
    servers: TaskSet,
    components: TaskSet,
    intake: StopSignal,
    internal: SocketAddr,
    registration: Registration,
    options: Running,
    arrival: Option<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// What of the options is needed while the node runs.
struct Running {
    workers: Vec<tokio::runtime::Handle>,
    server: server::Options,
    drain: crate::DrainOptions,
}

impl Node {
    /// Opens the components, binds the internal port, announces the node and begins to answer peers.
    ///
    /// The node is ready for outbound calls then; [`Node::arrive`] waits for the app.
    pub async fn start(
        options: Options,
        tracer: Tracer,
        metrics: Arc<Metrics>,
        env: &dyn Env,
    ) -> Result<Self, StartError> {
        let address = options.internal;
        // Bound before anything is opened: a taken port is found at once.
        let socket = server::bind(address, false).map_err(|source| StartError::Bind { address, source })?;
        let internal = socket
            .local_addr()
            .map_err(|source| StartError::Bind { address, source })?;
        let tasks = TaskSet::new("node");
        let components = TaskSet::on(tokio::runtime::Handle::current(), "components");
        let host = Arc::new(Host::new(
            options.identity.clone(),
            options.clock.clone(),
            options.entropy.clone(),
        ));
        let opener = open::Opener {
            registry: &options.registry,
            host: &host,
            configuration: &options.loaded.configuration,
            tasks: &components,
            data_dir: options.data_dir.clone(),
        };
        host.replace(open::open(&options.loaded.resources, &opener, env).await?);
        metrics.add_collector(Arc::new(ProcessCollector::default()));
        let node = Self::assemble(
            options,
            tracer,
            metrics,
            host,
            Sockets { socket, internal },
            tasks,
            components,
        )
        .await?;
        node.close_idle_connections(collector(env));
        Ok(node)
    }

    fn close_idle_connections(&self, collector: Collector) {
        let (peers, stop) = (self.api.parts().peers.clone(), self.tasks.signal().clone());
        self.tasks.spawn("idle-connections", async move {
            let _ = stop.run_until(peers.collect(collector)).await;
        });
    }

    async fn assemble(
        options: Options,
        tracer: Tracer,
        metrics: Arc<Metrics>,
        host: Arc<Host>,
        sockets: Sockets,
        tasks: TaskSet,
        components: TaskSet,
    ) -> Result<Self, StartError> {
        let identity = &options.identity;
        let discovery = Discovery::new(
            identity,
            options.registry_dir.as_deref(),
            options.multicast,
            &options.static_peers,
        );
        let configuration = &options.loaded.configuration;
        let telemetry = Telemetry::new(&metrics, &identity.app_id, &configuration.metrics)?;
        let app = App::new(options.app, &telemetry, &tasks).map_err(StartError::App)?;
        tell_what_is_missing();
        let max_head = u32::try_from(options.max_head).unwrap_or(u32::MAX);
        let parts = Parts {
            peers: Arc::new(Peers::new(
                discovery.resolver.clone(),
                tasks.child("peers"),
                max_head,
            )),
            outside: Outside::new(identity, tasks.child("outside")),
            host,
            channel: app.channel.clone(),
            app_health: app.health.clone(),
            tracer,
            telemetry,
            readiness: Readiness::default(),
            shutdown: StopSignal::default(),
            force_shutdown: StopSignal::default(),
            features: features(configuration),
            app_connection: app.connection.clone(),
        };
        let api = Arc::new(Api::new(parts, &metrics)?);
        let max_body = options
            .max_body
            .and_then(|max| usize::try_from(max).ok())
            .unwrap_or(UNLIMITED);
        let service = InternalService::new(api.clone(), identity.app_id.clone(), max_body);
        let mut node = Self {
            arrival: Some(Box::pin(
                app.arrival(!options.loaded.skip_app_config, tasks.clone()),
            )),
            servers: tasks.child("servers"),
            intake: StopSignal::default(),
            internal: sockets.internal,
            registration: Registration::inert(),
            options: Running {
                workers: options.workers,
                server: server::Options {
                    max_head: options.max_head,
                    ..server::Options::default()
                },
                drain: options.drain,
            },
            api,
            metrics,
            tasks,
            components,
        };
        let listener = Listener::tcp(sockets.socket).map_err(|source| StartError::Bind {
            address: sockets.internal,
            source,
        })?;
        let internal = server::Options {
            max_head: node.options.server.max_head.max(INTERNAL_HEAD),
            ..node.options.server
        };
        node.serve("internal", listener, internal, service);
        node.registration = discovery
            .announce(identity, identity.host_address, sockets.internal.port())
            .await;
        Ok(node)
    }

    /// Serves a face on a listener, on the worker runtimes, until the node drains.
    pub fn serve<S>(&self, name: &'static str, listener: Listener, options: server::Options, service: S)
    where
        S: tower_service::Service<
                http::Request<outrigger_transport::Body>,
                Response = http::Response<outrigger_transport::Body>,
                Error = std::convert::Infallible,
            > + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
    {
        let make = move |_| service.clone();
        let serving = server::serve(
            listener,
            make,
            options,
            self.options.workers.clone(),
            self.servers.clone(),
            self.intake.clone(),
        );
        // A loop ends with its last connection, so that the drain waits for those of this set and no others.
        self.servers.spawn(name, serving);
    }

    /// Enters the stage in which outbound calls are answered, waits for the app, and then counts as ready.
    ///
    /// `between` runs once the app is there and before the node is ready: subscriptions begin in it.
    pub async fn arrive(&mut self, between: impl Future<Output = ()>) {
        self.api.readiness().enter(Stage::Outbound);
        if let Some(arrival) = self.arrival.take() {
            arrival.await;
        }
        between.await;
        self.api.readiness().enter(Stage::Ready);
    }

    /// Every operation.
    pub fn api(&self) -> &Arc<Api> {
        &self.api
    }

    /// What is counted.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Owner of tasks that live as long as the node.
    pub fn tasks(&self) -> &TaskSet {
        &self.tasks
    }

    /// Defaults for servers of this node.
    pub fn server_options(&self) -> server::Options {
        self.options.server
    }

    /// Where the internal port is bound.
    pub fn internal_address(&self) -> SocketAddr {
        self.internal
    }

    /// Ends the node in phases: intake, discovery, subscriptions, requests in flight, components, telemetry. Returns what ran out of time, by name.
    pub async fn drain(self, subscriptions: impl Future<Output = ()> + Send + 'static) -> Vec<String> {
        let ending = Ending {
            api: self.api,
            registration: self.registration,
            intake: self.intake,
            servers: self.servers,
            components: self.components,
            tasks: self.tasks,
        };
        drain::run(ending, self.options.drain, subscriptions).await
    }
}

/// When idle connections to peers are closed: the environment's word, where it is a duration above zero.
fn collector(env: &dyn Env) -> Collector {
    let duration = |name| {
        let text = env.var(name)?;
        let duration = go::parse_duration(&text).ok();
        duration.filter(|duration| !duration.is_zero())
    };
    let default = Collector::default();
    Collector {
        max_idle: duration(environment::DAPR_GRPC_MAX_CONN_IDLE).unwrap_or(default.max_idle),
        interval: duration(environment::DAPR_GRPC_CONN_COLLECTOR_INTERVAL).unwrap_or(default.interval),
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

/// Blocks that every Dapr runtime has and this version does not. The words are those that users look for.
fn tell_what_is_missing() {
    tracing::warn!(
        "Actor runtime disabled: actors are not built into this version of Outrigger. Actors and Workflow APIs will be unavailable"
    );
    tracing::warn!("Scheduler disabled: jobs are not built into this version of Outrigger");
}

/// The internal port, bound.
struct Sockets {
    socket: TcpListener,
    internal: SocketAddr,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node")
            .field("api", &self.api)
            .field("internal", &self.internal)
            .finish_non_exhaustive()
    }
}
