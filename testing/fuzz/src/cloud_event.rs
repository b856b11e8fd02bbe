//! CloudEvents, and payloads that become some.

use bytes::Bytes;
use jiff::Timestamp;
use outrigger_block_pubsub::{
    Metadata,
    envelope::{
        Event, TopicEvent, WrapRequest, from_binary, from_raw, is_cloud_event, is_raw_payload, ttl, wrap,
    },
};

/// The first line is a content type, the rest a payload; and all of it an event.
pub fn run(data: &[u8]) {
    look_at(data);
    let (content_type, payload) = crate::first_line(data);
    let content_type = crate::text(content_type);
    let payload = Bytes::copy_from_slice(payload);
    look_at(&payload);
    let metadata = Metadata::from([
        ("ttlInSeconds".to_owned(), content_type.clone().into_owned()),
        ("rawPayload".to_owned(), content_type.clone().into_owned()),
        ("cloudevent.id".to_owned(), content_type.clone().into_owned()),
        ("ce_id".to_owned(), content_type.clone().into_owned()),
    ]);
    let _ = (ttl(&metadata), is_raw_payload(&metadata));
    for kind in [
        &*content_type,
        "application/json",
        "application/cloudevents+json",
        "text/plain",
    ] {
        match wrap(&request(&payload, kind, &metadata)) {
            Ok(event) => {
                let event = Event::parse(&event).expect("what was wrapped is an event");
                assert_eq!(event.topic().as_deref(), Some("topic"));
            }
            Err(error) => assert!(is_cloud_event(kind), "{error}"),
        }
        look_at(&from_binary("topic", "pubsub", &payload, kind, &metadata));
    }
    let raw = from_raw("id", "topic", "pubsub", &payload, &metadata);
    Event::parse(&raw).expect("what was raw is an event");
    look_at(&raw);
}

fn request<'a>(data: &'a Bytes, content_type: &'a str, metadata: &'a Metadata) -> WrapRequest<'a> {
    WrapRequest {
        id: "id",
        source: "app",
        event_type: "",
        subject: "",
        topic: "topic",
        pubsub_name: "pubsub",
        data,
        content_type,
        trace_parent: "",
        trace_state: "",
        time: Timestamp::UNIX_EPOCH,
        expiration: None,
        metadata,
    }
}

/// Everything that a delivery asks of an event.
fn look_at(bytes: &[u8]) {
    let Ok(event) = Event::parse(bytes) else { return };
    let _ = (
        event.id(),
        event.source(),
        event.event_type(),
        event.spec_version(),
    );
    let _ = (
        event.data_content_type(),
        event.trace_parent(),
        event.trace_state(),
    );
    let _ = (
        event.data(),
        event.is_expired(Timestamp::UNIX_EPOCH),
        event.extensions(),
    );
    let _ = event.to_value();
    let _ = TopicEvent::new(&event, "topic", "pubsub");
}
