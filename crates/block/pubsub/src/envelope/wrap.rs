//! Publishing: an envelope around a payload.

use bytes::Bytes;
use outrigger_base_clock::Timestamp;
use outrigger_wire_names::cloud_event;
use serde_json::value::RawValue;

use super::{
    EnvelopeError, content_type, metadata::Overrides, pass_through::pass_through, write::ObjectWriter,
};
use crate::Metadata;

/// Room for the attributes of an usual envelope beside the payload and the caller's own texts, in bytes.
const ATTRIBUTES_ROOM: usize = 320;

/// What goes into an envelope. An empty text stands for the documented default of its attribute.
#[derive(Debug, Clone, Copy)]
pub struct WrapRequest<'a> {
    /// A fresh identifier; metadata may name another one.
    pub id: &'a str,
    /// The app that publishes.
    pub source: &'a str,
    /// `type`; empty for [`cloud_event::DEFAULT_TYPE`].
    pub event_type: &'a str,
    /// `subject`; left out when empty.
    pub subject: &'a str,
    /// The topic.
    pub topic: &'a str,
    /// The name of the broker component.
    pub pubsub_name: &'a str,
    /// The payload.
    pub data: &'a Bytes,
    /// What the payload is; empty for `text/plain`.
    pub content_type: &'a str,
    /// The W3C trace parent of the publishing request, empty without one.
    pub trace_parent: &'a str,
    /// The W3C trace state of the publishing request, empty without one.
    pub trace_state: &'a str,
    /// Now.
    pub time: Timestamp,
    /// When the message ends, if the envelope has to say so ([`expiration`](super::expiration)).
    pub expiration: Option<Timestamp>,
    /// Publish metadata, where `cloudevent.…` sets attributes.
    pub metadata: &'a Metadata,
}

/// The message to hand to the broker.
///
/// A payload that is a JSON CloudEvent already keeps its own attributes (`cloudevent.…` metadata does not touch them);
/// its topic and broker are replaced and what is missing is filled in. Any other payload becomes the data of a new event.
///
/// # Errors
///
/// [`EnvelopeError::NotAnEvent`] when the content type says CloudEvent and the bytes are no JSON object.
pub fn wrap(request: &WrapRequest<'_>) -> Result<Bytes, EnvelopeError> {
    if content_type::is_cloud_event(request.content_type) {
        return pass_through(request);
    }
    Ok(envelope(request, &Overrides::of(request.metadata)))
}

fn envelope(request: &WrapRequest<'_>, overrides: &Overrides<'_>) -> Bytes {
    let content_type = or(request.content_type, cloud_event::DEFAULT_CONTENT_TYPE);
    let subject = overrides.subject.unwrap_or(request.subject);
    let trace_parent = overrides
        .trace_parent
        .filter(|text| !text.is_empty())
        .or(overrides.trace_id)
        .unwrap_or(request.trace_parent);

    let payload = Payload::of(content_type, request.data);
    let mut object = ObjectWriter::with_capacity(payload.room() + texts_room(request));
    payload.write(&mut object);
    object.text(cloud_event::DATA_CONTENT_TYPE, content_type);
    if let Some(end) = request.expiration {
        object.time(cloud_event::EXPIRATION, end);
    }
    object.text(cloud_event::ID, or(overrides.id.unwrap_or_default(), request.id));
    object.text(cloud_event::PUBSUB_NAME, request.pubsub_name);
    let source = overrides.source.unwrap_or(request.source);
    object.text(cloud_event::SOURCE, or(source, cloud_event::DEFAULT_SOURCE));
    object.text(cloud_event::SPEC_VERSION, cloud_event::SPEC_VERSION_1_0);
    if !subject.is_empty() {
        object.text(cloud_event::SUBJECT, subject);
    }
    object.time(cloud_event::TIME, request.time);
    object.text(cloud_event::TOPIC, request.topic);
    object.text(cloud_event::TRACE_ID, trace_parent);
    object.text(cloud_event::TRACE_PARENT, trace_parent);
    object.text(
        cloud_event::TRACE_STATE,
        overrides.trace_state.unwrap_or(request.trace_state),
    );
    let event_type = overrides.event_type.unwrap_or(request.event_type);
    object.text(cloud_event::TYPE, or(event_type, cloud_event::DEFAULT_TYPE));
    object.finish()
}

fn texts_room(request: &WrapRequest<'_>) -> usize {
    ATTRIBUTES_ROOM
        + request.content_type.len()
        + request.topic.len()
        + request.pubsub_name.len()
        + request.source.len()
        + 2 * request.trace_parent.len()
        + request.trace_state.len()
}

fn or<'a>(text: &'a str, default: &'a str) -> &'a str {
    if text.is_empty() { default } else { text }
}

/// How a payload stands in its envelope.
enum Payload<'a> {
    /// A JSON value, copied as it was written.
    Json(&'a str),
    /// Bytes, as base64.
    Binary(&'a [u8]),
    /// Text, escaped.
    Text(&'a [u8]),
}

impl<'a> Payload<'a> {
    fn of(content_type: &str, data: &'a [u8]) -> Self {
        if content_type::is_json(content_type) {
            // What is not JSON in spite of its type travels as text.
            return serde_json::from_slice::<&RawValue>(data)
                .map_or(Self::Text(data), |json| Self::Json(json.get()));
        }
        let binary = content_type::is_binary(content_type)
            || content_type::is_protobuf_event(content_type, data)
            // The peers write such bytes as text and so destroy them; nothing can depend on what is left of them.
            || (!content_type::is_text(content_type) && std::str::from_utf8(data).is_err());
        if binary {
            Self::Binary(data)
        } else {
            Self::Text(data)
        }
    }

    fn room(&self) -> usize {
        match self {
            Self::Json(json) => json.len(),
            Self::Binary(bytes) => bytes.len().div_ceil(3) * 4,
            // Some escapes fit; text that is mostly escapes grows the buffer.
            Self::Text(bytes) => bytes.len() + bytes.len() / 16,
        }
    }

    fn write(&self, object: &mut ObjectWriter) {
        match self {
            Self::Json(json) => object.json(cloud_event::DATA, json),
            Self::Binary(bytes) => object.base64(cloud_event::DATA_BASE64, bytes),
            Self::Text(bytes) => object.lossy(cloud_event::DATA, bytes),
        }
    }
}

#[cfg(test)]
pub(in crate::envelope) mod tests;
