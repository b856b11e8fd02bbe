//! What responders of other makers say and ask.

use std::net::Ipv6Addr;

use super::*;
use crate::mdns::message::{Data, Record, rtype};

/// A response of another maker's responder, with these records.
fn response(records: Vec<Record>) -> Message {
    Message {
        answers: records,
        ..Message::response()
    }
}

fn foreign(port: u16) -> (Record, Record, Record) {
    let instance = name("other.host:9.orders.local");
    let server = Data::Srv {
        priority: 0,
        weight: 0,
        port,
        target: name("other.local"),
    };
    (
        Record::new(name("orders.local"), 3200, Data::Ptr(instance.clone())),
        Record::new(instance.clone(), 3200, server),
        Record::new(
            instance,
            3200,
            Data::Txt(vec![b"orders".to_vec(), b"zone=b".to_vec()]),
        ),
    )
}

#[test]
fn facts_that_are_missing_are_asked_for() {
    let mut network = Network::new(1);
    drop(network.resolve(0, "orders"));
    let (pointer, server, text) = foreign(5001);
    let mut hear = |records| {
        let mut out = Vec::new();
        network.nodes[0]
            .0
            .hear(&response(records), from("127.0.0.1:5353"), network.now, &mut out);
        let questions = out.into_iter().flat_map(|out| out.message.questions);
        questions
            .map(|question| (question.name.to_string(), question.rtype))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        hear(vec![pointer]),
        [("other.host:9.orders.local.".to_owned(), rtype::ANY)]
    );
    let host = "other.local.".to_owned();
    assert_eq!(
        hear(vec![server, text]),
        [(host.clone(), rtype::A), (host, rtype::AAAA)]
    );
    let link_local: Ipv6Addr = "fe80::1".parse().unwrap();
    assert_eq!(
        hear(vec![Record::new(
            name("other.local"),
            120,
            Data::Aaaa(link_local)
        )]),
        []
    );
    assert_eq!(
        network.shown(0, "orders"),
        ["[fe80::1%3]:5001"],
        "with the interface it was heard on"
    );
    let endpoints = network.nodes[0].1.get(crate::NameRef::new("orders")).unwrap();
    assert_eq!(endpoints[0].metadata.get("zone"), Some("b"));
}

#[test]
fn two_processes_that_share_a_host_name_keep_their_own_addresses() {
    let mut network = Network::new(1);
    drop(network.resolve(0, "orders"));
    for (process, address) in [(1, [10, 0, 0, 1]), (2, [127, 0, 0, 1])] {
        let instance = name(&format!("box:{process}.orders.local"));
        let server = Data::Srv {
            priority: 0,
            weight: 0,
            port: 5001,
            target: name("box.local"),
        };
        let records = vec![
            Record::new(instance.clone(), 120, server),
            Record::new(instance, 120, Data::Txt(vec![b"orders".to_vec()])),
            Record::new(name("box.local"), 120, Data::A(address.into())),
        ];
        network.nodes[0].0.hear(
            &response(records),
            from("127.0.0.1:5353"),
            network.now,
            &mut vec![],
        );
    }
    assert_eq!(network.shown(0, "orders"), ["10.0.0.1:5001", "127.0.0.1:5001"]);
}

#[test]
fn what_is_not_an_instance_of_the_name_is_not_shown() {
    let mut network = Network::new(1);
    drop(network.resolve(0, "orders"));
    let address = Record::new(name("other.local"), 120, Data::A([10, 0, 0, 1].into()));
    let mut hear = |records, source| {
        network.nodes[0]
            .0
            .hear(&response(records), from(source), network.now, &mut vec![]);
        network.shown(0, "orders")
    };
    let (pointer, server, text) = foreign(5001);
    let other_text = Record {
        data: Data::Txt(vec![b"stock".to_vec()]),
        ..text.clone()
    };
    assert!(
        hear(
            vec![pointer.clone(), server.clone(), other_text, address.clone()],
            "127.0.0.1:5353"
        )
        .is_empty()
    );
    assert!(
        hear(vec![text.clone()], "127.0.0.1:5354").is_empty(),
        "a forgery from another port"
    );
    assert_eq!(
        hear(vec![pointer, server, text, address], "127.0.0.1:5353"),
        ["10.0.0.1:5001"]
    );
}

#[test]
fn what_cannot_be_a_record_is_refused_with_a_reason() {
    let mut network = Network::new(1);
    let register = |network: &mut Network, id: &str, address: &str| {
        let instance = Instance::new(Name::new(id), address.parse::<SocketAddr>().unwrap());
        let error = network.nodes[0]
            .0
            .register(&instance, Arc::default(), network.now)
            .unwrap_err();
        assert!(!error.retryable());
        error.to_string()
    };
    let long = "x".repeat(64);
    assert!(register(&mut network, &long, "127.0.0.1:1").contains("64 bytes"));
    assert!(register(&mut network, "", "127.0.0.1:1").contains("empty"));
    assert!(register(&mut network, "orders", "0.0.0.0:1").contains("every address"));
    assert!(register(&mut network, "orders", "127.0.0.1:0").contains("port is 0"));
    let error = network.resolve(0, &long).try_recv().unwrap().unwrap_err();
    assert!(matches!(error, Error::Inexpressible { .. }), "{error:?}");
}

/// What `grandcat/zeroconf` 1.0.0, which Dapr uses, puts on the wire for "orders" at 10.0.0.7:50002.
mod zeroconf {
    pub(super) const QUERY: &[u8] = b"\xc6\xee\0\0\0\x01\0\0\0\0\0\0\x06orders\x05local\0\0\x0c\0\x01";

    /// Its answer to a browsing question.
    pub(super) const ANSWER: &[u8] = b"\xc6\xee\x84\0\0\0\0\x01\0\0\0\x03\x06orders\x05local\0\0\x0c\0\x01\0\0\x0c\x80\
        \0\x0b\x08box:7658\xc0\x0c\xc0$\0!\0\x01\0\0\x0c\x80\0\x11\0\0\0\0\xc3R\x03box\x05local\0\xc0$\0\x10\0\x01\
        \0\0\x0c\x80\0\x07\x06orders\xc0A\0\x01\0\x01\0\0\0x\0\x04\n\0\0\x07";

    /// Its question whether its own name is taken.
    pub(super) const PROBE: &[u8] =
        b"\xa0\x0c\0\0\0\x01\0\0\0\x02\0\0\x08box:7658\x06orders\x05local\0\0\x0c\0\x01\
        \x08box:7658\x06orders\x05local\0\0!\0\x01\0\0\x0c\x80\0\x11\0\0\0\0\xc3R\x03box\x05local\0\
        \x08box:7658\x06orders\x05local\0\0\x10\0\x01\0\0\x0c\x80\0\x07\x06orders";

    /// What it says without being asked.
    pub(super) const ANNOUNCEMENT: &[u8] =
        b"\0\0\x80\0\0\0\0\x05\0\0\0\0\x08box:7658\x06orders\x05local\0\0!\x80\x01\
        \0\0\x0c\x80\0\x11\0\0\0\0\xc3R\x03box\x05local\0\xc0\x0c\0\x10\x80\x01\0\0\x0c\x80\0\x07\x06orders\
        \xc0\x15\0\x0c\0\x01\0\0\x0c\x80\0\x02\xc0\x0c\t_services\x07_dns-sd\x04_udp\xc0\x1c\0\x0c\0\x01\
        \0\0\x0c\x80\0\x02\xc0\x15\xc03\0\x01\x80\x01\0\0\0x\0\x04\n\0\0\x07";

    /// What it says at its end.
    pub(super) const GOODBYE: &[u8] = b"\0\0\x80\0\0\0\0\x05\0\0\0\0\x08box:7658\x06orders\x05local\0\0!\x80\x01\0\0\0\0\
        \0\x11\0\0\0\0\xc3R\x03box\x05local\0\x08box:7658\x06orders\x05local\0\0\x10\x80\x01\0\0\0\0\0\x07\x06orders\
        \x06orders\x05local\0\0\x0c\0\x01\0\0\0\0\0\x17\x08box:7658\x06orders\x05local\0\
        \t_services\x07_dns-sd\x04_udp\x05local\0\0\x0c\0\x01\0\0\0\0\0\x0e\x06orders\x05local\0\
        \x03box\x05local\0\0\x01\x80\x01\0\0\0\0\0\x04\n\0\0\x07";
}

#[test]
fn what_zeroconf_says_is_understood() {
    for found_by in [zeroconf::ANSWER, zeroconf::ANNOUNCEMENT] {
        let mut network = Network::new(1);
        drop(network.resolve(0, "orders"));
        let mut hear = |bytes| {
            let mut out = Vec::new();
            let message = parse_message(bytes).unwrap();
            network.nodes[0]
                .0
                .hear(&message, from("0.0.0.0:5353"), network.now, &mut out);
            assert!(out.is_empty(), "nothing is left to ask: {out:?}");
            network.shown(0, "orders")
        };
        assert!(hear(zeroconf::PROBE).is_empty());
        assert_eq!(hear(found_by), ["10.0.0.7:50002"]);
        assert_eq!(hear(zeroconf::PROBE), ["10.0.0.7:50002"]);
        assert!(hear(zeroconf::GOODBYE).is_empty());
    }
}

#[test]
fn what_zeroconf_asks_is_answered_to_all() {
    let mut network = Network::new(1);
    let _one = network.register(0, "orders", "127.0.0.1:5001");
    let out = answer(
        &mut network,
        &parse_message(zeroconf::QUERY).unwrap(),
        "10.0.0.7:5353",
    );
    let [
        Outgoing {
            message,
            to: To::Link(LINK),
        },
    ] = out.as_slice()
    else {
        panic!("{out:?}")
    };
    // It takes only what is whole within one message.
    let types: Vec<u16> = message.records().map(|record| record.data.rtype()).collect();
    assert_eq!(types, [rtype::PTR, rtype::SRV, rtype::TXT, rtype::A]);
}
