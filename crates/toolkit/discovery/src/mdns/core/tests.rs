//! The daemon's core on a network of this test's: every message is written and read, time is invented.

use std::net::Ipv6Addr;

use super::*;
use crate::mdns::{
    IdForm,
    message::{Data, DomainName, Record, parse_message, rtype},
};

const LINK: u64 = 7;

/// Several daemons on one link.
struct Network {
    nodes: Vec<(Core, Arc<Shown>)>,
    now: Instant,
    /// Every message that was sent.
    said: Vec<Message>,
    /// How many of the next messages are lost.
    lose: usize,
}

impl Network {
    /// Daemons whose processes are called 1, 2, ….
    fn new(nodes: u32) -> Self {
        let node = |process| {
            let shown = Arc::<Shown>::default();
            let form = Arc::new(IdForm::new("local.", "box", process));
            (Core::new(form, MdnsOptions::default(), shown.clone()), shown)
        };
        Self {
            nodes: (1..=nodes).map(node).collect(),
            now: Instant::now(),
            said: vec![],
            lose: 0,
        }
    }

    fn register(&mut self, node: usize, id: &str, address: &str) -> (Arc<AtomicBool>, Message) {
        let instance = Instance::new(Name::new(id), address.parse::<SocketAddr>().unwrap());
        let withdrawn = Arc::new(AtomicBool::new(false));
        let goodbye = self.nodes[node]
            .0
            .register(&instance, withdrawn.clone(), self.now)
            .unwrap();
        (withdrawn, goodbye)
    }

    /// Lets time pass, and delivers everything that is said meanwhile to everybody.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let mut out = Vec::new();
            for (core, _) in &mut self.nodes {
                core.tick(self.now, &mut out);
            }
            while let Some(Outgoing { message, .. }) = out.pop() {
                self.say(message, &mut out);
            }
            let next = self.nodes.iter().filter_map(|(core, _)| core.next_tick()).min();
            match next {
                Some(next) if next <= end => self.now = next,
                _ => break,
            }
        }
        self.now = end;
    }

    fn say(&mut self, message: Message, out: &mut Vec<Outgoing>) {
        self.said.push(message.clone());
        if self.lose > 0 {
            self.lose -= 1;
            return;
        }
        let message = parse_message(&message.encode().unwrap()).unwrap();
        for (core, _) in &mut self.nodes {
            core.hear(&message, from("127.0.0.1:5353"), self.now, out);
        }
    }

    fn resolve(&mut self, node: usize, id: &str) -> oneshot::Receiver<Result<Endpoints, Error>> {
        let (waiter, answer) = oneshot::channel();
        self.nodes[node].0.resolve(Name::new(id), waiter, self.now);
        answer
    }

    fn shown(&self, node: usize, id: &str) -> Vec<String> {
        let endpoints = self.nodes[node].1.get(crate::NameRef::new(id));
        endpoints
            .iter()
            .flat_map(|known| known.iter())
            .map(|known| known.address.to_string())
            .collect()
    }
}

fn from(source: &str) -> From {
    From {
        link: LINK,
        interface: 3,
        source: source.parse().unwrap(),
    }
}

fn name(text: &str) -> DomainName {
    DomainName::from_dotted(text).unwrap()
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn an_instance_is_found_and_its_end_is_noticed() {
    let mut network = Network::new(2);
    let (withdrawn, goodbye) = network.register(0, "orders", "127.0.0.1:5001");
    network.run(ms(10));
    let mut answer = network.resolve(1, "orders");
    network.run(ms(0));
    let endpoints = answer.try_recv().unwrap().unwrap();
    assert_eq!(endpoints[0].address.to_string(), "127.0.0.1:5001");
    assert_eq!(network.shown(1, "orders"), ["127.0.0.1:5001"]);

    withdrawn.store(true, Ordering::Release);
    network.say(goodbye, &mut vec![]);
    assert!(network.shown(1, "orders").is_empty());
    let mut answer = network.resolve(1, "orders");
    network.run(ms(1001));
    assert!(
        answer.try_recv().unwrap().unwrap_err().is_not_found(),
        "it no longer answers"
    );
}

#[test]
fn several_instances_of_one_id_are_all_found_and_new_ones_are_noticed() {
    let mut network = Network::new(3);
    let _one = network.register(0, "orders", "127.0.0.1:5001");
    let _two = network.register(1, "orders", "127.0.0.1:5002");
    let _other = network.register(1, "stock", "127.0.0.1:6000");
    network.run(ms(10));
    let mut answer = network.resolve(2, "orders");
    network.run(ms(10));
    answer.try_recv().unwrap().unwrap();
    assert_eq!(network.shown(2, "orders"), ["127.0.0.1:5001", "127.0.0.1:5002"]);
    let _three = network.register(2, "orders", "127.0.0.1:5003");
    network.run(ms(10));
    assert_eq!(network.shown(2, "orders").len(), 3, "from its announcement");
}

#[test]
fn lost_questions_are_asked_again_while_somebody_waits() {
    let mut network = Network::new(2);
    let _one = network.register(0, "orders", "127.0.0.1:5001");
    network.run(Duration::from_secs(10));
    let mut answer = network.resolve(1, "orders");
    network.lose = 2;
    network.run(ms(299));
    answer.try_recv().unwrap_err();
    network.run(ms(2));
    answer.try_recv().unwrap().unwrap();
}

#[test]
fn nobody_is_the_answer_after_a_second_and_the_name_is_no_longer_watched() {
    let mut network = Network::new(1);
    let mut answers = [network.resolve(0, "orders"), network.resolve(0, "orders")];
    network.run(ms(999));
    assert!(answers.iter_mut().all(|answer| answer.try_recv().is_err()));
    network.run(ms(2));
    assert!(
        answers
            .iter_mut()
            .all(|answer| answer.try_recv().unwrap().unwrap_err().is_not_found())
    );
    assert_eq!(network.said.len(), 4, "one flight for both: {:?}", network.said);
    assert!(network.nodes[0].0.watches.is_empty());
    network.run(Duration::from_secs(100));
    assert_eq!(network.said.len(), 4);
}

#[test]
fn a_silent_instance_is_forgotten_and_a_live_one_is_kept() {
    let mut network = Network::new(3);
    let (crashed, _) = network.register(0, "orders", "127.0.0.1:5001");
    let _alive = network.register(1, "orders", "127.0.0.1:5002");
    drop(network.resolve(2, "orders"));
    network.run(ms(10));
    crashed.store(true, Ordering::Release);
    network.run(Duration::from_secs(45));
    assert_eq!(network.shown(2, "orders").len(), 2);
    network.run(Duration::from_secs(20));
    assert_eq!(network.shown(2, "orders"), ["127.0.0.1:5002"]);
}

#[test]
fn an_evicted_instance_is_gone_until_it_is_heard_of_again() {
    let mut network = Network::new(2);
    let _one = network.register(0, "orders", "127.0.0.1:5001");
    let _two = network.register(0, "stock", "127.0.0.1:5002");
    drop(network.resolve(1, "orders"));
    network.run(Duration::from_secs(5));
    let address = "127.0.0.1:5001".parse().unwrap();
    network.nodes[1].0.evict(&Name::new("orders"), address);
    assert!(network.shown(1, "orders").is_empty());
    let mut answer = network.resolve(1, "orders");
    network.run(ms(10));
    assert_eq!(answer.try_recv().unwrap().unwrap().len(), 1);
}

#[test]
fn a_name_that_nobody_uses_is_no_longer_watched() {
    let mut network = Network::new(2);
    let _one = network.register(0, "orders", "127.0.0.1:5001");
    drop(network.resolve(1, "orders"));
    for _ in 0..30 {
        network.run(Duration::from_secs(60));
        assert_eq!(network.shown(1, "orders").len(), 1, "it is used, so it stays");
    }
    network.run(Duration::from_secs(700));
    assert!(network.nodes[1].0.watches.is_empty());
}

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

/// What the first daemon answers to a query that comes from `source`.
fn answer(network: &mut Network, query: &Message, source: &str) -> Vec<Outgoing> {
    let mut out = Vec::new();
    network.nodes[0]
        .0
        .hear(query, from(source), network.now, &mut out);
    out
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
