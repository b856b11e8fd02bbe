//! What was heard of the instances of one name.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6},
    time::Duration,
};

use tokio::time::Instant;

use super::message::{Data, DomainName, Message, Question, Record, rtype};
use crate::{Endpoint, Metadata};

/// How many instances of one name are remembered. Whoever can send datagrams could announce any number.
const INSTANCES_LIMIT: usize = 1024;

/// How many addresses of one host are remembered.
const ADDRESSES_LIMIT: usize = 16;

/// The instances of one name, as far as heard of.
#[derive(Debug)]
pub(super) struct Heard {
    service: DomainName,
    instances: HashMap<DomainName, Facts>,
    /// The longest time that something heard is believed.
    believe: Duration,
}

/// What is known of one instance. Records may come in several messages.
#[derive(Debug)]
struct Facts {
    server: Option<(DomainName, u16)>,
    texts: Option<Vec<Vec<u8>>>,
    addresses: Vec<(IpAddr, u32)>,
    until: Instant,
}

impl Heard {
    pub(super) fn new(service: DomainName, believe: Duration) -> Self {
        Self {
            service,
            instances: HashMap::new(),
            believe,
        }
    }

    /// The question that finds the instances.
    pub(super) fn question(&self) -> Question {
        Question::new(self.service.clone(), rtype::PTR)
    }

    /// Takes in what a response, heard on interface `link`, says about instances. Returns questions whose answers
    /// are missing.
    pub(super) fn hear(&mut self, message: &Message, link: u32, now: Instant) -> Vec<Question> {
        let mut touched = Vec::new();
        for record in message.records() {
            if let Some(instance) = self.hear_record(record, now) {
                touched.push(instance);
            }
        }
        self.hear_addresses(message, &touched, link);
        self.missing(&touched)
    }

    /// Takes in one record about an instance, and says which.
    fn hear_record(&mut self, record: &Record, now: Instant) -> Option<DomainName> {
        let instance = match &record.data {
            Data::Ptr(instance) if record.name == self.service && instance.is_below(&self.service) => {
                instance
            }
            Data::Srv { .. } | Data::Txt(_) if record.name.is_below(&self.service) => &record.name,
            _ => return None,
        };
        if record.ttl == 0 {
            self.instances.remove(instance);
            return None;
        }
        if self.instances.len() >= INSTANCES_LIMIT && !self.instances.contains_key(instance) {
            return None;
        }
        let until = now + self.believe.min(Duration::from_secs(record.ttl.into()));
        let empty = || Facts {
            server: None,
            texts: None,
            addresses: Vec::new(),
            until,
        };
        let facts = self.instances.entry(instance.clone()).or_insert_with(empty);
        facts.until = facts.until.max(until);
        match &record.data {
            Data::Srv { port, target, .. } => facts.set_server(target, *port),
            Data::Txt(texts) => facts.texts = Some(texts.clone()),
            _ => {}
        }
        Some(instance.clone())
    }

    /// Takes in the addresses in a message: they are those of the instances it is about, whatever was known before;
    /// other instances on the same host take them only if they have none. (Several processes may announce one host
    /// name, each with the address it is reached at.)
    fn hear_addresses(&mut self, message: &Message, touched: &[DomainName], link: u32) {
        for (instance, facts) in &mut self.instances {
            let Some((host, _)) = &facts.server else { continue };
            if !facts.addresses.is_empty() && !touched.contains(instance) {
                continue;
            }
            let on_host = message
                .records()
                .filter(|record| record.name == *host && record.ttl > 0);
            let mut heard: Vec<(IpAddr, u32)> = Vec::new();
            for address in on_host.filter_map(Record::address).take(ADDRESSES_LIMIT) {
                heard.push((address, link));
            }
            if !heard.is_empty() {
                facts.addresses = heard;
            }
        }
    }

    /// What has to be asked for to complete the facts about `instances`.
    fn missing(&self, instances: &[DomainName]) -> Vec<Question> {
        let mut questions = Vec::new();
        for instance in instances {
            let Some(facts) = self.instances.get(instance) else {
                continue;
            };
            let wanted = match &facts.server {
                _ if facts.texts.is_none() => vec![(instance, rtype::ANY)],
                None => vec![(instance, rtype::ANY)],
                Some((host, _)) if facts.addresses.is_empty() => vec![(host, rtype::A), (host, rtype::AAAA)],
                Some(_) => vec![],
            };
            for (name, rtype) in wanted {
                let question = Question::new(name.clone(), rtype);
                if !questions.contains(&question) {
                    questions.push(question);
                }
            }
        }
        questions
    }

    /// Forgets what was not heard again in time; says whether anything was.
    pub(super) fn expire(&mut self, now: Instant) -> bool {
        let before = self.instances.len();
        self.instances.retain(|_, facts| facts.until > now);
        self.instances.len() != before
    }

    /// When the next instance is forgotten.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.instances.values().map(|facts| facts.until).min()
    }

    /// Forgets every instance at `address`.
    pub(super) fn evict(&mut self, address: SocketAddr) {
        self.instances.retain(|_, facts| facts.address() != Some(address));
    }

    /// Whether no instance was heard of.
    pub(super) fn is_empty(&self) -> bool {
        self.instances.is_empty()
    }

    /// The instances that are known well enough, and whose texts `accepts` likes; by address, so that the same
    /// instances make the same list.
    pub(super) fn endpoints(&self, accepts: impl Fn(&[Vec<u8>]) -> bool) -> Vec<Endpoint> {
        let mut endpoints: Vec<Endpoint> = self
            .instances
            .values()
            .filter(|facts| facts.texts.as_deref().is_some_and(&accepts))
            .filter_map(|facts| Some(Endpoint::new(facts.address()?).with_metadata(facts.metadata())))
            .collect();
        endpoints.sort_by_key(|endpoint| endpoint.address);
        endpoints.dedup_by_key(|endpoint| endpoint.address);
        endpoints
    }
}

impl Facts {
    fn set_server(&mut self, target: &DomainName, port: u16) {
        // Addresses belong to a host: those of another one do not count any more.
        if self.server.as_ref().is_some_and(|(known, _)| known != target) {
            self.addresses.clear();
        }
        self.server = Some((target.clone(), port));
    }

    /// Where the instance listens: an IPv4 address is preferred, then an IPv6 one that means the same
    /// everywhere, then one that needs its interface.
    fn address(&self) -> Option<SocketAddr> {
        let (_, port) = self.server.as_ref()?;
        let rank = |address: &IpAddr| match address {
            IpAddr::V4(_) => 0,
            IpAddr::V6(address) if !is_link_local(address) => 1,
            IpAddr::V6(_) => 2,
        };
        let (address, link) = self.addresses.iter().min_by_key(|(address, _)| rank(address))?;
        Some(match address {
            IpAddr::V6(address) if is_link_local(address) => {
                SocketAddrV6::new(*address, *port, 0, *link).into()
            }
            address => SocketAddr::new(*address, *port),
        })
    }

    /// The texts of the form `key=value`.
    fn metadata(&self) -> Metadata {
        let texts = self
            .texts
            .iter()
            .flatten()
            .filter_map(|text| std::str::from_utf8(text).ok());
        Metadata::from_iter(texts.filter_map(|text| text.split_once('=')))
    }
}

fn is_link_local(address: &Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfe80
}
