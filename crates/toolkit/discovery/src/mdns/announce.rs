//! What this process announces, and how it answers questions about it.

use std::net::IpAddr;

use super::{
    form::Advert,
    message::{Data, DomainName, Message, NameError, Question, Record, WriteError, rtype},
};

/// The name, before the domain, under which all service types are listed (RFC 6763, 9).
const SERVICE_TYPES: &str = "_services._dns-sd._udp";

/// The domain of names that have only a service type in them.
const LOCAL: &str = "local";

/// The records of one instance.
#[derive(Clone, Debug)]
pub(super) struct Announced {
    service_types: DomainName,
    service: DomainName,
    instance: DomainName,
    host: DomainName,
    port: u16,
    addresses: Vec<IpAddr>,
    texts: Vec<Vec<u8>>,
    ttl: u32,
}

/// What of an instance cannot be written as records.
#[derive(Debug, thiserror::Error)]
pub(super) enum AdvertError {
    #[error("{what} {text:?} is no domain name: {source}")]
    Name {
        what: &'static str,
        text: String,
        source: NameError,
    },
    #[error("its records do not fit: {0}")]
    Records(WriteError),
    #[error("it listens on every address; give the one that others reach")]
    Unspecified,
    #[error("its port is 0")]
    NoPort,
}

/// A dotted text as a name; `what` says in an error what it was for.
pub(super) fn name(what: &'static str, text: &str) -> Result<DomainName, AdvertError> {
    DomainName::from_dotted(text).map_err(|source| AdvertError::Name {
        what,
        text: text.to_owned(),
        source,
    })
}

impl Announced {
    /// The records for an instance of the type `service` at `address`.
    pub(super) fn new(
        service: &str,
        advert: Advert,
        address: std::net::SocketAddr,
        ttl: u32,
    ) -> Result<Self, AdvertError> {
        if address.ip().is_unspecified() {
            return Err(AdvertError::Unspecified);
        }
        if address.port() == 0 {
            return Err(AdvertError::NoPort);
        }
        let domain = service
            .trim_end_matches('.')
            .rsplit_once('.')
            .map_or(LOCAL, |(_, domain)| domain);
        let announced = Self {
            service_types: name("the list of service types", &format!("{SERVICE_TYPES}.{domain}"))?,
            service: name("the service type", service)?,
            instance: name("the instance", &format!("{}.{service}", advert.instance))?,
            host: name("the host", &advert.host)?,
            port: address.port(),
            addresses: vec![address.ip()],
            texts: advert.texts.into_iter().map(String::into_bytes).collect(),
            ttl,
        };
        // What cannot be written is refused now, and not when somebody asks.
        announced.announcement().encode().map_err(AdvertError::Records)?;
        Ok(announced)
    }

    /// What is said without being asked: everything. The instance's own records replace older ones; the host's
    /// may be shared with other processes, and are added.
    pub(super) fn announcement(&self) -> Message {
        let mut message = Message::response();
        message.answers = vec![self.pointer(), flush(self.server()), flush(self.text())];
        message.additionals = self.hosts();
        message
    }

    /// What is said at the end. The host's addresses are not taken back, since others may share them.
    pub(super) fn goodbye(&self) -> Message {
        let mut message = self.announcement();
        message.additionals.clear();
        for record in &mut message.answers {
            record.ttl = 0;
        }
        message
    }

    /// Adds what answers `question` to `response`; `known` is what the asker knows already.
    pub(super) fn answer(&self, question: &Question, known: &[Record], response: &mut Message) {
        let wants = |rtype| question.wants(rtype);
        if question.name == self.service && wants(rtype::PTR) {
            if !is_known(&self.pointer(), known) {
                response.answers.push(self.pointer());
                response.additionals.extend([self.server(), self.text()]);
                response.additionals.extend(self.hosts());
            }
        } else if question.name == self.instance && (wants(rtype::SRV) || wants(rtype::TXT)) {
            let (asked, other): (Vec<_>, Vec<_>) = [self.server(), self.text()]
                .into_iter()
                .partition(|record| wants(record.data.rtype()));
            response.answers.extend(asked);
            response.additionals.extend(other);
            response.additionals.extend(self.hosts());
        } else if question.name == self.host {
            response.answers.extend(
                self.hosts()
                    .into_iter()
                    .filter(|record| wants(record.data.rtype())),
            );
        } else if question.name == self.service_types && wants(rtype::PTR) {
            let service = Data::Ptr(self.service.clone());
            response
                .answers
                .push(Record::new(self.service_types.clone(), self.ttl, service));
        }
    }

    fn pointer(&self) -> Record {
        Record::new(self.service.clone(), self.ttl, Data::Ptr(self.instance.clone()))
    }

    fn server(&self) -> Record {
        let data = Data::Srv {
            priority: 0,
            weight: 0,
            port: self.port,
            target: self.host.clone(),
        };
        Record::new(self.instance.clone(), self.ttl, data)
    }

    fn text(&self) -> Record {
        Record::new(self.instance.clone(), self.ttl, Data::Txt(self.texts.clone()))
    }

    fn hosts(&self) -> Vec<Record> {
        let record = |address: &IpAddr| Record::new(self.host.clone(), self.ttl, Data::from(*address));
        self.addresses.iter().map(record).collect()
    }
}

fn flush(record: Record) -> Record {
    Record {
        flush: true,
        ..record
    }
}

/// Whether the asker has this record, and will have it for a while (RFC 6762, 7.1).
fn is_known(record: &Record, known: &[Record]) -> bool {
    known.iter().any(|other| {
        other.name == record.name
            && other.data == record.data
            && u64::from(other.ttl) * 2 >= u64::from(record.ttl)
    })
}
