//! What holds for every payload and every message.

use bytes::Bytes;
use proptest::prelude::*;

use super::{wrap::tests::request, *};
use crate::Metadata;

fn content_types() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("application/json".to_owned()),
        Just("application/octet-stream".to_owned()),
        Just("application/cloudevents+json".to_owned()),
        Just("application/x-protobuf".to_owned()),
        Just("text/plain; charset=utf-8".to_owned()),
        any::<String>(),
    ]
}

/// Bytes that are nearly JSON: a valid object with a few bytes changed.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let seed = br#"{"id":"a\u00e9\\","data":{"n":[1,2.50,-3e7,null,true]},"expiration":"2026-01-01T00:00:00Z","data_base64":"AAA="}"#;
    prop::collection::vec((0..seed.len(), any::<u8>()), 0..4).prop_map(move |changes| {
        let mut bytes = seed.to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        bytes
    })
}

fn names_in_order(event: &[u8]) -> bool {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(event).unwrap();
    object.keys().is_sorted()
}

proptest! {
    #[test]
    fn any_payload_of_any_type_gets_an_envelope(data in any::<Vec<u8>>(), content_type in content_types()) {
        let (data, metadata) = (Bytes::from(data), Metadata::new());
        match wrap(&request(&data, &content_type, &metadata)) {
            Ok(event) => {
                prop_assert!(names_in_order(&event));
                let event = Event::parse(&event).unwrap();
                prop_assert_eq!(event.topic().unwrap(), "orders");
                let _ = TopicEvent::new(&event, "orders", "bus");
            }
            Err(error) => prop_assert!(is_cloud_event(&content_type), "{}", error),
        }
    }

    #[test]
    fn bytes_and_texts_come_back_as_they_were(data in any::<Vec<u8>>(), text in any::<String>()) {
        let metadata = Metadata::new();
        for (payload, content_type) in [
            (Bytes::from(data), "application/octet-stream"),
            (Bytes::from(text), "text/plain"),
        ] {
            let event = wrap(&request(&payload, content_type, &metadata)).unwrap();
            let delivered = TopicEvent::new(&Event::parse(&event).unwrap(), "orders", "bus").unwrap();
            prop_assert_eq!(delivered.data, payload);
        }
    }

    #[test]
    fn numbers_stay_exact(digits in "-?[1-9][0-9]{0,60}(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,5})?") {
        let (data, metadata) = (Bytes::from(digits.clone()), Metadata::new());
        let event = wrap(&request(&data, "application/json", &metadata)).unwrap();
        prop_assert_eq!(Event::parse(&event).unwrap().data().unwrap().get(), &digits);
        let again = wrap(&request(&event, "application/cloudevents+json", &metadata)).unwrap();
        prop_assert_eq!(&again, &event);
        let delivered = TopicEvent::new(&Event::parse(&again).unwrap(), "orders", "bus").unwrap();
        prop_assert_eq!(delivered.data, digits);
    }

    #[test]
    fn any_bytes_can_be_looked_at(bytes in prop_oneof![any::<Vec<u8>>(), nearly_json()]) {
        if let Ok(event) = Event::parse(&bytes) {
            let now = "2026-01-01T00:00:00Z".parse().unwrap();
            let _ = (event.id(), event.data(), event.is_expired(now), event.to_value(), event.trace_parent());
            let _ = TopicEvent::new(&event, "t", "p");
        }
    }

    #[test]
    fn raw_and_binary_payloads_come_back_as_they_were(
        data in any::<Vec<u8>>(),
        metadata in prop::collection::btree_map("(ce_|CE_)?[a-z]{1,12}", any::<String>(), 0..6),
    ) {
        for event in [
            from_raw("i", "t", "p", &data, &metadata),
            from_binary("t", "p", &data, "application/octet-stream", &metadata),
        ] {
            prop_assert!(names_in_order(&event));
            let delivered = TopicEvent::new(&Event::parse(&event).unwrap(), "t", "p").unwrap();
            prop_assert_eq!(&delivered.data[..], &data[..]);
        }
    }
}
