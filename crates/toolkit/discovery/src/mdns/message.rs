//! DNS messages as multicast DNS uses them (RFC 1035, RFC 6762): types, reading, writing.
//!
//! Reading takes any bytes: a message is understood whole or refused, and neither its size nor what it points
//! to can make the reader work for long.

mod name;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use self::{
    name::{DomainName, NameError},
    read::{ReadError, parse_message},
    write::WriteError,
};

/// The class of the Internet, the only one in use.
pub const CLASS_IN: u16 = 1;

/// Any class, in a question.
pub const CLASS_ANY: u16 = 255;

/// The numbers of record types (RFC 1035, 3596, 2782).
pub mod rtype {
    /// An IPv4 address.
    pub const A: u16 = 1;
    /// A pointer to another name.
    pub const PTR: u16 = 12;
    /// Texts.
    pub const TXT: u16 = 16;
    /// An IPv6 address.
    pub const AAAA: u16 = 28;
    /// A port and the name of a host.
    pub const SRV: u16 = 33;
    /// Any type, in a question.
    pub const ANY: u16 = 255;
}

/// The bit of the header's flags that makes a message a response.
const FLAG_RESPONSE: u16 = 0x8000;

/// The bit that says that the sender owns what it answers; set in every multicast response.
const FLAG_AUTHORITATIVE: u16 = 0x0400;

/// The top bit of a class: "unicast, please" in a question, "forget what you knew" in a record.
const CLASS_TOP: u16 = 0x8000;

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Repeated in the answer to a question of a resolver that knows nothing of multicast; 0 otherwise.
    pub id: u16,
    /// The header's flags as they are on the wire.
    pub flags: u16,
    /// What is asked.
    pub questions: Vec<Question>,
    /// What is answered, or what the asker knows already.
    pub answers: Vec<Record>,
    /// What a prober intends to claim.
    pub authorities: Vec<Record>,
    /// What goes well with the answers.
    pub additionals: Vec<Record>,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// The name that is asked about.
    pub name: DomainName,
    /// The type of record that is wanted: see [`rtype`].
    pub rtype: u16,
    /// The class, without its top bit.
    pub class: u16,
    /// The answer shall go to the asker alone.
    pub unicast: bool,
}

/// A resource record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The name it belongs to.
    pub name: DomainName,
    /// The class, without its top bit.
    pub class: u16,
    /// It replaces everything that was known under this name and type.
    pub flush: bool,
    /// How long it is valid, in seconds; 0 takes it back.
    pub ttl: u32,
    /// What it says.
    pub data: Data,
}

/// What a record says, by type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// Another name.
    Ptr(DomainName),
    /// Where a service listens.
    Srv {
        /// Lower is preferred.
        priority: u16,
        /// The share among those of one priority.
        weight: u16,
        /// The port.
        port: u16,
        /// The host.
        target: DomainName,
    },
    /// Texts of at most 255 bytes each.
    Txt(Vec<Vec<u8>>),
    /// Something else, as it is on the wire.
    Other {
        /// Its type.
        rtype: u16,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

// === impl Message ===

impl Message {
    /// A query for the given questions.
    pub fn query(questions: Vec<Question>) -> Self {
        Self {
            questions,
            ..Self::default()
        }
    }

    /// A response that says nothing yet.
    pub fn response() -> Self {
        Self {
            flags: FLAG_RESPONSE | FLAG_AUTHORITATIVE,
            ..Self::default()
        }
    }

    /// Whether it answers, as opposed to asking.
    pub fn is_response(&self) -> bool {
        self.flags & FLAG_RESPONSE != 0
    }

    /// Every record, in whatever section.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.answers
            .iter()
            .chain(&self.authorities)
            .chain(&self.additionals)
    }
}

// === impl Question ===

impl Question {
    /// A question to all about records of type `rtype` under `name`.
    pub fn new(name: DomainName, rtype: u16) -> Self {
        Self {
            name,
            rtype,
            class: CLASS_IN,
            unicast: false,
        }
    }

    /// Whether a record of type `rtype` answers it, its name aside.
    pub fn wants(&self, rtype: u16) -> bool {
        matches!(self.class, CLASS_IN | CLASS_ANY) && (self.rtype == rtype || self.rtype == rtype::ANY)
    }
}

// === impl Record ===

impl Record {
    /// A record that adds to what is known under its name.
    pub fn new(name: DomainName, ttl: u32, data: Data) -> Self {
        Self {
            name,
            class: CLASS_IN,
            flush: false,
            ttl,
            data,
        }
    }

    /// The address in it, if it holds one.
    pub fn address(&self) -> Option<IpAddr> {
        match self.data {
            Data::A(address) => Some(address.into()),
            Data::Aaaa(address) => Some(address.into()),
            _ => None,
        }
    }
}

// === impl Data ===

impl Data {
    /// The type of a record with this content.
    pub fn rtype(&self) -> u16 {
        match self {
            Self::A(_) => rtype::A,
            Self::Aaaa(_) => rtype::AAAA,
            Self::Ptr(_) => rtype::PTR,
            Self::Srv { .. } => rtype::SRV,
            Self::Txt(_) => rtype::TXT,
            Self::Other { rtype, .. } => *rtype,
        }
    }
}

impl From<IpAddr> for Data {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::A(address),
            IpAddr::V6(address) => Self::Aaaa(address),
        }
    }
}
