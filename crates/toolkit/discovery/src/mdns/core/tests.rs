//! The daemon's core on a network of this test's: every message is written and read, time is invented.

mod foreign;
mod records;

use super::*;
use crate::mdns::{
    IdForm,
    message::{DomainName, parse_message},
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

/// What the first daemon answers to a query that comes from `source`.
fn answer(network: &mut Network, query: &Message, source: &str) -> Vec<Outgoing> {
    let mut out = Vec::new();
    network.nodes[0]
        .0
        .hear(query, from(source), network.now, &mut out);
    out
}
