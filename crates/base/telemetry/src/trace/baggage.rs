//! The W3C `baggage` header, which is checked and passed on as it came.

/// Bytes of a whole header (OpenTelemetry's limit, which the system we replace applies).
const MAX_BYTES: usize = 8_192;
/// Bytes of one member.
const MAX_MEMBER_BYTES: usize = 4_096;
/// Members of a header.
const MAX_MEMBERS: usize = 180;

/// A well-formed baggage header, unchanged to the byte: members are percent-encoded and re-encoding them would change
/// what others compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baggage(String);

/// Why a baggage header was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaggageError {
    /// The whole is too long.
    #[error("{0} bytes, at most {MAX_BYTES} are allowed")]
    TooLong(usize),
    /// A member is too long.
    #[error("member {index}: {length} bytes, at most {MAX_MEMBER_BYTES} are allowed")]
    MemberTooLong {
        /// Which member, from 1.
        index: usize,
        /// Its bytes.
        length: usize,
    },
    /// Too many members.
    #[error("{0} members, at most {MAX_MEMBERS} are allowed")]
    TooMany(usize),
    /// A member is not `key=value` with optional properties.
    #[error("member {index}: expected key=value with a token as key and a percent-encoded value: {member:?}")]
    Member {
        /// Which member, from 1.
        index: usize,
        /// The member.
        member: String,
    },
}

impl Baggage {
    /// Checks a header; several headers are to be joined by commas first.
    pub fn parse(header: &str) -> Result<Self, BaggageError> {
        if header.len() > MAX_BYTES {
            return Err(BaggageError::TooLong(header.len()));
        }
        let mut count = 0;
        if !header.is_empty() {
            for (i, member) in header.split(',').enumerate() {
                check_member(i + 1, member)?;
                count = i + 1;
            }
        }
        if count > MAX_MEMBERS {
            return Err(BaggageError::TooMany(count));
        }
        Ok(Self(header.to_owned()))
    }

    /// The header as it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_member(index: usize, member: &str) -> Result<(), BaggageError> {
    if member.len() > MAX_MEMBER_BYTES {
        let length = member.len();
        return Err(BaggageError::MemberTooLong { index, length });
    }
    let mut parts = member.split(';');
    let pair = parts.next().and_then(|pair| pair.split_once('='));
    let pair_fits = pair.is_some_and(|(key, value)| is_token(key.trim()) && is_value(value.trim()));
    if pair_fits && parts.all(is_property) {
        return Ok(());
    }
    Err(BaggageError::Member {
        index,
        member: member.to_owned(),
    })
}

/// `key` or `key=value`.
fn is_property(text: &str) -> bool {
    match text.split_once('=') {
        None => is_token(text.trim()),
        Some((key, value)) => is_token(key.trim()) && is_value(value.trim()),
    }
}

/// A token of RFC 9110.
pub(crate) fn is_token(text: &str) -> bool {
    let fits = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
    !text.is_empty() && text.bytes().all(fits)
}

/// `baggage-octet`s of the specification, with whole percent escapes.
fn is_value(value: &str) -> bool {
    let octet = |c: u8| c.is_ascii_graphic() && !b"\",;\\".contains(&c);
    value.bytes().all(octet) && percent_decode(value).is_some()
}

/// Resolves `%XX`; `None` when an escape is cut short or not hex.
pub(crate) fn percent_decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(c) = rest.next() {
        if c != b'%' {
            bytes.push(c);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push((high << 4 | low) as u8);
    }
    Some(bytes)
}
