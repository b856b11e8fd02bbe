//! Texts of pub/sub delivery (dapr-runtime.md §3.3 to §3.5).

/// Metadata of a delivered message: the broker component.
pub const PUBSUB_NAME: &str = "pubsubName";
/// Metadata of a delivered message: what its payload is.
pub const CONTENT_TYPE: &str = "content-type";
/// Path of an event that goes to a stream.
pub const STREAM_PATH: &str = "/";
/// Begins the name of a span of publishing or delivery; the topic follows.
pub const SPAN_PREFIX: &str = "pubsub/";
/// Span attribute: the messaging system.
pub const SPAN_SYSTEM: &str = "messaging.system";
/// Its value.
pub const SPAN_SYSTEM_PUBSUB: &str = "pubsub";
/// Span attribute: the topic.
pub const SPAN_DESTINATION: &str = "messaging.destination.name";

/// Process status in metrics of single deliveries: the app took the event.
pub const PROCESSED: &str = "success";
/// Process status in metrics of single deliveries: the event comes again.
pub const RETRIED: &str = "retry";
/// Process status in metrics of single deliveries: the event was given up.
pub const DROPPED: &str = "drop";
/// Verdict of an app, and process status in metrics of bulk deliveries: done.
pub const VERDICT_SUCCESS: &str = "SUCCESS";
/// Verdict of an app, and process status in metrics of bulk deliveries: not now.
pub const VERDICT_RETRY: &str = "RETRY";
/// Verdict of an app, and process status in metrics of bulk deliveries: never.
pub const VERDICT_DROP: &str = "DROP";

/// Property of a state store: the broker that its outbox publishes to.
pub const OUTBOX_PUBLISH_PUBSUB: &str = "outboxPublishPubsub";
/// Property of a state store: the topic that its outbox publishes to.
pub const OUTBOX_PUBLISH_TOPIC: &str = "outboxPublishTopic";
/// Property of a state store: the broker that carries its outbox's announcements.
pub const OUTBOX_PUBSUB: &str = "outboxPubsub";
/// Property of a state store: whether announcements without a transaction are dropped.
pub const OUTBOX_DISCARD: &str = "outboxDiscardWhenMissingState";
/// Metadata of a write that stands for what is published, not for what is stored.
pub const OUTBOX_PROJECTION: &str = "outbox.projection";
/// Begins the key of the marker that a transaction leaves for its outbox; a UUID follows.
pub const OUTBOX_MARKER_PREFIX: &str = "outbox-";
/// What a marker holds, as JSON.
pub const OUTBOX_MARKER: &str = "\"0\"";
/// Ends the topic of announcements; namespace, app id and topic stand before it.
pub const OUTBOX_TOPIC_SUFFIX: &str = "outbox";
/// Metadata of a write: what its value is.
pub const VALUE_CONTENT_TYPE: &str = "contentType";
