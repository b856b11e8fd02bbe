//! An event as a gRPC subscriber gets it: known attributes in fields, the payload as bytes, the rest as extensions.

use std::borrow::Cow;

use base64::{
    Engine as _,
    alphabet::STANDARD as STANDARD_ALPHABET,
    engine::{GeneralPurpose, general_purpose::PAD},
};
use bytes::Bytes;
use outrigger_wire_names::cloud_event;

use super::{EnvelopeError, Event, content_type};

/// Standard base64 with padding, as the peers read it.
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD_ALPHABET, PAD);

/// The fields of a topic event; what is absent in the event, or no text there, is empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicEvent {
    /// `id`.
    pub id: String,
    /// `source`.
    pub source: String,
    /// `type`.
    pub event_type: String,
    /// `specversion`.
    pub spec_version: String,
    /// `datacontenttype`.
    pub data_content_type: String,
    /// The payload.
    pub data: Bytes,
    /// The topic of the subscription's message.
    pub topic: String,
    /// The name of the broker component.
    pub pubsub_name: String,
    /// Every other attribute.
    pub extensions: serde_json::Map<String, serde_json::Value>,
}

impl TopicEvent {
    /// The fields of `event`, which came on `topic` of the broker `pubsub_name`.
    ///
    /// # Errors
    ///
    /// When the payload or an extension is not what it says it is; the message cannot be delivered this way.
    pub fn new(event: &Event<'_>, topic: &str, pubsub_name: &str) -> Result<Self, EnvelopeError> {
        let text = |value: Option<Cow<'_, str>>| value.map(Cow::into_owned).unwrap_or_default();
        let data_content_type = text(event.data_content_type());
        Ok(Self {
            data: payload(event, &data_content_type)?,
            id: text(event.id()),
            source: text(event.source()),
            event_type: text(event.event_type()),
            spec_version: text(event.spec_version()),
            data_content_type,
            topic: topic.to_owned(),
            pubsub_name: pubsub_name.to_owned(),
            extensions: event.extensions()?,
        })
    }
}

/// `data_base64` decoded; or `data`: the text for text types, compact JSON for JSON types, and nothing for any other
/// type (the peers' rule, which their suite asserts).
fn payload(event: &Event<'_>, data_content_type: &str) -> Result<Bytes, EnvelopeError> {
    if let Some(field) = event
        .field(cloud_event::DATA_BASE64)
        .filter(|field| !field.is_null())
    {
        let text = field.text().ok_or(EnvelopeError::UnexpectedData)?;
        return decode(&text);
    }
    let Some(data) = event.data() else {
        return Ok(Bytes::new());
    };
    if content_type::is_text(data_content_type) {
        let text = event
            .text(cloud_event::DATA)
            .ok_or(EnvelopeError::UnexpectedData)?;
        return Ok(text.into_owned().into());
    }
    if content_type::is_json(data_content_type) || content_type::is_cloud_event(data_content_type) {
        return Ok(compact(data.get()).into());
    }
    Ok(Bytes::new())
}

/// Line breaks inside are skipped, as the peers skip them.
fn decode(text: &str) -> Result<Bytes, EnvelopeError> {
    let decoded = if text.contains(['\r', '\n']) {
        BASE64.decode(text.replace(['\r', '\n'], ""))
    } else {
        BASE64.decode(text)
    };
    decoded.map(Bytes::from).map_err(EnvelopeError::Base64)
}

/// Valid JSON without the white space between its tokens. Strings, and what stands between them, are copied in runs.
fn compact(json: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let mut rest = json.as_bytes();
    while let Some(at) = rest
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'"'))
    {
        let (tokens, tail) = rest.split_at(at);
        out.extend_from_slice(tokens);
        let string = if tail[0] == b'"' { string_length(tail) } else { 0 };
        out.extend_from_slice(&tail[..string]);
        rest = &tail[string.max(1)..];
    }
    out.extend_from_slice(rest);
    out
}

/// Length of the string that `json` begins with, both quotes included; all of `json` when it does not end.
fn string_length(json: &[u8]) -> usize {
    let mut at = 1;
    while let Some(step) = json
        .get(at..)
        .and_then(|tail| tail.iter().position(|byte| matches!(byte, b'"' | b'\\')))
    {
        at += step + 1;
        if json[at - 1] == b'"' {
            return at;
        }
        // What a backslash escapes is never the end.
        at += 1;
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload_of(json: &str) -> Result<Bytes, EnvelopeError> {
        TopicEvent::new(&Event::parse(json.as_bytes()).unwrap(), "t", "p").map(|event| event.data)
    }

    #[test]
    fn known_attributes_have_fields_and_the_rest_are_extensions() {
        let json = br#"{"id":"i","source":"s","type":"y","specversion":"1.0","datacontenttype":"text/plain","data":"d","topic":"other","pubsubname":"o","traceid":7,"n":{"a":1}}"#;
        let event = TopicEvent::new(&Event::parse(json).unwrap(), "t", "p").unwrap();
        let expected = TopicEvent {
            id: "i".into(),
            source: "s".into(),
            event_type: "y".into(),
            spec_version: "1.0".into(),
            data_content_type: "text/plain".into(),
            data: Bytes::from_static(b"d"),
            topic: "t".into(),
            pubsub_name: "p".into(),
            extensions: serde_json::from_str(r#"{"topic":"other","pubsubname":"o","traceid":7,"n":{"a":1}}"#)
                .unwrap(),
        };
        assert_eq!(event, expected);
    }

    #[test]
    fn the_payload_follows_its_content_type() {
        let cases: [(&str, &[u8]); 8] = [
            (
                r#"{"datacontenttype":"application/json","data":{"b": 12345678901234567890, "a" : "x \" y"}}"#,
                br#"{"b":12345678901234567890,"a":"x \" y"}"#,
            ),
            (r#"{"datacontenttype":"application/json","data":"s"}"#, b"\"s\""),
            (r#"{"datacontenttype":"text/plain","data":"a\nb"}"#, b"a\nb"),
            (r#"{"datacontenttype":"application/xml","data":"<a/>"}"#, b"<a/>"),
            (r#"{"datacontenttype":"foo/bar","data":"lost"}"#, b""),
            (
                r#"{"datacontenttype":"foo/bar","data_base64":"a2Vw\ndA=="}"#,
                b"kept",
            ),
            (
                r#"{"data_base64":null,"datacontenttype":"text/plain","data":"d"}"#,
                b"d",
            ),
            (r#"{"datacontenttype":"text/plain"}"#, b""),
        ];
        for (json, expected) in cases {
            assert_eq!(payload_of(json).unwrap(), expected, "{json}");
        }
    }

    #[test]
    fn white_space_goes_and_strings_stay() {
        let json = " { \"a b\" : [ 1 ,\t2 ] , \"\\\\\" : \"\\\" \\\\\" , \"\" : \" \\n \" }\r\n";
        let expected = "{\"a b\":[1,2],\"\\\\\":\"\\\" \\\\\",\"\":\" \\n \"}";
        assert_eq!(String::from_utf8(compact(json)).unwrap(), expected);
        assert_eq!(compact("12"), b"12");
    }

    #[test]
    fn a_payload_that_is_not_what_it_says_is_an_error() {
        for json in [
            r#"{"datacontenttype":"text/plain","data":{"a":1}}"#,
            r#"{"data_base64":5}"#,
        ] {
            assert!(
                matches!(payload_of(json), Err(EnvelopeError::UnexpectedData)),
                "{json}"
            );
        }
        for json in [r#"{"data_base64":"*"}"#, r#"{"data_base64":"a2VwdA"}"#] {
            assert!(
                matches!(payload_of(json), Err(EnvelopeError::Base64(_))),
                "{json}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn compact_json_is_what_a_writer_makes(texts in proptest::collection::btree_map(".*", proptest::arbitrary::any::<Vec<String>>(), 0..4)) {
            let pretty = serde_json::to_string_pretty(&texts).unwrap();
            proptest::prop_assert_eq!(compact(&pretty), serde_json::to_vec(&texts).unwrap());
        }

        #[test]
        fn any_text_ends_a_string_somewhere(text in ".*") {
            compact(&text);
        }
    }
}
