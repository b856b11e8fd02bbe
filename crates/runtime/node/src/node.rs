//! The node itself.

use std::{
    convert::Infallible,
    future::Ready,
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use http::{HeaderValue, Request, Response, header::CONTENT_TYPE};
use outrigger_base_std::{BoxError, go};
use outrigger_base_task::{StopSignal, TaskSet};
use outrigger_base_telemetry::metrics::{CONTENT_TYPE as METRICS_TYPE, RegisterError, Registry as Metrics};
use outrigger_discovery::Registration;
use outrigger_resource_manifest::Env;
use outrigger_runtime_api::{Api, Stage, Telemetry};
use outrigger_runtime_host::open;
use outrigger_runtime_peer::{Collector, InternalService};
use outrigger_transport::{
    Body,
    server::{self, Listener},
};
use outrigger_wire_names::environment;
use tower::service_fn;

use crate::{
    Options,
    app::App,
    discovery::Discovery,
    drain::{self, Ending},
    ground::Ground,
};

/// Bytes of a message between sidecars where the body has no limit.
const UNLIMITED: usize = usize::MAX >> 1;

/// Bytes that the head of a gRPC call, or of one between sidecars, may have at least. What came in a message of gRPC, the
/// method and the query, stands in the head between sidecars: up to 64 KiB of a URI, with what the sidecar of the caller
/// adds beside it. Dapr allows a gRPC caller 4 MiB; what no other sidecar would take is refused here.
const GRPC_HEAD: usize = 128 * 1024;

/// Time without a call after which a server of gRPC ends a connection (dapr-runtime.md §2.1).
const GRPC_MAX_IDLE: Duration = Duration::from_secs(180);

/// Time that is to lie between two pings of a gRPC client: one that pings oftener is told so and cut.
const GRPC_MIN_PING: Duration = Duration::from_secs(8);

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
    Component(#[from] Box<open::ComponentError>),
    /// The settings of the app channel cannot be used.
    #[error("cannot reach the app with these settings")]
    App(#[source] BoxError),
    /// Spans cannot be recorded or sent as the configuration and the environment ask.
    #[error("failed to set up tracing")]
    Tracing(#[source] BoxError),
    /// A metric was registered twice.
    #[error("cannot register metrics")]
    Metrics(#[from] RegisterError),
}

/// A running member of the mesh.
pub struct Node {
    ground: Ground,
    api: Arc<Api>,
    servers: TaskSet,
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
    /// Opens the components, binds the internal port, announces the node and begins to answer peers. It traces and counts
    /// as its configuration and the environment say.
    ///
    /// The node is ready for outbound calls then; [`Node::arrive`] waits for the app.
    ///
    /// # Errors
    /// Why it did not start. Nothing of it is left running then.
    pub async fn start(options: Options, env: &dyn Env) -> Result<Self, StartError> {
        // Bound before anything is opened: a taken port is found at once.
        let sockets = Sockets::bind(options.internal)?;
        let ground = Ground::new(&options, env)?;
        let graceful = options.drain.graceful;
        let started = match ground.open(&options, env).await {
            Ok(()) => Self::assemble(options, ground.clone(), sockets).await,
            Err(error) => Err(error),
        };
        match started {
            Ok(node) => {
                node.close_idle_connections(collector(env));
                Ok(node)
            }
            Err(error) => {
                ground.clear(graceful).await;
                Err(error)
            }
        }
    }

    fn close_idle_connections(&self, collector: Collector) {
        let (peers, stop) = (self.api.parts().peers.clone(), self.tasks().signal().clone());
        self.tasks().spawn("idle-connections", async move {
            let _ = stop.run_until(peers.collect(collector)).await;
        });
    }

    async fn assemble(mut options: Options, ground: Ground, sockets: Sockets) -> Result<Self, StartError> {
        let tasks = ground.tasks.clone();
        let discovery = Discovery::new(
            &options.identity,
            options.registry_dir.as_deref(),
            options.multicast,
            &options.loaded.static_peers,
        );
        let app_id = options.identity.app_id.clone();
        let metrics = &options.loaded.configuration.metrics;
        let telemetry = Telemetry::new(&ground.metrics, &app_id, metrics)?;
        let app = App::new(options.app.take(), &telemetry, &tasks).map_err(StartError::App)?;
        tell_what_is_missing();
        let parts = ground.parts(&options, &app, discovery.resolver.clone(), telemetry);
        let max_body = options.max_body.and_then(|max| usize::try_from(max).ok());
        let api = Arc::new(Api::new(parts, &ground.metrics)?);
        let ask_config = !options.loaded.skip_app_config;
        let mut node = Self {
            arrival: Some(Box::pin(app.arrival(ask_config, tasks.clone()))),
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
            ground,
        };
        node.serve_peers(sockets, app_id, max_body.unwrap_or(UNLIMITED))?;
        let (identity, port) = (&options.identity, node.internal.port());
        node.registration = discovery.announce(identity, identity.host_address, port).await;
        Ok(node)
    }

    fn serve_peers(&self, sockets: Sockets, app_id: Arc<str>, max_body: usize) -> Result<(), StartError> {
        let address = sockets.internal;
        let listener =
            Listener::tcp(sockets.socket).map_err(|source| StartError::Bind { address, source })?;
        let options = self.grpc_server_options();
        let service = InternalService::new(self.api.clone(), app_id, max_body);
        self.serve("internal", listener, options, service);
        Ok(())
    }

    /// Serves a face on a listener, on the worker runtimes, until the node drains.
    pub fn serve<S>(&self, name: &'static str, listener: Listener, options: server::Options, service: S)
    where
        S: tower_service::Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + Clone
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

    /// Serves what is counted, for Prometheus, on any path, until the node drains.
    pub fn serve_metrics(&self, listener: Listener) {
        let service = service_fn(render(self.metrics().clone()));
        self.serve("metrics", listener, self.options.server, service);
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
        &self.ground.metrics
    }

    /// Owner of tasks that live as long as the node.
    pub fn tasks(&self) -> &TaskSet {
        &self.ground.tasks
    }

    /// Defaults for servers of this node.
    pub fn server_options(&self) -> server::Options {
        self.options.server
    }

    /// Defaults for servers of this node that speak gRPC.
    pub fn grpc_server_options(&self) -> server::Options {
        server::Options {
            max_head: self.options.server.max_head.max(GRPC_HEAD),
            max_idle: Some(GRPC_MAX_IDLE),
            min_ping: Some(GRPC_MIN_PING),
            ..self.options.server
        }
    }

    /// Where the internal port is bound.
    pub fn internal_address(&self) -> SocketAddr {
        self.internal
    }

    /// Ends the node in phases: discovery, subscriptions, requests in flight, components, spans. Returns what ran out of
    /// time, by name.
    pub async fn drain(self, subscriptions: impl Future<Output = ()> + Send + 'static) -> Vec<String> {
        let ending = Ending {
            api: self.api,
            registration: self.registration,
            intake: self.intake,
            servers: self.servers,
            components: self.ground.components,
            tasks: self.ground.tasks,
            spans: self.ground.spans,
        };
        drain::run(ending, self.options.drain, subscriptions).await
    }

    /// Tells everything to end, without waiting: what is in hand is cut.
    pub fn abandon(&self) {
        self.intake.stop();
        self.ground.tasks.stop();
        self.ground.components.stop();
        self.ground.spans.abandon();
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

/// Blocks that every Dapr runtime has and this version does not. The words are those that users look for.
fn tell_what_is_missing() {
    tracing::warn!(
        "Actor runtime disabled: actors are not built into this version of Outrigger. Actors and Workflow APIs will be unavailable"
    );
    tracing::warn!("Scheduler disabled: jobs are not built into this version of Outrigger");
}

/// Answers with what is counted.
fn render(
    metrics: Arc<Metrics>,
) -> impl Fn(Request<Body>) -> Ready<Result<Response<Body>, Infallible>> + Clone {
    move |_| {
        let mut response = Response::new(Body::from(metrics.render()));
        let kind = HeaderValue::from_static(METRICS_TYPE);
        response.headers_mut().insert(CONTENT_TYPE, kind);
        std::future::ready(Ok(response))
    }
}

/// The internal port, bound.
struct Sockets {
    socket: TcpListener,
    internal: SocketAddr,
}

impl Sockets {
    fn bind(address: SocketAddr) -> Result<Self, StartError> {
        let bound = server::bind(address, false).and_then(|socket| {
            let internal = socket.local_addr()?;
            Ok(Self { socket, internal })
        });
        bound.map_err(|source| StartError::Bind { address, source })
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node")
            .field("api", &self.api)
            .field("internal", &self.internal)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
