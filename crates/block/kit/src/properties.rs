//! The metadata of a component, and the two ways in which its texts become values.
//!
//! Dapr's components read their metadata with one of two decoders that disagree about durations and booleans
//! (components.md §0.3). Nearly all use the first ([`Properties::duration`], [`Properties::flag`]); the Redis family
//! and retry settings use the second ([`Properties::millis_duration`], [`Properties::strict_flag`]).

use std::{str::FromStr, time::Duration};

use outrigger_base_std::{go, quantity};

use crate::OpenError;

/// Resolved metadata: names are compared without regard to case, values are text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Properties(Vec<(String, String)>);

impl Properties {
    /// Properties from pairs, in their order.
    pub fn new<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }

    /// The value of `name`, if it is set; the first one where it is set twice.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The value of the first of `names` that is set (a property and its aliases).
    pub fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    /// The value of `name` when it is set and not empty.
    pub fn non_empty(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Every pair, as given.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Sets `name`, replacing an earlier value.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self.0.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name)) {
            Some(entry) => entry.1 = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// A truthy word (`y yes true t on 1`); anything else, or nothing, is false.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(go::is_truthy)
    }

    /// A boolean as `strconv.ParseBool` reads it; anything else is an error.
    pub fn strict_flag(&self, name: &'static str) -> Result<Option<bool>, OpenError> {
        self.parsed(name, |text| {
            go::parse_bool(text).ok_or_else(|| format!("{text:?} is not true or false"))
        })
    }

    /// A Go duration, or whole seconds.
    pub fn duration(&self, name: &'static str) -> Result<Option<Duration>, OpenError> {
        self.parsed(name, |text| match text.parse::<u64>() {
            Ok(seconds) => Ok(Duration::from_secs(seconds)),
            Err(_) => go::parse_duration(text).map_err(|error| format!("{error}, or whole seconds")),
        })
    }

    /// Whole milliseconds, or a Go duration; negative means off (`None` inside).
    pub fn millis_duration(&self, name: &'static str) -> Result<Option<Option<Duration>>, OpenError> {
        self.parsed(name, |text| match text.parse::<i64>() {
            Ok(millis) => Ok(u64::try_from(millis).ok().map(Duration::from_millis)),
            Err(_) => go::parse_duration(text)
                .map(Some)
                .map_err(|error| format!("{error}, or whole milliseconds")),
        })
    }

    /// A number.
    pub fn number<N: FromStr>(&self, name: &'static str) -> Result<Option<N>, OpenError> {
        self.parsed(name, |text| {
            text.trim()
                .parse()
                .map_err(|_| format!("{text:?} is not a number in its range"))
        })
    }

    /// A byte count (`100Mi`, `1k`).
    pub fn bytes(&self, name: &'static str) -> Result<Option<i64>, OpenError> {
        self.parsed(name, |text| {
            quantity::parse_bytes(text).map_err(|error| error.to_string())
        })
    }

    /// A list, split on commas, not trimmed.
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.non_empty(name)
            .map(|text| text.split(',').collect())
            .unwrap_or_default()
    }

    fn parsed<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, OpenError> {
        match self.non_empty(name) {
            None => Ok(None),
            Some(text) => parse(text)
                .map(Some)
                .map_err(|reason| OpenError::invalid(name, reason)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_in_any_case_and_the_first_wins() {
        let properties = Properties::new([("RedisHost", "a"), ("redishost", "b")]);
        assert_eq!(properties.get("redisHost"), Some("a"));
    }

    #[test]
    fn the_two_decoders_disagree_as_documented() {
        let properties = Properties::new([
            ("t", "5"),
            ("off", "-1"),
            ("go", "1m"),
            ("on", "yes"),
            ("bad", "soon"),
        ]);
        assert_eq!(properties.duration("t").unwrap(), Some(Duration::from_secs(5)));
        assert_eq!(
            properties.millis_duration("t").unwrap(),
            Some(Some(Duration::from_millis(5)))
        );
        assert_eq!(properties.millis_duration("off").unwrap(), Some(None));
        assert_eq!(properties.duration("go").unwrap(), Some(Duration::from_secs(60)));
        assert!(properties.flag("on"));
        assert!(properties.strict_flag("on").is_err());
        let error = properties.duration("bad").unwrap_err().to_string();
        assert!(
            error.starts_with("property bad: \"soon\" is not a duration"),
            "{error}"
        );
    }
}
