//! Reading and writing messages.

use proptest::{collection::vec, prelude::*};

use super::*;

fn name(text: &str) -> DomainName {
    DomainName::from_dotted(text).unwrap()
}

fn names() -> impl Strategy<Value = DomainName> {
    // Few letters, so that names share their ends; a long label now and then.
    vec(prop_oneof!["[a-cA-C]{1,3}", "[x.\u{e9} ]{30,31}"], 0..5).prop_map(|labels| {
        let mut name = DomainName::default();
        for label in labels {
            let label = label.as_bytes();
            name.push(&label[..label.len().min(63)]).unwrap();
        }
        name
    })
}

fn data() -> impl Strategy<Value = Data> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|bytes| Data::A(bytes.into())),
        any::<[u8; 16]>().prop_map(|bytes| Data::Aaaa(bytes.into())),
        names().prop_map(Data::Ptr),
        (any::<u16>(), any::<u16>(), any::<u16>(), names()).prop_map(|(priority, weight, port, target)| {
            Data::Srv {
                priority,
                weight,
                port,
                target,
            }
        }),
        vec(vec(any::<u8>(), 0..=255), 0..3).prop_map(Data::Txt),
        // 47 is NSEC, which responders of other makers add.
        vec(any::<u8>(), 0..40).prop_map(|bytes| Data::Other { rtype: 47, bytes }),
    ]
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let record = (names(), 0..0x8000_u16, any::<bool>(), any::<u32>(), data()).prop_map(
        |(name, class, flush, ttl, data)| Record {
            name,
            class,
            flush,
            ttl,
            data,
        },
    );
    vec(record, 0..4)
}

fn messages() -> impl Strategy<Value = Message> {
    let question =
        (names(), any::<u16>(), 0..0x8000_u16, any::<bool>()).prop_map(|(name, rtype, class, unicast)| {
            Question {
                name,
                rtype,
                class,
                unicast,
            }
        });
    (
        any::<u16>(),
        any::<u16>(),
        vec(question, 0..4),
        records(),
        records(),
        records(),
    )
        .prop_map(
            |(id, flags, questions, answers, authorities, additionals)| Message {
                id,
                flags,
                questions,
                answers,
                authorities,
                additionals,
            },
        )
}

proptest! {
    #[test]
    fn what_is_written_is_read(message in messages()) {
        prop_assert_eq!(parse_message(&message.encode().unwrap()).unwrap(), message);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..600)) {
        let _ = parse_message(&bytes);
    }

    #[test]
    fn a_message_with_some_bytes_changed_is_read_or_refused(
        message in messages(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = message.encode().unwrap();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes.truncate(cut.index(bytes.len() + 1));
        if let Ok(read) = parse_message(&bytes) {
            // Whatever was understood can be said again, and means the same.
            prop_assert_eq!(parse_message(&read.encode().unwrap()).unwrap(), read);
        }
    }
}

#[test]
fn names_are_compared_without_regard_to_case() {
    assert_eq!(name("Orders.local."), name("orders.LOCAL"));
    assert_ne!(name("orders.local."), name("order.slocal."));
    assert!(name("a:1.Orders.Local").is_below(&name("orders.local")));
    assert!(!name("orders.local").is_below(&name("orders.local")));
    assert!(
        !name("xorders.local").is_below(&name("orders.local")),
        "labels are compared whole"
    );
    assert_eq!(name("host:1.orders.local").to_string(), "host:1.orders.local.");
}

#[test]
fn names_that_cannot_be_are_refused() {
    let long = "x".repeat(64);
    assert_eq!(DomainName::from_dotted(&long), Err(NameError::LongLabel(64)));
    assert_eq!(
        DomainName::from_dotted(&["x".repeat(62).as_str(); 5].join(".")),
        Err(NameError::LongName)
    );
    for text in ["", ".", "a..b", ".a"] {
        assert_eq!(
            DomainName::from_dotted(text),
            Err(NameError::EmptyLabel),
            "{text:?}"
        );
    }
    // 255 bytes on the wire is the most: three labels of 63, one of 61, five bytes of lengths and end.
    let longest = [&"x".repeat(63), &"x".repeat(63), &"x".repeat(63), &"x".repeat(61)]
        .map(String::as_str)
        .join(".");
    assert!(DomainName::from_dotted(&longest).is_ok());
    assert_eq!(
        DomainName::from_dotted(&format!("{longest}x")),
        Err(NameError::LongName)
    );
}

#[test]
fn a_known_message_has_the_known_bytes() {
    let mut message = Message::query(vec![Question::new(name("orders.local"), rtype::PTR)]);
    let expected = b"\0\0\0\0\0\x01\0\0\0\0\0\0\x06orders\x05local\0\0\x0c\0\x01";
    assert_eq!(message.encode().unwrap(), expected);
    message.answers = vec![Record::new(
        name("orders.local"),
        120,
        Data::Ptr(name("a:1.Orders.local")),
    )];
    let bytes = message.encode().unwrap();
    let tail = b"\xc0\x0c\0\x0c\0\x01\0\0\0\x78\0\x06\x03a:1\xc0\x0c";
    assert!(bytes.ends_with(tail), "{}", bytes.escape_ascii());
}

#[test]
fn pointers_that_lead_nowhere_are_refused() {
    let header = b"\0\0\0\0\0\x01\0\0\0\0\0\0";
    for (question, error) in [
        (&b"\xc0\x0c\0\x0c\0\x01"[..], ReadError::Pointer),
        (b"\x01a\xc0\x0c\0\x0c\0\x01", ReadError::Pointer),
        (b"\xc0\x40\0\x0c\0\x01", ReadError::Pointer),
        (b"\x40a\0\0\x0c\0\x01", ReadError::LabelKind),
        (b"\x05loc", ReadError::Truncated),
        (b"\x01a\0\0\x0c", ReadError::Truncated),
    ] {
        assert_eq!(
            parse_message(&[header, question].concat()),
            Err(error),
            "{}",
            question.escape_ascii()
        );
    }
}
