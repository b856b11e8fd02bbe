//! Delivery of messages that are no JSON events: an event made from what there is.

use std::collections::BTreeMap;

use bytes::Bytes;
use outrigger_wire_names::{cloud_event, content};

use super::{metadata::without_prefix, write::ObjectWriter};
use crate::Metadata;

/// Room for the attributes beside payload and metadata, in bytes.
const ATTRIBUTES_ROOM: usize = 256;

/// The event for a payload that its subscription calls raw: opaque bytes, a fresh `id`, and the trace that the
/// message's metadata carries.
pub fn from_raw(id: &str, topic: &str, pubsub_name: &str, data: &[u8], metadata: &Metadata) -> Bytes {
    let trace_parent = metadata.get(cloud_event::TRACE_PARENT);
    // A trace parent stands for the trace id too.
    let trace_id = trace_parent.or_else(|| metadata.get(cloud_event::TRACE_ID));
    let mut object = ObjectWriter::with_capacity(room(data) + topic.len() + pubsub_name.len());
    object.base64(cloud_event::DATA_BASE64, data);
    object.text(cloud_event::DATA_CONTENT_TYPE, content::OCTET_STREAM);
    object.text(cloud_event::ID, id);
    object.text(cloud_event::PUBSUB_NAME, pubsub_name);
    object.text(cloud_event::SOURCE, cloud_event::DEFAULT_SOURCE);
    object.text(cloud_event::SPEC_VERSION, cloud_event::SPEC_VERSION_1_0);
    object.text(cloud_event::TOPIC, topic);
    let trace = [
        (cloud_event::TRACE_ID, trace_id),
        (cloud_event::TRACE_PARENT, trace_parent),
        (cloud_event::TRACE_STATE, metadata.get(cloud_event::TRACE_STATE)),
    ];
    for (name, text) in trace {
        if let Some(text) = text {
            object.text(name, text);
        }
    }
    object.text(cloud_event::TYPE, cloud_event::DEFAULT_TYPE);
    object.finish()
}

/// The event for a message in CloudEvents' binary mode: attributes stand in metadata as `ce_…`, the payload is the data.
/// Topic and broker are added where the publisher named none.
///
/// The peers hand the bare payload to HTTP apps here; an app that is told `application/cloudevents+json` gets an event.
pub fn from_binary(
    topic: &str,
    pubsub_name: &str,
    data: &[u8],
    content_type: &str,
    metadata: &Metadata,
) -> Bytes {
    let mut attributes: BTreeMap<String, &str> = metadata
        .iter()
        .filter_map(|(name, value)| {
            without_prefix(name, cloud_event::BINARY_PREFIX)
                .map(|name| (name.to_ascii_lowercase(), value.as_str()))
        })
        .collect();
    attributes.entry(cloud_event::TOPIC.to_owned()).or_insert(topic);
    attributes
        .entry(cloud_event::PUBSUB_NAME.to_owned())
        .or_insert(pubsub_name);
    attributes.insert(cloud_event::DATA_CONTENT_TYPE.to_owned(), content_type);
    attributes.remove(cloud_event::DATA);
    attributes.insert(cloud_event::DATA_BASE64.to_owned(), "");

    let texts: usize = metadata
        .iter()
        .map(|(name, value)| name.len() + value.len() + 6)
        .sum();
    let mut object = ObjectWriter::with_capacity(room(data) + texts);
    for (name, value) in &attributes {
        if name == cloud_event::DATA_BASE64 {
            object.base64(name, data);
        } else {
            object.text(name, value);
        }
    }
    object.finish()
}

fn room(data: &[u8]) -> usize {
    ATTRIBUTES_ROOM + data.len().div_ceil(3) * 4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(pairs: &[(&str, &str)]) -> Metadata {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_raw_payload_becomes_opaque_data() {
        let event = from_raw("i", "t", "p", b"\xff", &Metadata::new());
        assert_eq!(
            &event[..],
            br#"{"data_base64":"/w==","datacontenttype":"application/octet-stream","id":"i","pubsubname":"p","source":"Dapr","specversion":"1.0","topic":"t","type":"com.dapr.event.sent"}"#
        );
    }

    #[test]
    fn a_raw_payload_keeps_the_trace_of_its_message() {
        let event = from_raw(
            "i",
            "t",
            "p",
            b"",
            &metadata(&[("traceid", "a"), ("traceparent", "b"), ("tracestate", "c")]),
        );
        let text = std::str::from_utf8(&event).unwrap();
        assert!(
            text.ends_with(r#""topic":"t","traceid":"b","traceparent":"b","tracestate":"c","type":"com.dapr.event.sent"}"#),
            "{text}"
        );
    }

    #[test]
    fn binary_mode_takes_its_attributes_from_metadata() {
        let event = from_binary(
            "t",
            "p",
            b"\xff",
            "application/octet-stream",
            &metadata(&[
                ("CE_ID", "i"),
                ("ce_type", "y"),
                ("ce_topic", "own"),
                ("ce_data", "no"),
                ("other", "x"),
            ]),
        );
        assert_eq!(
            &event[..],
            br#"{"data_base64":"/w==","datacontenttype":"application/octet-stream","id":"i","pubsubname":"p","topic":"own","type":"y"}"#
        );
    }
}
