//! What listens: the two APIs, the public port, the metrics.

use std::{
    fs, io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use outrigger_runtime_api_grpc::{GrpcFace, Options as GrpcOptions};
use outrigger_runtime_api_http::{CallLog, HttpFace, Options as HttpOptions, Scope};
use outrigger_runtime_delivery::Subscriptions;
use outrigger_runtime_node::Node;
use outrigger_transport::server::{self, Listener};
use tokio::net::UnixListener;

use super::{settings::Settings, streams::Streams};

/// A listener could not be had.
#[derive(Debug, thiserror::Error)]
#[error("failed to start the {face} server on {place}")]
pub(crate) struct ListenError {
    face: &'static str,
    place: String,
    source: io::Error,
}

/// Everything that a sidecar listens on, bound before anything else is done.
pub(crate) struct Listeners {
    http: Vec<Listener>,
    grpc: Vec<Listener>,
    public: Option<Listener>,
    metrics: Option<Listener>,
    sockets: Vec<PathBuf>,
    /// Port of the HTTP API; 0 on Unix sockets.
    pub(crate) http_port: u16,
    /// Port of the gRPC API; 0 on Unix sockets.
    pub(crate) grpc_port: u16,
}

impl Listeners {
    /// Binds what the settings ask for.
    pub(crate) fn bind(settings: &Settings) -> Result<Self, ListenError> {
        let (mut http, mut grpc, mut sockets) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(dir) = &settings.unix_dir {
            for (face, list) in [("http", &mut http), ("grpc", &mut grpc)] {
                let path = dir.join(outrigger_wire_names::environment::socket_name(
                    &settings.app_id,
                    face,
                ));
                list.push(unix(face, &path)?);
                sockets.push(path);
            }
        } else {
            http = tcp_all("HTTP", &settings.listen, settings.http_port)?;
            grpc = tcp_all("gRPC", &settings.listen, settings.grpc_port)?;
        }
        let (http_port, grpc_port) = (port_of(&http), port_of(&grpc));
        let public = settings
            .public
            .map(|address| tcp("public", address))
            .transpose()?;
        let metrics = settings
            .metrics
            .map(|address| tcp("metrics", address))
            .transpose()?;
        Ok(Self {
            http,
            grpc,
            public,
            metrics,
            sockets,
            http_port,
            grpc_port,
        })
    }

    /// Puts the faces in front of a node. Returns the Unix sockets to remove at the end.
    pub(crate) fn serve(
        self,
        node: &Node,
        settings: &Settings,
        log_calls: Option<CallLog>,
        subscriptions: &Subscriptions,
    ) -> Vec<PathBuf> {
        let http = HttpOptions {
            scope: Scope::Full,
            token: settings.api_token.clone(),
            max_body: settings.max_body,
            cors: settings.cors.clone(),
            log_calls,
        };
        let options = server::Options {
            http2: settings.h2c,
            ..node.server_options()
        };
        let face = HttpFace::new(node.api().clone(), http);
        for listener in self.http {
            node.serve("http-api", listener, options, face.clone());
        }
        let grpc = GrpcOptions {
            token: settings.api_token.clone(),
            max_body: settings.max_body,
            log_calls: log_calls.is_some(),
            streams: Some(Arc::new(Streams(subscriptions.clone()))),
            ..GrpcOptions::default()
        };
        let face = GrpcFace::new(node.api().clone(), grpc);
        let options = server::Options {
            http1: false,
            ..node.grpc_server_options()
        };
        for listener in self.grpc {
            node.serve("grpc-api", listener, options, face.clone());
        }
        if let Some(listener) = self.public {
            let options = HttpOptions {
                scope: Scope::Public,
                max_body: settings.max_body,
                ..HttpOptions::default()
            };
            let face = HttpFace::new(node.api().clone(), options);
            node.serve("public-api", listener, node.server_options(), face);
        }
        if let Some(listener) = self.metrics {
            node.serve_metrics(listener);
        }
        self.sockets
    }
}

/// Listeners on every address. Where the port is a free one, all have the first one's.
fn tcp_all(face: &'static str, addresses: &[IpAddr], port: u16) -> Result<Vec<Listener>, ListenError> {
    let mut port = port;
    let mut listeners = Vec::new();
    for address in addresses {
        let listener = tcp(face, SocketAddr::new(*address, port))?;
        port = listener.local_address().map_or(port, |address| address.port());
        listeners.push(listener);
    }
    Ok(listeners)
}

fn tcp(face: &'static str, address: SocketAddr) -> Result<Listener, ListenError> {
    let bound = server::bind(address, false).and_then(Listener::tcp);
    bound.map_err(|source| ListenError {
        face,
        place: address.to_string(),
        source,
    })
}

/// A Unix socket; one that an earlier run left behind is replaced.
fn unix(face: &'static str, path: &PathBuf) -> Result<Listener, ListenError> {
    let _ = fs::remove_file(path);
    let bound = UnixListener::bind(path).map(Listener::Unix);
    bound.map_err(|source| ListenError {
        face,
        place: path.display().to_string(),
        source,
    })
}

fn port_of(listeners: &[Listener]) -> u16 {
    listeners
        .first()
        .and_then(Listener::local_address)
        .map_or(0, |address| address.port())
}
