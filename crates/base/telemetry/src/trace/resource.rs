//! Who the spans are from.

use super::baggage::percent_decode;
use crate::names;

/// Attributes of the process that all its spans share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resource(Vec<(String, String)>);

impl Resource {
    /// A service of this name.
    pub fn new(service: impl Into<String>) -> Self {
        Self(vec![(names::ATTRIBUTE_SERVICE_NAME.to_owned(), service.into())])
    }

    /// Overrides from the environment: `OTEL_RESOURCE_ATTRIBUTES` (`key=value,…`, values percent-encoded), and above it
    /// `OTEL_SERVICE_NAME`. Also returns the pairs that were not understood, for a warning.
    #[must_use]
    pub fn with_env(mut self, lookup: impl Fn(&str) -> Option<String>) -> (Self, Vec<String>) {
        let mut ignored = Vec::new();
        let pairs = lookup(names::OTEL_RESOURCE_ATTRIBUTES).unwrap_or_default();
        for pair in pairs.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some((key, value)) if !key.trim().is_empty() => self.set(key.trim(), decoded(value.trim())),
                _ => ignored.push(pair.to_owned()),
            }
        }
        let service = lookup(names::OTEL_SERVICE_NAME).filter(|name| !name.trim().is_empty());
        if let Some(service) = service {
            self.set(names::ATTRIBUTE_SERVICE_NAME, service.trim().to_owned());
        }
        (self, ignored)
    }

    /// All attributes.
    pub fn attributes(&self) -> &[(String, String)] {
        &self.0
    }

    /// The name of the service; empty when none was given.
    pub fn service_name(&self) -> &str {
        let service = self
            .0
            .iter()
            .find(|(key, _)| key == names::ATTRIBUTE_SERVICE_NAME);
        service.map_or("", |(_, value)| value)
    }

    fn set(&mut self, key: &str, value: String) {
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, slot)) => *slot = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }
}

/// A value with a broken escape is meant as it stands (OpenTelemetry's Go SDK does the same).
fn decoded(value: &str) -> String {
    percent_decode(value)
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_else(|| value.to_owned())
}
