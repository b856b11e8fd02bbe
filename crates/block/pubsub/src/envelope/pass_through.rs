//! Publishing what is an event already: its own attributes stay, what is missing is filled in.

use bytes::Bytes;
use outrigger_wire_names::cloud_event;

use super::{
    EnvelopeError, WrapRequest,
    fields::{Field, Fields},
    write::ObjectWriter,
};

/// Room for what is filled in beside the caller's own texts, in bytes.
const FILLED_ROOM: usize = 256;

/// The event of `request.data`, addressed to the topic and the broker of the request.
///
/// Filled in where absent: `time`, and `tracestate`. Where `traceid` is absent, it and `traceparent` become the
/// request's (the peers' rule: the two are one value). `source`, `type` and `specversion` also where they are null.
pub(super) fn pass_through(request: &WrapRequest<'_>) -> Result<Bytes, EnvelopeError> {
    let time = whole_seconds(request.time);
    let expiration = request.expiration.map(whole_seconds);
    let mut fields = Fields::parse(request.data)?;
    if !fields.has(cloud_event::TIME) {
        fields.set(cloud_event::TIME, Field::Text(&time));
    }
    if !fields.has(cloud_event::TRACE_ID) {
        fields.set(cloud_event::TRACE_ID, Field::Text(request.trace_parent));
        fields.set(cloud_event::TRACE_PARENT, Field::Text(request.trace_parent));
    }
    if !fields.has(cloud_event::TRACE_STATE) {
        fields.set(cloud_event::TRACE_STATE, Field::Text(request.trace_state));
    }
    fields.set(cloud_event::TOPIC, Field::Text(request.topic));
    fields.set(cloud_event::PUBSUB_NAME, Field::Text(request.pubsub_name));
    for (name, default) in [
        (cloud_event::SOURCE, cloud_event::DEFAULT_SOURCE),
        (cloud_event::TYPE, cloud_event::DEFAULT_TYPE),
        (cloud_event::SPEC_VERSION, cloud_event::SPEC_VERSION_1_0),
    ] {
        if fields.get(name).is_none_or(Field::is_null) {
            fields.set(name, Field::Text(default));
        }
    }
    if let Some(end) = &expiration {
        fields.set(cloud_event::EXPIRATION, Field::Text(end));
    }
    let room = request.data.len() + request.topic.len() + request.pubsub_name.len() + FILLED_ROOM;
    Ok(write(fields, room))
}

/// The object that the attributes make, by the bytes of their names.
pub(super) fn write(fields: Fields<'_>, room: usize) -> Bytes {
    let mut object = ObjectWriter::with_capacity(room);
    for (name, field) in fields.sorted().iter() {
        match field {
            Field::Json(json) => object.json(name, json.get()),
            Field::Text(text) => object.text(name, text),
        }
    }
    object.finish()
}

fn whole_seconds(time: outrigger_base_clock::Timestamp) -> String {
    outrigger_base_clock::Timestamp::from_second(time.as_second())
        .unwrap_or(time)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::{super::wrap, *};
    use crate::{Metadata, envelope::wrap::tests::request};

    fn passed(event: &str) -> Result<String, EnvelopeError> {
        let (data, metadata) = (
            Bytes::copy_from_slice(event.as_bytes()),
            Metadata::from([("cloudevent.id".to_owned(), "ignored".to_owned())]),
        );
        let event = wrap(&request(
            &data,
            "application/cloudevents+json; charset=utf-8",
            &metadata,
        ))?;
        Ok(String::from_utf8(event.to_vec()).unwrap())
    }

    #[test]
    fn what_is_missing_is_filled_in() {
        assert_eq!(
            passed(r#"{"id":"a","type":null,"data":{"n": 1e999}}"#).unwrap(),
            r#"{"data":{"n": 1e999},"id":"a","pubsubname":"bus","source":"Dapr","specversion":"1.0","time":"2026-02-03T04:05:06Z","topic":"orders","traceid":"00-aa-bb-01","traceparent":"00-aa-bb-01","tracestate":"k=v","type":"com.dapr.event.sent"}"#
        );
    }

    #[test]
    fn what_is_there_stays_except_the_address() {
        let mine = r#"{"color":"r\u00e9d","datacontenttype":"application/json","id":1,"pubsubname":"x","source":"s","specversion":"0.3","time":null,"topic":"y","traceid":7,"tracestate":"","type":"t"}"#;
        assert_eq!(
            passed(mine).unwrap(),
            r#"{"color":"r\u00e9d","datacontenttype":"application/json","id":1,"pubsubname":"bus","source":"s","specversion":"0.3","time":null,"topic":"orders","traceid":7,"tracestate":"","type":"t"}"#
        );
    }

    #[test]
    fn of_two_values_the_last_counts() {
        let event = passed(r#"{"id":"a","x":1,"id":"b","x":2,"id":"c","topic":"t","topic":"u"}"#).unwrap();
        assert!(event.contains(r#""id":"c","pubsub"#), "{event}");
        assert!(
            event.contains(r#""topic":"orders""#) && event.contains(r#""x":2}"#),
            "{event}"
        );
        assert_eq!(event.matches("topic").count(), 1, "{event}");
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in [
            "",
            "null",
            "[]",
            "\"a\"",
            "{\"missing_quote: invalid}",
            "{} {}",
            "{\"a\":1",
        ] {
            let error = passed(text).unwrap_err();
            assert!(matches!(error, EnvelopeError::NotAnEvent(_)), "{text}: {error}");
        }
    }
}
