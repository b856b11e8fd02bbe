//! Names and values in an event (CloudEvents 1.0, and dapr-runtime.md §3.3), and the metadata that steers them.

/// `type` of an event whose publisher named none.
pub const DEFAULT_TYPE: &str = "com.dapr.event.sent";
/// `type` of the envelope that carries a batch to a subscriber.
pub const DEFAULT_BULK_TYPE: &str = "com.dapr.event.sent.bulk";
/// `source` of an event when nobody knows who sent it.
pub const DEFAULT_SOURCE: &str = "Dapr";
/// `datacontenttype` of a payload whose publisher named none.
pub const DEFAULT_CONTENT_TYPE: &str = "text/plain";
/// The version of the CloudEvents specification.
pub const SPEC_VERSION_1_0: &str = "1.0";

/// Attribute: the payload, as JSON or as text.
pub const DATA: &str = "data";
/// Attribute: the payload, bytes in base64.
pub const DATA_BASE64: &str = "data_base64";
/// Attribute: what the payload is.
pub const DATA_CONTENT_TYPE: &str = "datacontenttype";
/// Attribute: when the event has had its time.
pub const EXPIRATION: &str = "expiration";
/// Attribute: the event's id.
pub const ID: &str = "id";
/// Attribute: the broker component.
pub const PUBSUB_NAME: &str = "pubsubname";
/// Attribute: who sent it.
pub const SOURCE: &str = "source";
/// Attribute: the version of the specification.
pub const SPEC_VERSION: &str = "specversion";
/// Attribute: what it is about.
pub const SUBJECT: &str = "subject";
/// Attribute: when it was published.
pub const TIME: &str = "time";
/// Attribute: the topic.
pub const TOPIC: &str = "topic";
/// Attribute: the trace, under its older name.
pub const TRACE_ID: &str = "traceid";
/// Attribute: the trace.
pub const TRACE_PARENT: &str = "traceparent";
/// Attribute: what vendors hand along with the trace.
pub const TRACE_STATE: &str = "tracestate";
/// Attribute: the kind of event.
pub const TYPE: &str = "type";

/// Attributes that a gRPC event carries in fields of their own; all others are its extensions.
pub const TYPED: [&str; 7] = [
    ID,
    SOURCE,
    DATA_CONTENT_TYPE,
    TYPE,
    SPEC_VERSION,
    DATA,
    DATA_BASE64,
];

/// Prefix of publish metadata that sets an attribute of the envelope.
pub const OVERRIDE_PREFIX: &str = "cloudevent.";
/// Prefix of message metadata that carries an attribute beside a binary payload.
pub const BINARY_PREFIX: &str = "ce_";
/// Metadata that asks for no envelope.
pub const RAW_PAYLOAD: &str = "rawPayload";
/// Metadata that tells how many seconds a message or a value lives.
pub const TTL_IN_SECONDS: &str = "ttlInSeconds";
/// Metadata that tells how long a message lives, in the order in which they are looked at.
pub const TTL_KEYS: [&str; 2] = ["ttl", TTL_IN_SECONDS];
