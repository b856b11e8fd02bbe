//! The `tracestate` header: a list of members that vendors hand along.

use std::sync::Arc;

/// Receivers must take this many bytes; longer ones are not sent (W3C Trace Context 3.3.1.5, and the system we
/// replace).
pub const MAX_TRACESTATE_LEN: usize = 512;

/// Members a list may have (W3C Trace Context 3.3.1.1).
const MAX_MEMBERS: usize = 32;
/// Characters of a key (3.3.1.3.1), and of the two parts of a key with a tenant.
const MAX_KEY: usize = 256;
const MAX_TENANT: usize = 241;
const MAX_SYSTEM: usize = 14;
/// Characters of a value (3.3.1.3.2).
const MAX_VALUE: usize = 256;

/// A well-formed `tracestate`; empty when there was none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct TraceState(Option<Arc<str>>);

impl TraceState {
    /// Nothing to hand along.
    pub const EMPTY: Self = Self(None);

    /// Reads the header; `None` when any member is malformed or a key comes twice, upon which the whole list is to be
    /// dropped.
    pub fn parse(text: &str) -> Option<Self> {
        let mut members: Vec<&str> = Vec::new();
        let mut tidy = true;
        for raw in text.split(',') {
            let member = raw.trim_matches([' ', '\t']);
            tidy &= member.len() == raw.len() && !member.is_empty();
            if member.is_empty() {
                continue;
            }
            let (key, value) = member.split_once('=')?;
            let twice = members.iter().any(|other| key_of(other) == key);
            if twice || !is_key(key) || !is_value(value) || members.len() == MAX_MEMBERS {
                return None;
            }
            members.push(member);
        }
        Some(match (members.is_empty(), tidy) {
            (true, _) => Self::EMPTY,
            (false, true) => Self(Some(text.into())),
            (false, false) => Self(Some(members.join(",").into())),
        })
    }

    /// The text; empty when there is none.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// The text to send, if any and not too long.
    pub fn header(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| text.len() <= MAX_TRACESTATE_LEN)
    }
}

fn key_of(member: &str) -> &str {
    member.split_once('=').map_or(member, |(key, _)| key)
}

fn is_key(key: &str) -> bool {
    let part = |text: &str, digit_in_front: bool, max: usize| {
        let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"_-*/".contains(&c);
        let starts = |c: u8| c.is_ascii_lowercase() || (digit_in_front && c.is_ascii_digit());
        text.len() <= max && text.bytes().next().is_some_and(starts) && text.bytes().all(fits)
    };
    match key.split_once('@') {
        None => part(key, false, MAX_KEY),
        Some((tenant, system)) => part(tenant, true, MAX_TENANT) && part(system, false, MAX_SYSTEM),
    }
}

fn is_value(value: &str) -> bool {
    let printable = |c: u8| (b' '..=b'~').contains(&c) && c != b',' && c != b'=';
    !value.is_empty() && value.len() <= MAX_VALUE && !value.ends_with(' ') && value.bytes().all(printable)
}
