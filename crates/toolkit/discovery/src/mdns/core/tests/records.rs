//! What is announced and answered, record by record.

use super::*;
use crate::mdns::message::{Data, Record, rtype};

#[test]
fn the_records_are_those_of_dns_sd() {
    let mut network = Network::new(1);
    let _one = network.register(0, "orders", "127.0.0.1:5001");
    network.run(ms(0));
    let said = &network.said[0];
    assert!(said.is_response() && said.id == 0 && said.questions.is_empty());
    let (service, instance, host) = (
        name("orders.local"),
        name("box:1.orders.local"),
        name("box-1.local"),
    );
    let server = Data::Srv {
        priority: 0,
        weight: 0,
        port: 5001,
        target: host.clone(),
    };
    let flush = |record| Record {
        flush: true,
        ..record
    };
    assert_eq!(
        said.answers,
        [
            Record::new(service, 120, Data::Ptr(instance.clone())),
            flush(Record::new(instance.clone(), 120, server)),
            flush(Record::new(instance, 120, Data::Txt(vec![b"orders".to_vec()]))),
        ]
    );
    assert_eq!(
        said.additionals,
        [Record::new(host, 120, Data::A([127, 0, 0, 1].into()))]
    );
    network.run(Duration::from_secs(100));
    assert_eq!(network.said.len(), 3, "announced at 0, 1 and 3 s");
}

#[test]
fn questions_of_every_kind_are_answered() {
    let mut network = Network::new(1);
    let _one = network.register(0, "orders", "[fd00::1]:5001");
    for (asked, rtype, answers) in [
        ("Orders.Local", rtype::PTR, vec![rtype::PTR]),
        ("orders.local", rtype::ANY, vec![rtype::PTR]),
        ("orders.local", rtype::SRV, vec![]),
        ("box:1.orders.local", rtype::SRV, vec![rtype::SRV]),
        ("box:1.orders.local", rtype::TXT, vec![rtype::TXT]),
        ("box:1.orders.local", rtype::ANY, vec![rtype::SRV, rtype::TXT]),
        ("box:1.orders.local", rtype::A, vec![]),
        ("box-1.local", rtype::AAAA, vec![rtype::AAAA]),
        ("box-1.local", rtype::A, vec![]),
        ("_services._dns-sd._udp.local", rtype::PTR, vec![rtype::PTR]),
        ("stock.local", rtype::PTR, vec![]),
    ] {
        let query = Message::query(vec![Question::new(name(asked), rtype)]);
        let out = answer(&mut network, &query, "127.0.0.1:5353");
        let given: Vec<u16> = out
            .iter()
            .flat_map(|out| &out.message.answers)
            .map(|record| record.data.rtype())
            .collect();
        assert_eq!(given, answers, "{asked} {rtype}");
        assert!(out.iter().all(|out| out.to == To::Link(LINK)));
    }
}

#[test]
fn what_the_asker_knows_is_not_said_again() {
    let mut network = Network::new(1);
    let _one = network.register(0, "orders", "127.0.0.1:5001");
    let mut query = Message::query(vec![Question::new(name("orders.local"), rtype::PTR)]);
    for (ttl, answers) in [(60, 0), (59, 1)] {
        query.answers = vec![Record::new(
            name("orders.local"),
            ttl,
            Data::Ptr(name("box:1.orders.local")),
        )];
        assert_eq!(
            answer(&mut network, &query, "127.0.0.1:5353").len(),
            answers,
            "known for {ttl} s"
        );
    }
}

#[test]
fn a_resolver_that_knows_nothing_of_multicast_gets_what_it_expects() {
    let mut network = Network::new(1);
    let _one = network.register(0, "orders", "127.0.0.1:5001");
    let query = Message {
        id: 42,
        ..Message::query(vec![Question::new(name("orders.local"), rtype::PTR)])
    };
    let out = answer(&mut network, &query, "127.0.0.1:40000");
    let [Outgoing { message, to }] = out.as_slice() else {
        panic!("{out:?}")
    };
    assert_eq!(*to, To::One(LINK, "127.0.0.1:40000".parse().unwrap()));
    assert_eq!((message.id, &message.questions), (42, &query.questions));
    assert!(message.records().all(|record| record.ttl == 10 && !record.flush));
}
