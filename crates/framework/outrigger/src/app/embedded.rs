//! The runtime in the app's process.

use std::{net::SocketAddr, sync::Arc};

use outrigger_base_clock::SystemClock;
use outrigger_base_task::{StopSignal, TaskSet};
use outrigger_runtime_delivery::{Settings as DeliverySettings, Subscriptions};
use outrigger_runtime_host::Identity;
use outrigger_runtime_node::{
    AppOptions, DrainOptions, Node, Options, host_address, multicast, registry_dir,
};
use outrigger_transport::server::{self, Listener};
use outrigger_wire_names::environment;
use tokio::sync::oneshot;
use tracing::{Instrument, Span};

use super::{Running, settings::Settings, start_error};
use crate::{
    Error, Handle,
    channel::InProcess,
    handle::{Backend, Local},
    program::Program,
};

/// Bytes that the head of a request or an answer may have between members of the mesh: as a sidecar grants by default.
const MAX_HEAD: usize = 8 * 1024;

/// A runtime in this process.
pub(super) struct Embedded {
    node: Node,
    subscriptions: Subscriptions,
    metrics_address: Option<SocketAddr>,
    /// Cuts the handlers of events.
    cut: StopSignal,
    span: Span,
}

/// Cuts a runtime when it is dropped: connections and handlers of events end at once, and nothing more is taken. A runtime
/// that has ended in order does not notice.
struct Cut {
    tasks: TaskSet,
    events: StopSignal,
}

impl Drop for Cut {
    fn drop(&mut self) {
        self.events.stop();
        self.tasks.stop();
    }
}

/// Opens the components, becomes a member of the mesh, and subscribes.
///
/// What the runtime logs is in a span that names the app: several runtimes share the program's subscriber. The span has
/// the highest level, so that it is there whatever is shown.
pub(super) async fn start(settings: Settings, program: Arc<Program>) -> Result<Running, Error> {
    let span = tracing::error_span!("app", app_id = settings.app_id);
    open(settings, program, span.clone()).instrument(span).await
}

async fn open(settings: Settings, program: Arc<Program>, span: Span) -> Result<Running, Error> {
    let cut = StopSignal::default();
    let options = options(&settings, &program, cut.clone())?;
    let metrics = settings.metrics.map(listen_for_metrics).transpose()?;
    let node = Node::start(options, &*settings.env).await;
    let mut node = node.map_err(|error| start_error("start the runtime", error))?;
    let handle = Handle::new(Backend::Embedded(Local::new(node.api().clone())));
    program.shared().connect(&handle);
    let tasks = node.tasks().child("subscriptions");
    let delivery = DeliverySettings::default();
    let subscriptions = Subscriptions::with_settings(node.api().clone(), tasks, node.metrics(), delivery);
    let subscriptions = match subscriptions {
        Ok(subscriptions) => subscriptions,
        Err(error) => {
            // What was started is ended first.
            node.drain(async {}).await;
            return Err(start_error("register metrics", error));
        }
    };
    let metrics_address = metrics.as_ref().and_then(Listener::local_address);
    if let Some(listener) = metrics {
        node.serve_metrics(listener);
    }
    node.arrive(subscriptions.start()).await;
    tracing::info!(
        internal = %node.internal_address(),
        "the app runs with the runtime embedded"
    );
    let embedded = Embedded {
        node,
        subscriptions,
        metrics_address,
        cut,
        span,
    };
    Ok(Running::embedded(handle, embedded))
}

fn listen_for_metrics(address: SocketAddr) -> Result<Listener, Error> {
    let bound = server::bind(address, false).and_then(Listener::tcp);
    bound.map_err(|error| start_error(format!("serve metrics on {address}"), error))
}

fn options(settings: &Settings, program: &Arc<Program>, cut: StopSignal) -> Result<Options, Error> {
    let namespace = settings.var(environment::NAMESPACE).unwrap_or_default();
    let host_name = hostname::get().map(|name| name.to_string_lossy().into_owned());
    Ok(Options {
        identity: Identity {
            app_id: settings.app_id.as_str().into(),
            namespace: namespace.as_str().into(),
            host_name: host_name.unwrap_or_default().into(),
            host_address: host_address(&*settings.env, settings.internal.ip()),
        },
        registry: outrigger_catalog::registry(),
        loaded: settings.loaded(Some(namespace.as_str()).filter(|namespace| !namespace.is_empty()))?,
        app: Some(AppOptions::InProcess(Arc::new(InProcess::new(
            program.clone(),
            cut,
        )))),
        internal: settings.internal,
        workers: Vec::new(),
        data_dir: settings.data_dir(),
        registry_dir: Some(registry_dir(&*settings.env)),
        multicast: settings.multicast && multicast(&*settings.env),
        // A body that streams has no limit; extractors that read one whole have theirs.
        max_body: None,
        max_head: MAX_HEAD,
        drain: DrainOptions {
            graceful: settings.graceful,
            block: None,
        },
        clock: Arc::new(SystemClock),
        entropy: settings.entropy.clone(),
    })
}

impl Embedded {
    /// Where other members of the mesh reach the app.
    pub(super) fn address(&self) -> SocketAddr {
        self.node.internal_address()
    }

    /// Where metrics are served.
    pub(super) fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Completes when the app is asked through its API to end.
    pub(super) async fn asked_to_end(&self) {
        self.node.api().parts().shutdown.stopped().await;
    }

    /// Ends the runtime in order. Returns what ran out of time. Dropped before it is done, it cuts what is in hand.
    ///
    /// The drain is a task of its own, which a cut hastens but does not stop: ports and components are closed even then. It
    /// ends by itself, since each of its steps has a deadline.
    pub(super) async fn end(self) -> Vec<String> {
        let Self {
            node,
            subscriptions,
            cut,
            span,
            ..
        } = self;
        let _cut = Cut {
            tasks: node.tasks().clone(),
            events: cut.clone(),
        };
        let (done, over) = oneshot::channel();
        let drain = async move {
            // What was cut has nobody who waits for it.
            let stopping = async move { _ = cut.run_until(subscriptions.stop()).await };
            let late = node.drain(stopping).await;
            // Whoever asked may have left.
            let _ = done.send(late);
        };
        TaskSet::new("end of the app").spawn("drain", drain.instrument(span));
        // Without an answer the drain has panicked, and its task has said so.
        over.await.unwrap_or_default()
    }

    /// Tells every task to end, without waiting.
    pub(super) fn abandon(&self) {
        self.cut.stop();
        self.node.abandon();
    }
}
