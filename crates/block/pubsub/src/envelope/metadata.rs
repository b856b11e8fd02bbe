//! What publish and subscription metadata say of the envelope.

use std::time::Duration;

use outrigger_base_clock::Timestamp;
use outrigger_base_std::go;
use outrigger_wire_names::cloud_event;

use super::EnvelopeError;
use crate::{Feature, Metadata};

/// How long the message lives, if the metadata `ttl` or `ttlInSeconds` (any case) says so: a Go duration, or whole
/// seconds above zero. What cannot be read counts as not said, as it does with the peers.
pub fn ttl(metadata: &Metadata) -> Option<Duration> {
    let text = cloud_event::TTL_KEYS.iter().find_map(|key| {
        let mut pairs = metadata.iter();
        pairs
            .find(|(name, _)| name.eq_ignore_ascii_case(key))
            .map(|(_, value)| value)
    })?;
    if let Ok(nanos) = go::parse_duration_nanos(text) {
        // Negative durations mean that the message is over at once.
        return Some(Duration::from_nanos(
            u64::try_from(nanos.max(0)).unwrap_or(u64::MAX),
        ));
    }
    text.parse::<i64>()
        .ok()
        .filter(|seconds| *seconds > 0)
        .and_then(|seconds| u64::try_from(seconds).ok())
        .map(Duration::from_secs)
}

/// When the envelope must say that the message ends: a time to live was asked for and the broker cannot keep it itself.
pub fn expiration(metadata: &Metadata, features: &[Feature], now: Timestamp) -> Option<Timestamp> {
    if metadata.is_empty() || features.contains(&Feature::MessageTtl) {
        return None;
    }
    let ttl = ttl(metadata)?;
    Some(now.saturating_add(ttl).unwrap_or(Timestamp::MAX))
}

/// Whether the metadata asks for the payload without an envelope (publishing) or says that there is none (subscribing).
pub fn is_raw_payload(metadata: &Metadata) -> Result<bool, EnvelopeError> {
    match metadata
        .get(cloud_event::RAW_PAYLOAD)
        .filter(|text| !text.is_empty())
    {
        None => Ok(false),
        Some(text) => go::parse_bool(text).ok_or_else(|| EnvelopeError::RawPayload(text.clone())),
    }
}

/// Attributes that publish metadata sets (`cloudevent.id`, … in any case). An empty text asks for the default.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Overrides<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) source: Option<&'a str>,
    pub(super) event_type: Option<&'a str>,
    pub(super) subject: Option<&'a str>,
    pub(super) trace_id: Option<&'a str>,
    pub(super) trace_parent: Option<&'a str>,
    pub(super) trace_state: Option<&'a str>,
}

impl<'a> Overrides<'a> {
    /// Where one name is there in several cases, the lower-case one counts: it is the last in the map's order.
    pub(super) fn of(metadata: &'a Metadata) -> Self {
        let mut found = Self::default();
        for (name, value) in metadata {
            let Some(attribute) = without_prefix(name, cloud_event::OVERRIDE_PREFIX) else {
                continue;
            };
            if let Some(place) = found.place(attribute) {
                *place = Some(value);
            }
        }
        found
    }

    fn place(&mut self, attribute: &str) -> Option<&mut Option<&'a str>> {
        let is = |name: &str| attribute.eq_ignore_ascii_case(name);
        match attribute {
            _ if is(cloud_event::ID) => Some(&mut self.id),
            _ if is(cloud_event::SOURCE) => Some(&mut self.source),
            _ if is(cloud_event::TYPE) => Some(&mut self.event_type),
            _ if is(cloud_event::SUBJECT) => Some(&mut self.subject),
            _ if is(cloud_event::TRACE_ID) => Some(&mut self.trace_id),
            _ if is(cloud_event::TRACE_PARENT) => Some(&mut self.trace_parent),
            _ if is(cloud_event::TRACE_STATE) => Some(&mut self.trace_state),
            _ => None,
        }
    }
}

/// What stands after `prefix`, compared without regard to case.
pub(super) fn without_prefix<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, tail) = name.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(pairs: &[(&str, &str)]) -> Metadata {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_ttl_is_a_duration_or_seconds() {
        let of = |name: &str, text: &str| ttl(&metadata(&[(name, text)]));
        assert_eq!(of("ttlInSeconds", "10"), Some(Duration::from_secs(10)));
        assert_eq!(of("TTLINSECONDS", "1m"), Some(Duration::from_secs(60)));
        assert_eq!(of("ttl", "0"), Some(Duration::ZERO));
        assert_eq!(of("ttl", "-3s"), Some(Duration::ZERO));
        assert_eq!(of("ttl", "-3"), None);
        assert_eq!(of("ttl", "soon"), None);
        assert_eq!(of("other", "10"), None);
        let both = metadata(&[("ttl", "1s"), ("ttlInSeconds", "9")]);
        assert_eq!(ttl(&both), Some(Duration::from_secs(1)));
    }

    #[test]
    fn an_expiration_stands_only_where_the_broker_has_no_ttl() {
        let now = Timestamp::UNIX_EPOCH;
        let asked = metadata(&[("ttlInSeconds", "10")]);
        assert_eq!(
            expiration(&asked, &[], now),
            Some(Timestamp::from_second(10).unwrap())
        );
        assert_eq!(expiration(&asked, &[Feature::MessageTtl], now), None);
        assert_eq!(expiration(&Metadata::new(), &[], now), None);
        let endless = metadata(&[("ttlInSeconds", "9223372036854775807")]);
        assert_eq!(expiration(&endless, &[], now), Some(Timestamp::MAX));
    }

    #[test]
    fn raw_payload_is_a_strict_boolean() {
        assert!(is_raw_payload(&metadata(&[("rawPayload", "T")])).unwrap());
        assert!(!is_raw_payload(&metadata(&[("rawPayload", "")])).unwrap());
        assert!(!is_raw_payload(&metadata(&[("rawpayload", "true")])).unwrap());
        let error = is_raw_payload(&metadata(&[("rawPayload", "yes")])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "rawPayload value must be a valid boolean: actual is 'yes'"
        );
    }

    #[test]
    fn overrides_are_found_in_any_case_and_the_lower_case_one_counts() {
        let metadata = metadata(&[
            ("CloudEvent.ID", "upper"),
            ("cloudevent.id", "lower"),
            ("cloudevent.TraceParent", "tp"),
            ("cloudevent.color", "red"),
            ("cloudéevent.id", "no"),
        ]);
        let found = Overrides::of(&metadata);
        assert_eq!(
            found,
            Overrides {
                id: Some("lower"),
                trace_parent: Some("tp"),
                ..Overrides::default()
            }
        );
    }
}
