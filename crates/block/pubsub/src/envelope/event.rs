//! Delivery: a view of an event that borrows from its message.

use std::{borrow::Cow, fmt};

use outrigger_base_clock::Timestamp;
use outrigger_wire_names::cloud_event;
use serde_json::value::RawValue;

use super::{
    EnvelopeError,
    fields::{Field, Fields},
};
use crate::Metadata;

/// One event. Reading an attribute looks at its bytes then, not before; `Debug` shows no payload.
#[derive(Clone)]
pub struct Event<'a> {
    fields: Fields<'a>,
}

impl<'a> Event<'a> {
    /// The event in `bytes`.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::NotAnEvent`] when the bytes are not one JSON object.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, EnvelopeError> {
        Ok(Self {
            fields: Fields::parse(bytes)?,
        })
    }

    /// Takes `traceid`, `traceparent` and `tracestate` from the message's metadata where the event lacks them; a
    /// `traceparent` from there stands for the `traceid` too.
    pub fn fill_trace(&mut self, metadata: &'a Metadata) {
        for name in [
            cloud_event::TRACE_ID,
            cloud_event::TRACE_PARENT,
            cloud_event::TRACE_STATE,
        ] {
            let Some(text) = metadata.get(name).filter(|_| !self.fields.has(name)) else {
                continue;
            };
            self.fields.set(name, Field::Text(text));
            if name == cloud_event::TRACE_PARENT {
                self.fields.set(cloud_event::TRACE_ID, Field::Text(text));
            }
        }
    }

    /// The text of an attribute; `None` when it is absent or no text.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.fields.get(name)?.text()
    }

    /// Whether the event has an attribute, of whatever kind.
    pub fn has(&self, name: &str) -> bool {
        self.fields.has(name)
    }

    /// `id`, when it is a text.
    pub fn id(&self) -> Option<Cow<'a, str>> {
        self.text(cloud_event::ID)
    }

    /// `source`, when it is a text.
    pub fn source(&self) -> Option<Cow<'a, str>> {
        self.text(cloud_event::SOURCE)
    }

    /// `type`, when it is a text.
    pub fn event_type(&self) -> Option<Cow<'a, str>> {
        self.text(cloud_event::TYPE)
    }

    /// `specversion`, when it is a text.
    pub fn spec_version(&self) -> Option<Cow<'a, str>> {
        self.text(cloud_event::SPEC_VERSION)
    }

    /// `datacontenttype`, when it is a text.
    pub fn data_content_type(&self) -> Option<Cow<'a, str>> {
        self.text(cloud_event::DATA_CONTENT_TYPE)
    }

    /// `topic`, when it is a text.
    pub fn topic(&self) -> Option<Cow<'a, str>> {
        self.text(cloud_event::TOPIC)
    }

    /// `pubsubname`, when it is a text.
    pub fn pubsub_name(&self) -> Option<Cow<'a, str>> {
        self.text(cloud_event::PUBSUB_NAME)
    }

    /// The trace that the event belongs to: `traceparent`, or `traceid` where there is none. Not a text, not a trace.
    pub fn trace_parent(&self) -> Option<Cow<'a, str>> {
        let parent = self
            .fields
            .get(cloud_event::TRACE_PARENT)
            .filter(|field| !field.is_null());
        parent.or_else(|| self.fields.get(cloud_event::TRACE_ID))?.text()
    }

    /// `tracestate`, when it is a text.
    pub fn trace_state(&self) -> Option<Cow<'a, str>> {
        self.text(cloud_event::TRACE_STATE)
    }

    /// `data` as it was written; `None` when it is absent or null.
    pub fn data(&self) -> Option<&'a RawValue> {
        match self.fields.get(cloud_event::DATA)? {
            Field::Json(json) if json.get() != "null" => Some(json),
            Field::Json(_) | Field::Text(_) => None,
        }
    }

    /// `expiration`, when it can be read.
    pub fn expiration(&self) -> Option<Timestamp> {
        self.text(cloud_event::EXPIRATION)?.parse().ok()
    }

    /// Whether the event's life is over. An expiration that cannot be read ends nothing.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expiration().is_some_and(|end| end < now)
    }

    /// The whole event as a value, for routing rules that look into it.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::Attribute`] for a value that has no representation, such as `1e999` or endless nesting.
    pub fn to_value(&self) -> Result<serde_json::Value, EnvelopeError> {
        self.object(|_| true).map(serde_json::Value::Object)
    }

    /// Every attribute beside those that have fields of their own in a gRPC event, topic and broker included.
    ///
    /// # Errors
    ///
    /// As [`Event::to_value`].
    pub fn extensions(&self) -> Result<serde_json::Map<String, serde_json::Value>, EnvelopeError> {
        self.object(|name| !cloud_event::TYPED.contains(&name))
    }

    fn object(
        &self,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<serde_json::Map<String, serde_json::Value>, EnvelopeError> {
        self.fields
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, field)| Ok((name.to_owned(), value(name, field)?)))
            .collect()
    }

    pub(super) fn field(&self, name: &str) -> Option<Field<'a>> {
        self.fields.get(name)
    }
}

fn value(name: &str, field: Field<'_>) -> Result<serde_json::Value, EnvelopeError> {
    match field {
        Field::Text(text) => Ok(text.into()),
        Field::Json(json) => serde_json::from_str(json.get()).map_err(|source| EnvelopeError::Attribute {
            name: name.to_owned(),
            source,
        }),
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("id", &self.id())
            .field("type", &self.event_type())
            .field("source", &self.source())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_read_as_text_or_not_at_all() {
        let event =
            Event::parse(br#"{"id":"a\u0062","source":7,"type":null,"traceid":5,"data":null,"x":[1]}"#)
                .unwrap();
        assert_eq!(event.id().as_deref(), Some("ab"));
        assert_eq!(event.source(), None);
        assert_eq!(event.event_type(), None);
        assert_eq!(event.trace_parent(), None);
        assert!(event.data().is_none());
        assert_eq!(event.text("absent"), None);
    }

    /// As Go reads an object: a rule and the app must not see different values.
    #[test]
    fn of_an_attribute_that_comes_twice_the_last_value_counts() {
        let event = Event::parse(br#"{"type":"a","id":"i","type":"b"}"#).unwrap();
        assert_eq!(event.event_type().as_deref(), Some("b"));
        assert_eq!(event.to_value().unwrap()["type"], "b");
    }

    #[test]
    fn plain_text_is_borrowed() {
        let event = Event::parse(br#"{"id":"a"}"#).unwrap();
        assert!(matches!(event.id(), Some(Cow::Borrowed("a"))));
    }

    #[test]
    fn a_trace_from_beside_fills_only_what_is_missing() {
        let metadata = Metadata::from([
            ("traceid".to_owned(), "md-id".to_owned()),
            ("traceparent".to_owned(), "md-parent".to_owned()),
            ("tracestate".to_owned(), "md-state".to_owned()),
        ]);
        let mut bare = Event::parse(b"{}").unwrap();
        bare.fill_trace(&metadata);
        assert_eq!(bare.text("traceid").as_deref(), Some("md-parent"));
        assert_eq!(bare.trace_state().as_deref(), Some("md-state"));
        let mut own = Event::parse(br#"{"traceid":"i","traceparent":"p","tracestate":"s"}"#).unwrap();
        own.fill_trace(&metadata);
        assert_eq!(own.text("traceid").as_deref(), Some("i"));
        assert_eq!(own.trace_parent().as_deref(), Some("p"));
        assert_eq!(own.trace_state().as_deref(), Some("s"));
    }

    #[test]
    fn an_event_ends_at_its_expiration() {
        let now: Timestamp = "2026-02-03T04:05:06Z".parse().unwrap();
        let expired = |text: &str| {
            let json = serde_json::json!({ "expiration": text }).to_string();
            Event::parse(json.as_bytes()).unwrap().is_expired(now)
        };
        assert!(expired("2026-02-03T04:05:05Z"));
        assert!(expired("2026-02-03T06:05:05+02:00"));
        assert!(!expired("2026-02-03T04:05:06Z"));
        assert!(!expired("2026-02-03T04:05:07Z"));
        assert!(!expired("soon"));
        assert!(!expired(""));
        assert!(!Event::parse(br#"{"expiration":5}"#).unwrap().is_expired(now));
    }

    #[test]
    fn debug_shows_no_payload() {
        let event = Event::parse(br#"{"id":"a","data":"private"}"#).unwrap();
        assert!(!format!("{event:?}").contains("private"));
    }

    #[test]
    fn what_has_no_representation_is_named() {
        let error = Event::parse(br#"{"big":1e999}"#).unwrap().to_value().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the attribute \"big\" of the event cannot be read"
        );
    }
}
