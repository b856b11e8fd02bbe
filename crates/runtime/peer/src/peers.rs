//! Finding the peers of an app and choosing one.

use std::{
    collections::HashMap,
    fmt,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use http::{Request, Response};
use http_body::Body as _;
use outrigger_balance::{Options, Picked, Picker};
use outrigger_base_task::TaskSet;
use outrigger_discovery::{Endpoint, Error as DiscoveryError, NameRef, Resolve};
use outrigger_transport::{Body, client::Failed};
use outrigger_wire_names::headers;
use tokio::time::Instant;

use crate::{
    Error,
    connection::{PeerConnection, Way},
    dapr, probe,
};

/// An app that is to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppTarget<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its namespace, where it is not the caller's.
    pub namespace: Option<&'a str>,
}

impl<'a> AppTarget<'a> {
    /// Reads `app-id` or `app-id.namespace`.
    pub fn parse(text: &'a str) -> Self {
        match text.split_once('.') {
            Some((id, namespace)) if !namespace.is_empty() => Self {
                id,
                namespace: Some(namespace),
            },
            _ => Self {
                id: text,
                namespace: None,
            },
        }
    }

    fn name(&self) -> NameRef<'a> {
        let name = NameRef::new(self.id);
        match self.namespace {
            Some(namespace) => name.in_namespace(namespace),
            None => name,
        }
    }
}

impl fmt::Display for AppTarget<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)?;
        self.namespace
            .map_or(Ok(()), |namespace| write!(f, ".{namespace}"))
    }
}

/// When connections to peers are closed because nobody needs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collector {
    /// Idle time after which a connection is closed.
    pub max_idle: Duration,
    /// Time between two looks.
    pub interval: Duration,
}

impl Default for Collector {
    fn default() -> Self {
        // Dapr's defaults.
        Self {
            max_idle: Duration::from_secs(3 * 60),
            interval: Duration::from_secs(45),
        }
    }
}

/// The sidecars of other apps.
pub struct Peers {
    resolver: Arc<dyn Resolve>,
    /// One for all apps: the choice is by load, which is remembered by address, and takes no turns.
    picker: Picker<Endpoint, SocketAddr>,
    /// Read for each call, written when an address is seen for the first time.
    connections: RwLock<HashMap<SocketAddr, Arc<PeerConnection>>>,
    tasks: TaskSet,
    max_head: u32,
}

impl Peers {
    /// Peers as `resolver` knows them. `max_head`: bytes that the head of an answer may have.
    pub fn new(resolver: Arc<dyn Resolve>, tasks: TaskSet, max_head: u32) -> Self {
        Self {
            resolver,
            picker: picker(Options::default()),
            connections: RwLock::default(),
            tasks,
            max_head,
        }
    }

    /// Lets choices among replicas begin at `seed`: runtimes with one of their own do not all choose alike.
    #[must_use]
    pub fn seeded(mut self, seed: u64) -> Self {
        self.picker = picker(Options::default().with_seed(seed));
        self
    }

    /// Calls an app: over the pass-through where the chosen peer is ours, in Dapr's internal gRPC otherwise.
    pub async fn invoke(
        &self,
        target: AppTarget<'_>,
        request: Request<Body>,
    ) -> Result<Response<Body>, Error> {
        let (address, picked) = match self.choose(target).await {
            Ok(chosen) => chosen,
            Err(source) => return Err(unresolved(target, source, request)),
        };
        let connection = self.connection(address);
        let spare = spare(&request);
        let request = match connection.send_direct(target.id, request).await {
            Way::Answered(answer) => return self.settle(target, address, picked, answer, spare),
            Way::Grpc(request) => request,
        };
        let failure = match dapr::invoke(&connection, target, request).await {
            Ok(response) => return self.settle(target, address, picked, Ok(response), None),
            Err(dapr::Failure::Transport(failed)) => {
                return self.settle(target, address, picked, Err(failed), spare);
            }
            Err(dapr::Failure::Status(code, message)) => Error::Peer { code, message },
            Err(dapr::Failure::Request(reason)) => Error::Request(reason),
        };
        // What it says is no good news, but it says something.
        picked.success();
        Err(failure)
    }

    /// Passes a gRPC call through to the sidecar of an app; both kinds of peer take it the same way.
    pub async fn proxy(
        &self,
        target: AppTarget<'_>,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, Error> {
        let (address, picked) = match self.choose(target).await {
            Ok(chosen) => chosen,
            Err(source) => return Err(unresolved(target, source, request)),
        };
        let connection = self.connection(address);
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let uri = connection
            .grpc()
            .absolute(path)
            .map_err(|error| Error::Request(error.to_string()))?;
        *request.uri_mut() = uri;
        match connection.grpc().send(request).await {
            Ok(response) => Ok(self.settle_proxied(target, address, picked, response)),
            failed => self.settle(target, address, picked, failed, None),
        }
    }

    /// Closes idle connections, for ever.
    pub async fn collect(&self, collector: Collector) {
        loop {
            tokio::time::sleep(collector.interval).await;
            let connections: Vec<_> = {
                let known = self.connections.read().unwrap_or_else(PoisonError::into_inner);
                known.values().cloned().collect()
            };
            for connection in connections {
                connection.purge(collector.max_idle);
            }
        }
    }

    /// Finds the replicas of an app and chooses one.
    async fn choose(&self, target: AppTarget<'_>) -> Result<(SocketAddr, Picked), DiscoveryError> {
        let name = target.name();
        let endpoints = match self.resolver.cached(name) {
            Some(endpoints) => endpoints,
            None => self.resolver.resolve(&name.to_name()).await?,
        };
        let picked = self.picker.pick(&endpoints, now());
        let chosen = picked.and_then(|picked| endpoints.get(picked.index()).map(|one| (one.address, picked)));
        chosen.ok_or_else(|| DiscoveryError::NotFound {
            name: name.to_name(),
            resolver: "picker",
        })
    }

    /// Tells the picker how it went; an address that cannot be dialled leaves the resolver's cache. `spare` goes out again
    /// where the request was sent and its answer was lost.
    fn settle(
        &self,
        target: AppTarget<'_>,
        address: SocketAddr,
        picked: Picked,
        answer: Result<Response<Body>, Failed>,
        spare: Option<Request<Body>>,
    ) -> Result<Response<Body>, Error> {
        let mut source = match answer {
            Ok(response) => {
                picked.success();
                return Ok(response);
            }
            Err(failed) => failed,
        };
        // A caller that cuts its own upload says nothing of the peer, which is no worse for it.
        if !source.error.is_of_the_body() {
            picked.failure(now());
        }
        if source.error.nothing_sent() {
            self.resolver.evict(target.name(), address);
        }
        Err(Error::Transport {
            app: target.to_string(),
            address,
            again: source.unsent.take().or_else(|| spare.map(Box::new)),
            source,
        })
    }

    /// Tells the picker of the answer to a call that was passed through. Where the sidecar of another app has taken the
    /// address over, it leaves the resolver's cache, as one does that cannot be dialled; the request is spent. What sidecars
    /// tell each other goes no further.
    fn settle_proxied(
        &self,
        target: AppTarget<'_>,
        address: SocketAddr,
        picked: Picked,
        mut response: Response<Body>,
    ) -> Response<Body> {
        let said = response.headers_mut().remove(headers::PEER_ERROR);
        if said.is_some_and(|said| said == probe::MISDIRECTED) {
            picked.failure(now());
            self.resolver.evict(target.name(), address);
        } else {
            picked.success();
        }
        response
    }

    fn connection(&self, address: SocketAddr) -> Arc<PeerConnection> {
        let known = self
            .connections
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&address)
            .cloned();
        if let Some(connection) = known {
            return connection;
        }
        let mut connections = self.connections.write().unwrap_or_else(PoisonError::into_inner);
        if connections.len() >= MAX_PEERS {
            // Addresses of peers that moved pile up; a connection in use keeps itself alive.
            connections.retain(|_, connection| Arc::strong_count(connection) > 1);
        }
        let made = || Arc::new(PeerConnection::new(address, self.tasks.clone(), self.max_head));
        connections.entry(address).or_insert_with(made).clone()
    }
}

/// Addresses that are remembered before idle ones are let go.
const MAX_PEERS: usize = 4096;

fn unresolved(target: AppTarget<'_>, source: DiscoveryError, request: Request<Body>) -> Error {
    Error::Resolve {
        app: target.to_string(),
        source,
        again: Some(Box::new(request)),
    }
}

/// A copy of a request that is no harm when it is carried out twice (RFC 9110, section 9.2.1), and that has no body to
/// use up: a peer that dies with it costs its caller time, and no error.
fn spare(request: &Request<Body>) -> Option<Request<Body>> {
    if !request.method().is_safe() || !request.body().is_end_stream() {
        return None;
    }
    let mut spare = Request::new(Body::empty());
    *spare.method_mut() = request.method().clone();
    *spare.uri_mut() = request.uri().clone();
    *spare.headers_mut() = request.headers().clone();
    Some(spare)
}

fn picker(options: Options) -> Picker<Endpoint, SocketAddr> {
    Picker::new(options, |endpoint: &Endpoint| endpoint.address, now())
}

/// The picker takes standard instants; the clock behind them is tokio's, which a test can pause.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").finish_non_exhaustive()
    }
}
