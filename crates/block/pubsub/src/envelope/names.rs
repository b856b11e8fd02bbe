//! The names and default values that stand in an envelope.

/// Content type of one event as JSON; such a payload is passed through rather than wrapped.
pub const CLOUD_EVENT_JSON: &str = "application/cloudevents+json";
/// Content type of one event as protobuf.
pub(super) const CLOUD_EVENT_PROTOBUF: &str = "application/cloudevents+protobuf";
/// Content type of any protobuf message.
pub(super) const PROTOBUF: &str = "application/x-protobuf";
/// Content type of a JSON value.
pub(super) const JSON: &str = "application/json";
/// Content type of XML, which travels as text.
pub(super) const XML: &str = "application/xml";
/// Prefix of the content types that are text.
pub(super) const TEXT_PREFIX: &str = "text/";
/// Content type of opaque bytes.
pub(super) const OCTET_STREAM: &str = "application/octet-stream";

/// `type` of an event whose publisher named none.
pub const DEFAULT_TYPE: &str = "com.dapr.event.sent";
/// `type` of the envelope that carries a batch to a subscriber.
pub const DEFAULT_BULK_TYPE: &str = "com.dapr.event.sent.bulk";
/// `source` of an event when nobody knows who sent it.
pub(super) const DEFAULT_SOURCE: &str = "Dapr";
/// `datacontenttype` of a payload whose publisher named none.
pub(super) const DEFAULT_CONTENT_TYPE: &str = "text/plain";
/// The version of the CloudEvents specification.
pub(super) const SPEC_VERSION_1_0: &str = "1.0";

pub(super) const DATA: &str = "data";
pub(super) const DATA_BASE64: &str = "data_base64";
pub(super) const DATA_CONTENT_TYPE: &str = "datacontenttype";
pub(super) const EXPIRATION: &str = "expiration";
pub(super) const ID: &str = "id";
pub(super) const PUBSUB_NAME: &str = "pubsubname";
pub(super) const SOURCE: &str = "source";
pub(super) const SPEC_VERSION: &str = "specversion";
pub(super) const SUBJECT: &str = "subject";
pub(super) const TIME: &str = "time";
pub(super) const TOPIC: &str = "topic";
pub(super) const TRACE_ID: &str = "traceid";
pub(super) const TRACE_PARENT: &str = "traceparent";
pub(super) const TRACE_STATE: &str = "tracestate";
pub(super) const TYPE: &str = "type";

/// Attributes that a gRPC event carries in fields of their own; all others are its extensions.
pub(super) const TYPED: [&str; 7] = [
    ID,
    SOURCE,
    DATA_CONTENT_TYPE,
    TYPE,
    SPEC_VERSION,
    DATA,
    DATA_BASE64,
];

/// Prefix of publish metadata that sets an attribute of the envelope.
pub(super) const OVERRIDE_PREFIX: &str = "cloudevent.";
/// Prefix of message metadata that carries an attribute beside a binary payload.
pub(super) const BINARY_PREFIX: &str = "ce_";
/// Metadata that asks for no envelope.
pub(super) const RAW_PAYLOAD: &str = "rawPayload";
/// Metadata that tells how long a message lives, in the order in which they are looked at.
pub(super) const TTL_KEYS: [&str; 2] = ["ttl", "ttlInSeconds"];
