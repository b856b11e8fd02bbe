//! How long a value lives.

use std::time::Duration;

use outrigger_wire_names::cloud_event::TTL_IN_SECONDS;

use crate::Metadata;

/// What a write says of the value's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ttl {
    /// Nothing was said.
    Unset,
    /// The value lives for ever; an earlier end is lifted (`-1`, and `0`).
    Forever,
    /// The value is gone after this long. At least a second.
    After(Duration),
}

/// The text is not a time to live.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "incorrect value for metadata 'ttlInSeconds': {text:?} is not a whole number of seconds from -1 to 2147483647"
)]
pub struct TtlError {
    /// The text as given.
    pub text: String,
}

impl Ttl {
    /// Reads `ttlInSeconds` (any case) from a request's metadata.
    pub fn from_metadata(metadata: &Metadata) -> Result<Self, TtlError> {
        let found = metadata.get(TTL_IN_SECONDS).or_else(|| {
            metadata
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(TTL_IN_SECONDS))
                .map(|(_, value)| value)
        });
        let Some(text) = found.filter(|text| !text.is_empty()) else {
            return Ok(Self::Unset);
        };
        match text.parse::<i64>() {
            Ok(-1 | 0) => Ok(Self::Forever),
            Ok(seconds @ 1..=0x7FFF_FFFF) => Ok(Self::After(Duration::from_secs(seconds as u64))),
            _ => Err(TtlError { text: text.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_seconds_and_refuses_the_rest() {
        let of =
            |text: &str| Ttl::from_metadata(&Metadata::from([("TTLInSeconds".to_owned(), text.to_owned())]));
        assert_eq!(of("10"), Ok(Ttl::After(Duration::from_secs(10))));
        assert_eq!(of("-1"), Ok(Ttl::Forever));
        assert_eq!(of(""), Ok(Ttl::Unset));
        for bad in ["foo", "-2", "1.5", "2147483648"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
