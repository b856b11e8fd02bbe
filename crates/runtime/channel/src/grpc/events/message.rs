//! Events as messages for a gRPC app.

use outrigger_base_std::chain;
use outrigger_block_pubsub::envelope::{EnvelopeError, Event, TopicEvent};
use outrigger_wire_names::cloud_event;
use outrigger_wire_proto::runtime::{
    TopicEventBulkRequest, TopicEventBulkRequestEntry, TopicEventCeRequest, TopicEventRequest,
    topic_event_bulk_request_entry::Event as EntryEvent,
};
use prost_types::{ListValue, Struct, Value, value::Kind};

use crate::{BulkDelivery, BulkEntry, Error, EventDelivery};

/// The message of one event.
pub(super) fn single(delivery: &EventDelivery<'_>) -> Result<TopicEventRequest, Error> {
    let event = TopicEvent::new(delivery.event, delivery.topic, delivery.pubsub_name);
    let event = event.map_err(|error| Error::Event {
        reason: chain(&error),
    })?;
    Ok(topic_event(event, delivery.path))
}

/// The message of an event that takes the route `path`.
pub fn topic_event(event: TopicEvent, path: &str) -> TopicEventRequest {
    TopicEventRequest {
        id: event.id,
        source: event.source,
        r#type: event.event_type,
        spec_version: event.spec_version,
        data_content_type: event.data_content_type,
        topic: event.topic,
        data: event.data,
        pubsub_name: event.pubsub_name,
        path: path.to_owned(),
        extensions: Some(structure(event.extensions)),
    }
}

/// The message of many events, without those that are not what they say.
pub(super) fn bulk(delivery: &BulkDelivery<'_>) -> TopicEventBulkRequest {
    let entries = delivery.entries.iter().filter_map(|entry| match self::entry(entry, delivery) {
        Ok(entry) => Some(entry),
        Err(error) => {
            tracing::warn!(entry = entry.id, error = %chain(&error), "an event cannot be delivered in bulk");
            None
        }
    });
    TopicEventBulkRequest {
        id: delivery.id.clone(),
        entries: entries.collect(),
        metadata: delivery.metadata().into_iter().collect(),
        topic: delivery.topic.to_owned(),
        pubsub_name: delivery.pubsub_name.to_owned(),
        r#type: cloud_event::DEFAULT_BULK_TYPE.to_owned(),
        path: delivery.path.to_owned(),
    }
}

fn entry(
    entry: &BulkEntry,
    delivery: &BulkDelivery<'_>,
) -> Result<TopicEventBulkRequestEntry, EnvelopeError> {
    let event = if entry.is_envelope {
        let event = Event::parse(&entry.event)?;
        let event = TopicEvent::new(&event, delivery.topic, delivery.pubsub_name)?;
        EntryEvent::CloudEvent(TopicEventCeRequest {
            id: event.id,
            source: event.source,
            r#type: event.event_type,
            spec_version: event.spec_version,
            data_content_type: event.data_content_type,
            data: event.data,
            extensions: Some(structure(event.extensions)),
        })
    } else {
        EntryEvent::Bytes(entry.event.clone())
    };
    Ok(TopicEventBulkRequestEntry {
        entry_id: entry.id.clone(),
        content_type: entry.content_type.clone(),
        metadata: entry.metadata.clone().into_iter().collect(),
        event: Some(event),
    })
}

/// JSON as the protobuf type for it. Its numbers are doubles.
fn structure(map: serde_json::Map<String, serde_json::Value>) -> Struct {
    Struct {
        fields: map.into_iter().map(|(name, json)| (name, value(json))).collect(),
    }
}

fn value(json: serde_json::Value) -> Value {
    let kind = match json {
        serde_json::Value::Null => Kind::NullValue(0),
        serde_json::Value::Bool(flag) => Kind::BoolValue(flag),
        serde_json::Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or(f64::NAN)),
        serde_json::Value::String(text) => Kind::StringValue(text),
        serde_json::Value::Array(items) => Kind::ListValue(ListValue {
            values: items.into_iter().map(value).collect(),
        }),
        serde_json::Value::Object(map) => Kind::StructValue(structure(map)),
    };
    Value { kind: Some(kind) }
}
