//! Envelopes as subscribers of the peers have seen them.

use super::*;

pub(in crate::envelope) fn request<'a>(
    data: &'a Bytes,
    content_type: &'a str,
    metadata: &'a Metadata,
) -> WrapRequest<'a> {
    WrapRequest {
        id: "fresh",
        source: "myapp",
        event_type: "",
        subject: "",
        topic: "orders",
        pubsub_name: "bus",
        data,
        content_type,
        trace_parent: "00-aa-bb-01",
        trace_state: "k=v",
        time: "2026-02-03T04:05:06Z".parse().unwrap(),
        expiration: None,
        metadata,
    }
}

fn wrapped(data: &[u8], content_type: &str, metadata: &[(&str, &str)]) -> String {
    let data = Bytes::copy_from_slice(data);
    let metadata = metadata
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let event = wrap(&request(&data, content_type, &metadata)).unwrap();
    String::from_utf8(event.to_vec()).unwrap()
}

const REST: &str = r#""id":"fresh","pubsubname":"bus","source":"myapp","specversion":"1.0","time":"2026-02-03T04:05:06Z","topic":"orders","traceid":"00-aa-bb-01","traceparent":"00-aa-bb-01","tracestate":"k=v","type":"com.dapr.event.sent"}"#;

#[test]
fn json_stands_as_it_was_written() {
    assert_eq!(
        wrapped(
            br#" {"n": 12345678901234567890.10, "a":[1 ,2]} "#,
            "application/json; charset=utf-8",
            &[]
        ),
        format!(
            r#"{{"data":{{"n": 12345678901234567890.10, "a":[1 ,2]}},"datacontenttype":"application/json; charset=utf-8",{REST}"#
        )
    );
}

#[test]
fn text_is_the_default_and_what_broken_json_becomes() {
    assert_eq!(
        wrapped(b"say \"hi\"\n\x01", "", &[]),
        format!(r#"{{"data":"say \"hi\"\n\u0001","datacontenttype":"text/plain",{REST}"#)
    );
    assert_eq!(
        wrapped(br#"{"a":1} trailing"#, "application/json", &[]),
        format!(r#"{{"data":"{{\"a\":1}} trailing","datacontenttype":"application/json",{REST}"#)
    );
    assert_eq!(
        wrapped(b"", "application/json", &[]),
        format!(r#"{{"data":"","datacontenttype":"application/json",{REST}"#)
    );
}

#[test]
fn bytes_travel_as_base64() {
    assert_eq!(
        wrapped(b"\x00\xff", "application/octet-stream", &[]),
        format!(r#"{{"data_base64":"AP8=","datacontenttype":"application/octet-stream",{REST}"#)
    );
    for content_type in ["application/cloudevents+protobuf", "application/x-protobuf"] {
        assert_eq!(
            wrapped(b"\x0a\x01a", content_type, &[]),
            format!(r#"{{"data_base64":"CgFh","datacontenttype":"{content_type}",{REST}"#)
        );
    }
}

#[test]
fn bytes_that_are_no_text_survive_unless_they_are_called_text() {
    assert!(wrapped(b"\x89PNG", "image/png", &[]).starts_with(r#"{"data_base64":"iVBORw==","#));
    assert!(wrapped(b"caf\xe9", "text/plain", &[]).starts_with("{\"data\":\"caf\u{fffd}\","));
    assert!(wrapped(b"plain", "image/png", &[]).starts_with(r#"{"data":"plain","#));
}

#[test]
fn metadata_sets_attributes() {
    let event = wrapped(
        b"x",
        "text/plain",
        &[
            ("CloudEvent.Id", "mine"),
            ("cloudevent.source", "elsewhere"),
            ("cloudevent.type", "t"),
            ("cloudevent.subject", "s"),
            ("cloudevent.traceid", "loses"),
            ("cloudevent.traceparent", "wins"),
            ("cloudevent.tracestate", "state"),
            ("cloudevent.topic", "cannot be set"),
        ],
    );
    assert_eq!(
        event,
        r#"{"data":"x","datacontenttype":"text/plain","id":"mine","pubsubname":"bus","source":"elsewhere","specversion":"1.0","subject":"s","time":"2026-02-03T04:05:06Z","topic":"orders","traceid":"wins","traceparent":"wins","tracestate":"state","type":"t"}"#
    );
}

#[test]
fn an_empty_override_asks_for_the_default() {
    let event = wrapped(
        b"x",
        "text/plain",
        &[
            ("cloudevent.id", ""),
            ("cloudevent.source", ""),
            ("cloudevent.traceid", "only"),
            ("cloudevent.traceparent", ""),
        ],
    );
    assert!(event.contains(r#""id":"fresh""#), "{event}");
    assert!(event.contains(r#""source":"Dapr""#), "{event}");
    assert!(
        event.contains(r#""traceid":"only","traceparent":"only""#),
        "{event}"
    );
}

#[test]
fn an_expiration_is_written_where_it_sorts() {
    let (data, metadata) = (Bytes::from_static(b"x"), Metadata::new());
    let event = wrap(&WrapRequest {
        expiration: Some("2026-02-03T04:05:16Z".parse().unwrap()),
        ..request(&data, "", &metadata)
    })
    .unwrap();
    let expected = r#"{"data":"x","datacontenttype":"text/plain","expiration":"2026-02-03T04:05:16Z","id":"#;
    assert!(event.starts_with(expected.as_bytes()), "{event:?}");
}

#[test]
fn a_batch_is_a_payload_like_any_other() {
    assert!(wrapped(b"[]", "application/cloudevents-batch+json", &[]).starts_with(r#"{"data":"[]","#));
}
