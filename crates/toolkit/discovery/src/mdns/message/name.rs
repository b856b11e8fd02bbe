//! Domain names.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

/// The longest label, in bytes: the upper bits of its length have another meaning (RFC 1035, 2.3.4).
pub(super) const LABEL_LIMIT: usize = 63;

/// The longest name, in bytes on the wire, its end included (RFC 1035, 2.3.4).
pub(super) const NAME_LIMIT: usize = 255;

/// A domain name: equal to any that differs only in the case of ASCII letters.
#[derive(Clone, Default)]
pub struct DomainName {
    /// Labels as they are on the wire, each after its length, without the empty one at the end. A length is
    /// below 64 and therefore no letter: comparing bytes without regard to case compares names.
    wire: Vec<u8>,
}

/// Text that is no domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Two dots in a row, or nothing at all.
    #[error("a label is empty")]
    EmptyLabel,
    /// Labels have at most 63 bytes.
    #[error("a label has {0} bytes, which is more than 63")]
    LongLabel(usize),
    /// Names have at most 255 bytes.
    #[error("the name is longer than 255 bytes")]
    LongName,
}

impl DomainName {
    /// Reads a name whose labels are separated by dots; one at the end does not count.
    ///
    /// # Errors
    ///
    /// When it is no name.
    pub fn from_dotted(text: &str) -> Result<Self, NameError> {
        let mut name = Self::default();
        for label in text.strip_suffix('.').unwrap_or(text).split('.') {
            name.push(label.as_bytes())?;
        }
        Ok(name)
    }

    /// Adds a label at the end.
    ///
    /// # Errors
    ///
    /// When the label or the whole becomes too long.
    pub fn push(&mut self, label: &[u8]) -> Result<(), NameError> {
        match u8::try_from(label.len()) {
            Ok(0) => Err(NameError::EmptyLabel),
            Ok(len) if label.len() <= LABEL_LIMIT => {
                if self.wire.len() + 1 + label.len() + 1 > NAME_LIMIT {
                    return Err(NameError::LongName);
                }
                self.wire.push(len);
                self.wire.extend_from_slice(label);
                Ok(())
            }
            _ => Err(NameError::LongLabel(label.len())),
        }
    }

    /// The labels, from the most special to the most general.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        self.suffixes().map(|wire| &wire[1..=usize::from(wire[0])])
    }

    /// Whether this is a name somewhere below `parent`.
    pub fn is_below(&self, parent: &Self) -> bool {
        self.suffixes()
            .skip(1)
            .any(|suffix| suffix.eq_ignore_ascii_case(&parent.wire))
    }

    /// What remains of the wire form when labels are taken off at the front, one after the other.
    pub(super) fn suffixes(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::successors(Some(self.wire.as_slice()), |wire| {
            let len = usize::from(*wire.first()?);
            wire.get(1 + len..)
        })
        .filter(|wire| !wire.is_empty())
    }
}

impl PartialEq for DomainName {
    fn eq(&self, other: &Self) -> bool {
        self.wire.eq_ignore_ascii_case(&other.wire)
    }
}

impl Eq for DomainName {}

impl Hash for DomainName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in &self.wire {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for label in self.labels() {
            write!(f, "{}.", label.escape_ascii())?;
        }
        if self.wire.is_empty() {
            f.write_str(".")
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
