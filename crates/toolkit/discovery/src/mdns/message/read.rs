//! Reading a message.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{CLASS_TOP, Data, DomainName, Message, Question, Record, name::NameError, rtype};

/// How often one name may point back to an earlier one. Writers need two or three; without a bound a message
/// could be built whose names take long to follow.
const POINTERS_LIMIT: usize = 16;

/// Bytes that are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It ends too early.
    #[error("the message ends within a field")]
    Truncated,
    /// A pointer that does not point back, or too many.
    #[error("a name points forward or in circles")]
    Pointer,
    /// A label of a kind that is not in use.
    #[error("a label is of an unknown kind")]
    LabelKind,
    /// A name that cannot be.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A record whose content is shorter or longer than it says.
    #[error("a record's content does not fill its length")]
    Content,
}

/// Reads a message out of a datagram. What follows the last record is ignored.
///
/// # Errors
///
/// When the bytes are no DNS message. No input makes it panic or run for long.
pub fn parse_message(bytes: &[u8]) -> Result<Message, ReadError> {
    let mut reader = Reader { bytes, at: 0 };
    let (id, flags) = (reader.u16()?, reader.u16()?);
    let [questions, answers, authorities, additionals] =
        [reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?];
    Ok(Message {
        id,
        flags,
        questions: (0..questions)
            .map(|_| reader.question())
            .collect::<Result<_, _>>()?,
        answers: reader.records(answers)?,
        authorities: reader.records(authorities)?,
        additionals: reader.records(additionals)?,
    })
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn question(&mut self) -> Result<Question, ReadError> {
        let (name, rtype, class) = (self.name()?, self.u16()?, self.u16()?);
        Ok(Question {
            name,
            rtype,
            class: class & !CLASS_TOP,
            unicast: class & CLASS_TOP != 0,
        })
    }

    fn records(&mut self, count: u16) -> Result<Vec<Record>, ReadError> {
        // Each takes at least eleven bytes, so the datagram bounds what is collected, not the count.
        (0..count).map(|_| self.record()).collect()
    }

    fn record(&mut self) -> Result<Record, ReadError> {
        let (name, rtype, class, ttl) = (self.name()?, self.u16()?, self.u16()?, self.u32()?);
        let len = usize::from(self.u16()?);
        let end = self
            .at
            .checked_add(len)
            .filter(|end| *end <= self.bytes.len())
            .ok_or(ReadError::Truncated)?;
        let data = self.data(rtype, end)?;
        if self.at != end {
            return Err(ReadError::Content);
        }
        Ok(Record {
            name,
            class: class & !CLASS_TOP,
            flush: class & CLASS_TOP != 0,
            ttl,
            data,
        })
    }

    fn data(&mut self, rtype: u16, end: usize) -> Result<Data, ReadError> {
        Ok(match rtype {
            rtype::A => Data::A(Ipv4Addr::from(self.u32()?)),
            rtype::AAAA => {
                let bytes = self.take(16)?;
                Data::Aaaa(Ipv6Addr::from(
                    <[u8; 16]>::try_from(bytes).map_err(|_| ReadError::Truncated)?,
                ))
            }
            rtype::PTR => Data::Ptr(self.name()?),
            rtype::SRV => Data::Srv {
                priority: self.u16()?,
                weight: self.u16()?,
                port: self.u16()?,
                target: self.name()?,
            },
            rtype::TXT => Data::Txt(self.texts(end)?),
            rtype => Data::Other {
                rtype,
                bytes: self.take(end.saturating_sub(self.at))?.to_vec(),
            },
        })
    }

    fn texts(&mut self, end: usize) -> Result<Vec<Vec<u8>>, ReadError> {
        let mut texts = Vec::new();
        while self.at < end {
            let len = usize::from(self.u8()?);
            texts.push(self.take(len)?.to_vec());
        }
        Ok(texts)
    }

    /// Reads a name, and follows the pointers in it. Each must point further back than the one before, so that
    /// there is an end.
    fn name(&mut self) -> Result<DomainName, ReadError> {
        let mut name = DomainName::default();
        let (mut at, mut after, mut pointers) = (self.at, None, 0);
        let mut limit = self.at;
        loop {
            let first = *self.bytes.get(at).ok_or(ReadError::Truncated)?;
            match first {
                0 => {
                    self.at = after.unwrap_or(at + 1);
                    return Ok(name);
                }
                1..=63 => {
                    let label = self
                        .bytes
                        .get(at + 1..at + 1 + usize::from(first))
                        .ok_or(ReadError::Truncated)?;
                    name.push(label)?;
                    at += 1 + label.len();
                }
                0xc0.. => {
                    let second = *self.bytes.get(at + 1).ok_or(ReadError::Truncated)?;
                    let target = usize::from(u16::from_be_bytes([first & 0x3f, second]));
                    pointers += 1;
                    if target >= limit || pointers > POINTERS_LIMIT {
                        return Err(ReadError::Pointer);
                    }
                    after.get_or_insert(at + 2);
                    (at, limit) = (target, target);
                }
                _ => return Err(ReadError::LabelKind),
            }
        }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], ReadError> {
        let end = self.at.checked_add(len).ok_or(ReadError::Truncated)?;
        let bytes = self.bytes.get(self.at..end).ok_or(ReadError::Truncated)?;
        self.at = end;
        Ok(bytes)
    }

    fn u8(&mut self) -> Result<u8, ReadError> {
        Ok(self.take(1)?[0])
    }

    fn u16(&mut self) -> Result<u16, ReadError> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn u32(&mut self) -> Result<u32, ReadError> {
        let bytes = self.take(4)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }
}
