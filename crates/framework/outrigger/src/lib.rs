//! The Outrigger framework: the runtime embedded in a Rust service.
//!
//! ```no_run
//! use outrigger::{App, Json};
//!
//! async fn hello(Json(name): Json<String>) -> Json<String> {
//!     Json(format!("Hello, {name}!"))
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), outrigger::Error> {
//!     App::new("hello").call("hello", hello).run().await
//! }
//! ```
//!
//! An [`App`] has an id, handlers for calls ([`App::call`]) and for events ([`App::on`]), and, in a [`Handle`], the
//! building blocks: state, publish, secrets, invocation. Handlers are plain async functions whose arguments are
//! [extractors](extract). The app is a full member of the mesh: any sidecar, Dapr's too, and any other app invokes it by
//! its id, and it invokes any.
//!
//! # Two ways to run
//!
//! The same program runs in two [modes](Mode), by the environment:
//!
//! - **Embedded**, by default. The runtime is in the process: it opens the components, listens on an internal port for
//!   other members of the mesh, and hands calls and events to the handlers without a socket. A read of state in memory
//!   takes microseconds.
//! - **Beside a sidecar**, where `DAPR_HTTP_PORT`, `DAPR_HTTP_ENDPOINT`, `DAPR_GRPC_PORT` or `DAPR_GRPC_ENDPOINT` is set.
//!   The app listens on `APP_PORT` as any HTTP app of Dapr's does, and its handles speak to the sidecar.
//!
//! Operations go through the same code, in this process or in the sidecar's: a key, an event or an error code is the same.
//! A name that is empty (an app id, a store, a key, a topic) is refused before either: [`Error::Input`]. What differs:
//!
//! | | embedded | beside a sidecar |
//! |---|---|---|
//! | app id, components, subscriptions from resources, configuration | the app's: [`App::new`], [`App::component`], [`App::resources`], [`App::configuration`] | the sidecar's; components given in code have no effect, and one that the sidecar lacks is warned of |
//! | a call that cannot reach its app | [`Error::Refused`], for certain | [`Error::Refused`] where the sidecar's own error code tells it; an app that answers with that code looks the same |
//! | a runtime that is gone | nothing to be gone: 503 in handlers while the app ends | [`Error::Unreachable`], which is [retryable](Error::retryable); a write may have been carried out |
//! | bodies of calls | stream from peer to handler; at most the limit of [`App::max_body`], into extractors | stream through the sidecar, whose own limit (`--max-body-size`) applies as well |
//! | an error in the middle of a streamed answer | the body ends with an error | the same, one hop later |
//! | an event is acknowledged | when the handler has returned | when the sidecar has the handler's answer: an event whose answer was lost on the way comes again |
//! | an event that a handler never returns from | is in hand until the app ends, then goes back to its broker | the same; the sidecar's resiliency policy may end it earlier |
//! | a handler that panics | 500; an event has failed: [`Verdict::Retry`] says what becomes of it | the same, unless a retry policy of the sidecar delivers it again |
//! | a batch of events for a route without a handler | dropped, as a single event is: it goes into the dead-letter topic | as with every app of Dapr's: lost, with an error in the sidecar's log |
//! | paths of event handlers | nobody can call them | other apps can invoke them, as with every app of Dapr's |
//! | spans | an operation is a span named as its gRPC method, a publish one named `pubsub/` and the topic | those of the sidecar, named by the path of its HTTP API |
//! | metrics | on the address of [`App::metrics`]; calls of the app itself and of the API are not counted | the sidecar's |
//! | log of API calls (`spec.logging.apiLogging`) | none, with a warning: there is no API | the sidecar's |
//!
//! In both modes trailers go along that the head names in `Trailer`, those of an answer to a caller that says
//! `TE: trailers`; `Connection` with all that it names ends at the first hop.
//!
//! # Traces
//!
//! The trace that a request or an event belongs to goes on through the [`Handle`] that its handler takes: into calls, into
//! events, into spans of state and secrets. Embedded, spans are recorded and sent as the configuration (`spec.tracing`) and
//! the environment (`OTEL_EXPORTER_OTLP_ENDPOINT` and the other variables of OpenTelemetry) say, as a sidecar does it;
//! [`Running::shutdown`] sends the last ones. Where neither asks for traces, a trace that comes in is passed on, and none
//! is begun.
//!
//! # Logs
//!
//! What goes wrong outside of a call (an event that failed, a component that must reconnect, a task that panicked) is told
//! with [`tracing`](https://docs.rs/tracing), in both modes. Nothing is shown until the program installs a subscriber,
//! which is the program's to choose; this one, of `tracing-subscriber`, writes lines to the standard output from `INFO` on:
//!
//! ```ignore
//! #[tokio::main]
//! async fn main() -> Result<(), outrigger::Error> {
//!     tracing_subscriber::fmt::init();
//!     App::new("hello").call("hello", hello).run().await
//! }
//! ```
//!
//! Embedded, what the runtime says stands in a span `app` with the app's id.
//!
//! # Resources
//!
//! Embedded, components come from the folders given to [`App::resources`], or else from those in
//! `OUTRIGGER_RESOURCES_PATH` (colons between them), and from code ([`App::component`]). The settings that a sidecar takes
//! from a `Configuration` come from the files given to [`App::configuration`], or else from those in `OUTRIGGER_CONFIG`:
//! tracing, metrics, scopes of secrets, denied components, name resolution, features. What would protect the app and is
//! not built (`accessControl`, `api`) is refused.
//!
//! Where neither a folder nor a component is given, the default ones are there: those in the user's folder (`components` in
//! `OUTRIGGER_HOME`, or in `.outrigger` of the home folder), or, where there are none, a state store named `statestore` and
//! a broker named `pubsub` with their data in that folder. The user's `config.yaml` goes with them.
//!
//! # Subscriptions
//!
//! An app subscribes in code ([`App::on`], [`App::subscribe`]). A `Subscription` among the resources names a route: that of
//! a handler of events ([`App::on_route`]), or a method. [`Topic::bulk`], or `bulkSubscribe` in a resource, has events
//! delivered in bulk; a handler of events still gets one at a time, and a method gets the request of the bulk delivery.
//!
//! A handler that returns has done with its event. After an error the event goes into the dead-letter topic where the
//! subscription has one ([`Topic::dead_letter`]), at the first error as with Dapr; without one it comes again where the
//! broker redelivers. [`Verdict`] says anything else.
//!
//! # Features
//!
//! Each component is a feature; see `Cargo.toml`. What the default resources need is on by default, `redis` is not.

pub mod extract;

mod app;
mod batch;
mod channel;
mod context;
mod face;
mod handle;
mod handler;
mod program;
mod respond;
mod routes;
mod status;
mod topic;
mod verdict;

pub use app::{App, Mode, Running};
pub use extract::{
    Caller, Event, FromParts, FromRequest, Headers, Json, MethodName, Path, Payload, Provided, Query, State,
};
pub use handle::{Handle, PublishOptions, SecretStore, StateStore, Transaction, Versioned};
pub use handler::Handler;
pub use outrigger_client::{
    Answer, Body, Client, Concurrency, Consistency, Endpoint, Error, Keys, Pairs, Refusal, Secret, Secrets,
    WriteOptions,
};
pub use respond::IntoResponse;
pub use topic::Topic;
pub use verdict::{IntoVerdict, Verdict};

pub use outrigger_balance as balance;
pub use outrigger_client as client;
pub use outrigger_discovery as discovery;
pub use outrigger_resilience as resilience;
pub use outrigger_transport as transport;

/// A request as handlers may take it.
pub type Request = http::Request<Body>;
/// An answer as handlers may give it.
pub type Response = http::Response<Body>;
