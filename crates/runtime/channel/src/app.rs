//! What a runtime asks of its app, whatever the app speaks.

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use outrigger_block_pubsub::{Metadata, envelope};
use outrigger_resource_manifest::{BulkSubscribe, Routes};
use outrigger_transport::{Body, client::Http2Channel};
use outrigger_wire_names::pubsub;

use crate::Error;

/// A call of the app: the neutral form of service invocation. The URI is the path of the method with its query.
pub type InvokeRequest = Request<Body>;

/// A subscription that the app asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AppSubscription {
    /// The broker component.
    pub pubsub_name: String,
    /// The topic.
    pub topic: String,
    /// Component metadata of the subscription.
    pub metadata: BTreeMap<String, String>,
    /// Which route an event takes.
    pub routes: Routes,
    /// Where undeliverable events go.
    pub dead_letter_topic: Option<String>,
    /// Whether events are delivered in bulk.
    pub bulk: BulkSubscribe,
}

/// An event on its way to the app.
#[derive(Debug)]
pub struct EventDelivery<'a> {
    /// The route it takes: a path that begins with a slash.
    pub path: &'a str,
    /// The topic of the subscription.
    pub topic: &'a str,
    /// The broker component.
    pub pubsub_name: &'a str,
    /// The envelope as JSON.
    pub envelope: &'a Bytes,
    /// The same envelope, read.
    pub event: &'a envelope::Event<'a>,
    /// Broker metadata of the message.
    pub metadata: &'a Metadata,
    /// The W3C trace parent of this delivery.
    pub traceparent: Option<&'a str>,
}

/// What the app makes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventVerdict {
    /// Done.
    Success,
    /// Not now.
    Retry,
    /// Never.
    Drop,
}

/// One entry of a bulk delivery.
#[derive(Debug, Clone)]
pub struct BulkEntry {
    /// The entry's id, by which the app answers.
    pub id: String,
    /// The envelope as JSON, or the raw bytes.
    pub event: Bytes,
    /// Whether `event` is an envelope.
    pub is_envelope: bool,
    /// What the event is.
    pub content_type: String,
    /// Broker metadata of the entry.
    pub metadata: Metadata,
}

/// Many events on their way to the app.
#[derive(Debug)]
pub struct BulkDelivery<'a> {
    /// Id of the whole delivery.
    pub id: String,
    /// The route they take.
    pub path: &'a str,
    /// The topic of the subscription.
    pub topic: &'a str,
    /// The broker component.
    pub pubsub_name: &'a str,
    /// The events.
    pub entries: &'a [BulkEntry],
}

impl BulkDelivery<'_> {
    /// Metadata of the whole delivery: the broker component.
    pub fn metadata(&self) -> Metadata {
        Metadata::from([(pubsub::PUBSUB_NAME.to_owned(), self.pubsub_name.to_owned())])
    }
}

/// What the app makes of each entry, by its id. Entries that are not named count as [`EventVerdict::Retry`].
pub type Verdicts = BTreeMap<String, EventVerdict>;

/// The way to an app.
#[async_trait]
pub trait AppChannel: Send + Sync + fmt::Debug {
    /// Calls a method of the app. Whatever the app answers is `Ok`; a gRPC app's status is mapped to HTTP.
    async fn invoke(&self, request: InvokeRequest) -> Result<Response<Body>, Error>;

    /// The subscriptions that the app asks for.
    async fn subscriptions(&self) -> Result<Vec<AppSubscription>, Error>;

    /// Asks an HTTP app for its configuration, so that it sees the call; answers its body where there is one.
    async fn app_config(&self) -> Result<Option<Bytes>, Error>;

    /// Delivers an event.
    async fn deliver(&self, delivery: EventDelivery<'_>) -> Result<EventVerdict, Error>;

    /// Delivers many events in one call.
    async fn deliver_bulk(&self, delivery: BulkDelivery<'_>) -> Result<Verdicts, Error>;

    /// Whether the app says that it is well. `path` is where an HTTP app is asked.
    async fn probe(&self, path: &str) -> Result<bool, Error>;

    /// The connection on which gRPC calls are passed through, where the app speaks gRPC.
    fn grpc_passthrough(&self) -> Option<&Http2Channel> {
        None
    }

    /// The token that is shown to the app, for calls that are passed through.
    fn app_token(&self) -> Option<&http::HeaderValue> {
        None
    }

    /// What stands in metadata and metrics for what the app speaks.
    fn protocol(&self) -> crate::Protocol;
}
