//! Writing a message.

use std::collections::HashMap;

use super::{CLASS_TOP, Data, DomainName, Message, Question, Record};

/// The furthest place that a pointer can name.
const POINTER_LIMIT: usize = 0x3fff;

/// A message that has no form on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// A text of more than 255 bytes.
    #[error("a text has {0} bytes, which is more than 255")]
    LongText(usize),
    /// More records, or longer ones, than a count of two bytes can tell.
    #[error("the message is too large")]
    TooLarge,
}

impl Message {
    /// The message as it is on the wire. Names that occur again are written as pointers, except those of hosts,
    /// where some readers do not expect them.
    ///
    /// # Errors
    ///
    /// When it has no such form.
    pub fn encode(&self) -> Result<Vec<u8>, WriteError> {
        let mut writer = Writer {
            bytes: Vec::with_capacity(512),
            written: HashMap::new(),
        };
        writer.u16(self.id);
        writer.u16(self.flags);
        writer.count(self.questions.len())?;
        for section in [&self.answers, &self.authorities, &self.additionals] {
            writer.count(section.len())?;
        }
        for question in &self.questions {
            writer.question(question);
        }
        for record in self.records() {
            writer.record(record)?;
        }
        Ok(writer.bytes)
    }
}

struct Writer {
    bytes: Vec<u8>,
    /// Where the ends of names were written, in lower case.
    written: HashMap<Vec<u8>, u16>,
}

impl Writer {
    fn question(&mut self, question: &Question) {
        self.name(&question.name);
        self.u16(question.rtype);
        self.u16(question.class & !CLASS_TOP | if question.unicast { CLASS_TOP } else { 0 });
    }

    fn record(&mut self, record: &Record) -> Result<(), WriteError> {
        self.name(&record.name);
        self.u16(record.data.rtype());
        self.u16(record.class & !CLASS_TOP | if record.flush { CLASS_TOP } else { 0 });
        self.bytes.extend_from_slice(&record.ttl.to_be_bytes());
        let place = self.bytes.len();
        self.u16(0);
        self.data(&record.data)?;
        let len = u16::try_from(self.bytes.len() - place - 2).map_err(|_| WriteError::TooLarge)?;
        self.bytes[place..place + 2].copy_from_slice(&len.to_be_bytes());
        Ok(())
    }

    fn data(&mut self, data: &Data) -> Result<(), WriteError> {
        match data {
            Data::A(address) => self.bytes.extend_from_slice(&address.octets()),
            Data::Aaaa(address) => self.bytes.extend_from_slice(&address.octets()),
            Data::Ptr(name) => self.name(name),
            Data::Srv {
                priority,
                weight,
                port,
                target,
            } => {
                for number in [*priority, *weight, *port] {
                    self.u16(number);
                }
                self.whole_name(target);
            }
            Data::Txt(texts) => {
                for text in texts {
                    let len = u8::try_from(text.len()).map_err(|_| WriteError::LongText(text.len()))?;
                    self.bytes.push(len);
                    self.bytes.extend_from_slice(text);
                }
            }
            Data::Other { bytes, .. } => self.bytes.extend_from_slice(bytes),
        }
        Ok(())
    }

    fn name(&mut self, name: &DomainName) {
        for suffix in name.suffixes() {
            let key = suffix.to_ascii_lowercase();
            if let Some(place) = self.written.get(&key) {
                let pointer = 0xc000 | place;
                return self.u16(pointer);
            }
            match u16::try_from(self.bytes.len()) {
                Ok(place) if usize::from(place) <= POINTER_LIMIT => {
                    self.written.insert(key, place);
                }
                _ => {}
            }
            self.bytes.extend_from_slice(&suffix[..=usize::from(suffix[0])]);
        }
        self.bytes.push(0);
    }

    fn whole_name(&mut self, name: &DomainName) {
        if let Some(wire) = name.suffixes().next() {
            self.bytes.extend_from_slice(wire);
        }
        self.bytes.push(0);
    }

    fn count(&mut self, count: usize) -> Result<(), WriteError> {
        self.u16(u16::try_from(count).map_err(|_| WriteError::TooLarge)?);
        Ok(())
    }

    fn u16(&mut self, number: u16) {
        self.bytes.extend_from_slice(&number.to_be_bytes());
    }
}
