//! The event that announces a write.

use std::collections::BTreeMap;

use bytes::Bytes;
use outrigger_base_std::BoxError;
use outrigger_base_telemetry::trace::TraceContext;
use outrigger_block_pubsub::{
    Metadata,
    envelope::{WrapRequest, is_json, wrap},
};
use outrigger_block_state::{SetRequest, Value};
use outrigger_runtime_host::{Host, OutboxSettings};
use outrigger_wire_names::{cloud_event, pubsub as words};
use serde_json::value::{RawValue, to_raw_value};

/// An event's attributes as they were written: numbers keep their digits.
pub(super) type Attributes = BTreeMap<String, Box<RawValue>>;

/// What announces a write.
pub(super) struct Announcement<'a> {
    /// Its id, and the key of its marker.
    pub(super) marker: &'a str,
    /// The write whose value is published.
    pub(super) shown: &'a SetRequest,
    /// Metadata of the write that is committed; it becomes attributes.
    pub(super) attributes: &'a Metadata,
    pub(super) settings: &'a OutboxSettings,
    pub(super) trace: &'a TraceContext,
}

impl Announcement<'_> {
    pub(super) fn event(&self, host: &Host) -> Result<Bytes, BoxError> {
        let content_type = self.shown.metadata.get(words::VALUE_CONTENT_TYPE);
        let content_type = content_type.map(String::as_str).unwrap_or_default();
        let parent = self.trace.is_valid().then(|| self.trace.traceparent());
        let wrapped = wrap(&WrapRequest {
            id: self.marker,
            source: &host.identity.app_id,
            event_type: "",
            subject: "",
            topic: "",
            pubsub_name: &self.settings.outbox_pubsub,
            data: &payload(&self.shown.value, content_type),
            content_type,
            trace_parent: parent.as_ref().map_or("", |parent| parent.as_str()),
            trace_state: self.trace.tracestate().unwrap_or_default(),
            time: host.clock.now(),
            expiration: None,
            metadata: &Metadata::new(),
        })?;
        let mut attributes: Attributes = serde_json::from_slice(&wrapped)?;
        for (name, value) in self.attributes {
            if name != cloud_event::DATA {
                attributes.insert(name.clone(), to_raw_value(value)?);
            }
        }
        // Neither the metadata nor a value that is an event itself names the announcement.
        attributes.insert(cloud_event::ID.to_owned(), to_raw_value(self.marker)?);
        Ok(serde_json::to_vec(&attributes)?.into())
    }
}

/// The bytes that are published for a value. A JSON text counts as itself unless the value is said to be JSON.
fn payload(value: &Value, content_type: &str) -> Bytes {
    match value {
        Value::Json(json) if !is_json(content_type) => {
            serde_json::from_slice::<String>(json).map_or_else(|_| json.clone(), Bytes::from)
        }
        Value::Json(bytes) | Value::Bytes(bytes) => bytes.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_follows_what_the_value_is_said_to_be() {
        let json = |text: &'static str| Value::Json(Bytes::from_static(text.as_bytes()));
        assert_eq!(&*payload(&json("\"2\""), ""), b"2");
        assert_eq!(&*payload(&json("\"2\""), "application/json"), b"\"2\"");
        assert_eq!(&*payload(&json("{\"a\":1}"), ""), b"{\"a\":1}");
        assert_eq!(
            &*payload(&Value::Bytes(Bytes::from_static(b"\"2\"")), ""),
            b"\"2\""
        );
    }
}
