//! A whole runtime on loopback: API, gRPC face, internal port.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex},
};

use outrigger_base_clock::{SystemClock, SystemEntropy};
use outrigger_base_task::{StopSignal, TaskSet};
use outrigger_base_telemetry::{
    metrics::Registry as Metrics,
    trace::{Sampler, Tracer},
};
use outrigger_discovery::{BoxFuture, Endpoint, Endpoints, Error, Name, Resolve};
use outrigger_resource_manifest::{Configuration, SourceFile, parse};
use outrigger_runtime_api::{Api, AppConnection, Outside, Parts, Readiness, Stage, Telemetry};
use outrigger_runtime_api_grpc::{GrpcFace, Options};
use outrigger_runtime_channel::{AppChannel, GrpcChannel, HttpChannel, Settings, health::Health};
use outrigger_runtime_host::{Host, Identity, Registry, open};
use outrigger_runtime_peer::{InternalService, Peers};
use outrigger_transport::{
    Body,
    client::{Connect, Http2Channel, Target},
    server::{self, Listener},
};
use outrigger_wire_proto::runtime::dapr_client::DaprClient;

/// Bytes that a message may have.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// Where the sidecars of apps are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directory(Arc<Mutex<HashMap<String, SocketAddr>>>);

impl Directory {
    /// Says where the sidecar of an app is.
    pub(crate) fn set(&self, id: &str, address: SocketAddr) {
        self.0.lock().unwrap().insert(id.to_owned(), address);
    }

    fn get(&self, id: &str) -> Option<SocketAddr> {
        self.0.lock().unwrap().get(id).copied()
    }
}

impl Resolve for Directory {
    fn resolve<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<Endpoints, Error>> {
        // Nobody here has a namespace.
        let found = self.get(name.id()).filter(|_| name.namespace().is_none());
        let found = found
            .map(|address| Endpoints::from([Endpoint::new(address)]))
            .ok_or_else(|| Error::NotFound {
                name: name.clone(),
                resolver: "test",
            });
        Box::pin(std::future::ready(found))
    }
}

/// A running runtime; it ends when it is dropped.
pub(crate) struct Runtime {
    pub(crate) api: Arc<Api>,
    pub(crate) address: SocketAddr,
    pub(crate) metrics: Metrics,
    tasks: TaskSet,
}

impl Runtime {
    /// A runtime of the app `id`, with components from `yaml`.
    pub(crate) async fn start(
        id: &str,
        app: Option<Settings>,
        yaml: &str,
        directory: &Directory,
        options: Options,
    ) -> Self {
        let tasks = TaskSet::new(id);
        let host = host(id, yaml, &tasks).await;
        let metrics = Metrics::new();
        let telemetry = Telemetry::new(&metrics, &id.into(), &Configuration::default().metrics).unwrap();
        let parts = Parts {
            telemetry,
            ..parts(host, app, directory, &tasks)
        };
        let api = Arc::new(Api::new(parts, &metrics).unwrap());
        api.readiness().enter(Stage::Ready);
        let internal = InternalService::new(api.clone(), id.into(), MAX_BODY);
        let internal = serve(internal, &tasks);
        directory.set(id, internal);
        let options = Options {
            max_body: Some(MAX_BODY as u64),
            ..options
        };
        let address = serve(GrpcFace::new(api.clone(), options), &tasks);
        Self {
            api,
            address,
            metrics,
            tasks,
        }
    }

    /// A runtime without an app and without peers.
    pub(crate) async fn alone(yaml: &str) -> Self {
        Self::start("alone", None, yaml, &Directory::default(), Options::default()).await
    }

    /// A connection to the gRPC port.
    pub(crate) fn channel(&self) -> Http2Channel {
        let target = Target::Address(self.address);
        Http2Channel::new(Connect::plain(target), self.tasks.child("client"), 64 * 1024)
    }

    /// A connection to its internal port.
    pub(crate) fn internal_channel(&self, directory: &Directory) -> Http2Channel {
        let id = &self.api.host().identity.app_id;
        let target = Target::Address(directory.get(id).unwrap());
        Http2Channel::new(Connect::plain(target), self.tasks.child("client"), 64 * 1024)
    }

    /// The same runtime behind another face.
    pub(crate) fn behind(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    pub(crate) fn client(&self) -> DaprClient<Http2Channel> {
        DaprClient::new(self.channel())
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

/// Settings of an app on loopback.
pub(crate) fn app_settings(port: u16, protocol: &str) -> Settings {
    Settings {
        address: "127.0.0.1".to_owned(),
        port,
        protocol: protocol.parse().unwrap(),
        token: Some(outrigger_base_std::Secret::new("app-token")),
        app_id: "app".to_owned(),
        max_head: 16 * 1024,
        max_body: MAX_BODY,
    }
}

/// Serves on a free port.
pub(crate) fn serve<S>(service: S, tasks: &TaskSet) -> SocketAddr
where
    S: tower_service::Service<
            http::Request<Body>,
            Response = http::Response<Body>,
            Error = std::convert::Infallible,
        > + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
{
    let socket = server::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), false).unwrap();
    let address = socket.local_addr().unwrap();
    let listener = Listener::tcp(socket).unwrap();
    let make = move |_| service.clone();
    let (connections, intake) = (tasks.child("connections"), tasks.signal().clone());
    tasks.spawn("server", async move {
        server::serve(
            listener,
            make,
            server::Options::default(),
            Vec::new(),
            connections,
            intake,
        )
        .await;
    });
    address
}

async fn host(id: &str, yaml: &str, tasks: &TaskSet) -> Arc<Host> {
    let identity = Identity {
        app_id: id.into(),
        namespace: "".into(),
        host_name: "host".into(),
        host_address: IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    let host = Arc::new(Host::new(
        identity,
        Arc::new(SystemClock),
        Arc::new(SystemEntropy),
    ));
    let registry = Registry::new()
        .state(&["in-memory"], outrigger_component_memory::store)
        .broker(&["in-memory"], outrigger_component_memory::broker)
        .secrets(&["local.file"], outrigger_component_local::file);
    let source = SourceFile {
        path: Path::new("test.yaml").into(),
        content: Ok(yaml.to_owned()),
    };
    let report = parse(vec![source], id, None);
    let folder = tempfile::tempdir().unwrap();
    let opener = open::Opener {
        registry: &registry,
        host: &host,
        configuration: &Configuration::default(),
        tasks,
        data_dir: folder.path().to_owned(),
    };
    let env = outrigger_resource_manifest::ProcessEnv;
    let snapshot = open::open(&report.resources, &opener, &env).await.unwrap();
    host.replace(snapshot);
    host
}

fn parts(host: Arc<Host>, app: Option<Settings>, directory: &Directory, tasks: &TaskSet) -> Parts {
    let connection = app.as_ref().map(|settings| AppConnection {
        port: settings.port,
        protocol: settings.protocol.to_string(),
        channel_address: settings.address.clone(),
        max_concurrency: 7,
        health: Some(Default::default()),
    });
    let channel = app.map(|settings| -> Arc<dyn AppChannel> {
        if settings.protocol.is_grpc() {
            Arc::new(GrpcChannel::new(&settings, tasks.child("app")).unwrap())
        } else {
            Arc::new(HttpChannel::new(&settings, tasks.child("app")).unwrap())
        }
    });
    let tracer = Tracer::new(
        host.clock.clone(),
        host.entropy.clone(),
        Sampler::parse("1").unwrap(),
        None,
    );
    Parts {
        outside: Outside::new(&host.identity, tasks.child("outside")),
        host,
        channel,
        app_health: Health::unwatched(),
        peers: Arc::new(Peers::new(
            Arc::new(directory.clone()),
            tasks.child("peers"),
            64 * 1024,
        )),
        tracer,
        telemetry: Telemetry::off(),
        readiness: Readiness::default(),
        shutdown: StopSignal::default(),
        force_shutdown: StopSignal::default(),
        features: vec!["Feature".to_owned()],
        app_connection: connection.unwrap_or_default(),
    }
}

/// A component of that type without metadata.
pub(crate) fn component(name: &str, type_: &str) -> String {
    format!(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  type: {type_}\n  version: v1\n---\n"
    )
}
