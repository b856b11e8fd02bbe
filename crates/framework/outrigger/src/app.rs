//! The app: what it does, what it has, and how it is started.

mod beside;
mod embedded;
mod mode;
mod resources;
mod running;
mod settings;

use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use http::Method;

use crate::{
    Error, Handler, IntoResponse, IntoVerdict, Provided, Topic,
    context::Shared,
    handler::{CallFn, EventFn, call_fn, event_fn},
    program::Program,
    routes::Routes,
    topic::Check,
};
use settings::Settings;

pub use mode::Mode;
pub use running::Running;

/// Bytes that a body may have which an extractor reads whole: what a sidecar grants by default (`--max-body-size`).
pub(crate) const DEFAULT_MAX_BODY: u64 = 4 * 1024 * 1024;

/// An app: an id, handlers, and what the runtime needs. Nothing happens before [`App::run`] or [`App::start`].
#[must_use = "an app does nothing until it is run"]
pub struct App {
    settings: Settings,
    calls: Vec<(String, Option<Method>, CallFn)>,
    topics: Vec<Topic>,
    /// Handlers of events by the paths that subscriptions in resources route to.
    declared: Vec<(String, EventFn)>,
    provided: Provided,
    checks: Vec<Check>,
}

macro_rules! verbs {
    ($($(#[$doc:meta])* $name:ident $verb:ident;)*) => {
        $($(#[$doc])*
        pub fn $name<M, H>(self, method: impl Into<String>, handler: H) -> Self
        where
            H: Handler<M>,
            H::Output: IntoResponse,
        {
            self.method(Some(Method::$verb), method.into(), handler)
        })*
    };
}

impl App {
    /// An app with the id by which others call it. Beside a sidecar the sidecar's id counts.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            settings: Settings::new(id.into()),
            calls: Vec::new(),
            topics: Vec::new(),
            declared: Vec::new(),
            provided: Provided::default(),
            checks: Vec::new(),
        }
    }

    /// The handler of a method, for whatever HTTP verb it is called with.
    ///
    /// The method is a path: `create-order`, `orders/{id}` with a capture for [`Path`](crate::Path), or
    /// `files/{*path}`, which captures the rest. A literal comes before a capture.
    pub fn call<M, H>(self, method: impl Into<String>, handler: H) -> Self
    where
        H: Handler<M>,
        H::Output: IntoResponse,
    {
        self.method(None, method.into(), handler)
    }

    verbs! {
        /// The handler of a method called with `GET`.
        get GET;
        /// The handler of a method called with `POST`.
        post POST;
        /// The handler of a method called with `PUT`.
        put PUT;
        /// The handler of a method called with `PATCH`.
        patch PATCH;
        /// The handler of a method called with `DELETE`.
        delete DELETE;
    }

    fn method<M, H>(mut self, verb: Option<Method>, method: String, handler: H) -> Self
    where
        H: Handler<M>,
        H::Output: IntoResponse,
    {
        self.checks.push(H::check);
        self.calls.push((method, verb, call_fn(handler)));
        self
    }

    /// The handler of every event of a topic. With rules, a dead-letter topic or options, use [`App::subscribe`].
    pub fn on<M, H>(self, pubsub: impl Into<String>, topic: impl Into<String>, handler: H) -> Self
    where
        H: Handler<M>,
        H::Output: IntoVerdict,
    {
        self.subscribe(Topic::new(pubsub, topic).otherwise(handler))
    }

    /// Subscribes to a topic.
    pub fn subscribe(mut self, topic: Topic) -> Self {
        self.topics.push(topic);
        self
    }

    /// The handler of the events that a `Subscription` among the resources routes to `path`. They come one at a time, where
    /// the subscription asks for them in bulk as well.
    ///
    /// Such a path may instead be that of a method ([`App::post`]), which then gets what any HTTP app of Dapr's gets: an
    /// event, or the request of a bulk delivery, which it answers with the status of each entry.
    pub fn on_route<M, H>(mut self, path: impl Into<String>, handler: H) -> Self
    where
        H: Handler<M>,
        H::Output: IntoVerdict,
    {
        self.checks.push(H::check);
        self.declared.push((path.into(), event_fn(handler)));
        self
    }

    /// Gives the handlers a value, which they take as [`State<T>`](crate::State). One of each type; a second one takes
    /// the place of the first.
    pub fn with<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.provided.put(value);
        self
    }

    /// Embedded: a component, in code. Its metadata are the same as in a manifest.
    ///
    /// ```
    /// let app = outrigger::App::new("shop")
    ///     .component("statestore", "state.in-memory", [])
    ///     .component("pubsub", "pubsub.redis", [("redisHost", "localhost:6379")]);
    /// ```
    pub fn component<'a>(
        mut self,
        name: &str,
        component_type: &str,
        metadata: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let owned = metadata
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        let component = resources::component(name, component_type, owned);
        self.settings.components.push(component);
        self
    }

    /// Embedded: a folder of resources, or one file. May be given more than once.
    pub fn resources(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.resources.push(path.into());
        self
    }

    /// Embedded: a file with a `Configuration`, as a sidecar takes it. May be given more than once: they are merged in
    /// their order.
    pub fn configuration(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.configurations.push(path.into());
        self
    }

    /// Embedded: the address on which metrics are served for Prometheus. There is none by default.
    pub fn metrics(mut self, address: SocketAddr) -> Self {
        self.settings.metrics = Some(address);
        self
    }

    /// How to run, whatever the environment says.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.settings.mode = Some(mode);
        self
    }

    /// Beside a sidecar: the address on which the app listens, instead of loopback and `APP_PORT`. Port 0 takes a free
    /// one, which the sidecar must then be told.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.settings.listen = Some(address);
        self
    }

    /// Embedded: the address on which the app listens for other members of the mesh, instead of a free port of all
    /// interfaces.
    pub fn internal(mut self, address: SocketAddr) -> Self {
        self.settings.internal = address;
        self
    }

    /// Embedded: where another app is found, beside what discovery says. The id may be `namespace/id`.
    pub fn peer(mut self, id: impl Into<String>, address: SocketAddr) -> Self {
        self.settings.peers.entry(id.into()).or_default().push(address);
        self
    }

    /// Embedded: whether other apps are looked for, and told of this one, by multicast, beside the machine's registry. It
    /// is on by default.
    pub fn multicast(mut self, on: bool) -> Self {
        self.settings.multicast = on;
        self
    }

    /// Bytes that a body may have which an extractor reads whole; 4 MiB by default. A call with a larger one is answered
    /// with 413. An event that is larger fails: it goes into the dead-letter topic where there is one, and otherwise comes
    /// again where its broker redelivers. Without either, as with `pubsub.in-memory`, it is lost, and the log says so.
    pub fn max_body(mut self, bytes: u64) -> Self {
        self.settings.max_body = bytes;
        self
    }

    /// Time that calls and events in hand have when the app ends; 5 s by default, as with a sidecar.
    pub fn graceful(mut self, time: Duration) -> Self {
        self.settings.graceful = time;
        self
    }

    /// Another environment than that of the process: where every variable is read from, those in manifests too.
    pub fn environment(mut self, lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.settings.env = Arc::new(lookup);
        self
    }

    /// Runs the app until the process gets `SIGINT` or `SIGTERM`, then ends it in order: calls and events in hand are
    /// finished first. A second signal cuts what is left. Only signals count: where the end was asked for otherwise, the
    /// first signal does not cut yet.
    ///
    /// # Errors
    /// [`Error::Start`] when the app cannot start.
    pub async fn run(self) -> Result<(), Error> {
        // Before the start, so that no signal is lost during it.
        let mut signals = running::Signals::new()?;
        let running = tokio::select! {
            running = self.start() => running?,
            // Nothing is in hand yet. A sidecar that never comes must not hold up the end.
            () = signals.told() => return Ok(()),
        };
        let asked = running.until(&mut signals).await;
        tokio::select! {
            late = running.shutdown() => {
                for late in late {
                    tracing::warn!("the end: {late} ran out of time");
                }
            }
            // A second signal ends it at once: what was to end in order is cut when it is dropped.
            () = signals.again(asked) => tracing::warn!("a second signal: what was in hand is cut"),
        }
        Ok(())
    }

    /// Starts the app on the tokio runtime of the caller, and returns once it answers calls and its subscriptions stand.
    ///
    /// # Errors
    /// [`Error::Start`] when it cannot: a handler lacks something, a method has two handlers, a component does not open, a
    /// port is taken, the sidecar is not there.
    pub async fn start(self) -> Result<Running, Error> {
        let (settings, program) = self
            .build()
            .map_err(|problem| start_error("build the app", problem))?;
        match settings.mode()? {
            Mode::Embedded => embedded::start(settings, program).await,
            Mode::Sidecar => beside::start(settings, program).await,
        }
    }

    /// Checks everything that can be checked before anything is started.
    fn build(self) -> Result<(Settings, Arc<Program>), String> {
        self.settings.check()?;
        let mut routes = Routes::default();
        for (method, verb, handler) in self.calls {
            routes.add(&method, verb, handler)?;
        }
        check_topics(&self.topics)?;
        check_declared(&self.declared, &routes)?;
        for check in self
            .checks
            .iter()
            .chain(self.topics.iter().flat_map(Topic::checks))
        {
            check(&self.provided)?;
        }
        let shared = Arc::new(Shared::new(self.provided, self.settings.max_body));
        let program = Program::new(routes, self.topics, self.declared, shared);
        Ok((self.settings, Arc::new(program)))
    }
}

fn check_topics(topics: &[Topic]) -> Result<(), String> {
    for (index, topic) in topics.iter().enumerate() {
        if let Some(problem) = topic.problem() {
            return Err(problem);
        }
        if topics[..index].iter().any(|other| other.is_same(topic)) {
            return Err(format!(
                "{topic:?} is subscribed to twice: use Topic::when for different handlers"
            ));
        }
    }
    Ok(())
}

fn check_declared(declared: &[(String, EventFn)], routes: &Routes) -> Result<(), String> {
    let bare = |path: &str| path.trim_matches('/').to_owned();
    for (index, (path, _)) in declared.iter().enumerate() {
        if bare(path).is_empty() {
            return Err("App::on_route needs the path that a subscription routes to".to_owned());
        }
        if declared[..index]
            .iter()
            .any(|(other, _)| bare(other) == bare(path))
        {
            return Err(format!("the route {path:?} has two handlers"));
        }
        if routes.has(&bare(path)) {
            return Err(format!("the route {path:?} is that of a method, too"));
        }
    }
    Ok(())
}

/// An error of the start.
pub(crate) fn start_error(
    attempted: impl Into<std::borrow::Cow<'static, str>>,
    source: impl Into<outrigger_base_std::BoxError>,
) -> Error {
    Error::Start {
        attempted: attempted.into(),
        source: source.into(),
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods: Vec<&str> = self.calls.iter().map(|(method, ..)| method.as_str()).collect();
        f.debug_struct("App")
            .field("id", &self.settings.app_id)
            .field("methods", &methods)
            .field("topics", &self.topics)
            .finish_non_exhaustive()
    }
}
