//! What a configuration and the environment say about traces.

use std::{fmt, time::Duration};

use super::{
    baggage::{is_token, percent_decode},
    otlp::{OtlpConfig, Protocol},
};
use crate::names;

/// The prefix of insecure and secure endpoints.
const HTTP: &str = "http://";
const HTTPS: &str = "https://";

/// The part of a configuration that the environment can fill in. Texts are as configured; empty means *not set*.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TraceSettings {
    /// The sampling rate; see [`Sampler::parse`](super::Sampler::parse).
    pub sampling_rate: String,
    /// `host:port` of an OTLP receiver.
    pub endpoint: String,
    /// `grpc` or `http`.
    pub protocol: String,
    /// Whether to speak TLS; it is the default.
    pub secure: Option<bool>,
    /// Sent along with each request.
    pub headers: Vec<(String, String)>,
    /// How long to wait for an answer.
    pub timeout: Option<Duration>,
}

/// Why settings were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A header list of the environment has no `=`, a bad name or a broken escape. The value may be a secret and is not
    /// repeated.
    #[error(
        "{variable}: entry {index}: expected name=value with a token as name and a percent-encoded value"
    )]
    Header {
        /// The variable.
        variable: &'static str,
        /// Which entry, from 1.
        index: usize,
    },
    /// A time-out of the environment is not an integer.
    #[error("{variable}: {value:?} is not a number of milliseconds")]
    Timeout {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// The protocol is neither of the two.
    #[error("{0:?} is no protocol for an OTLP endpoint: grpc or http")]
    Protocol(String),
}

impl TraceSettings {
    /// Fills in from the environment.
    ///
    /// A configured endpoint stands; without one, that of the environment is used, with its protocol and security, and
    /// everything is sampled unless a rate was configured. Headers and the time-out of the environment apply where none
    /// are configured. A variable for traces wins over the one for all signals; an empty variable is none.
    pub fn with_env(mut self, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let env = Env(&lookup);
        if self.endpoint.is_empty()
            && let Some((_, endpoint)) = env.first(names::OTEL_TRACES_ENDPOINT, names::OTEL_ENDPOINT)
        {
            self.take_endpoint(&endpoint, &env);
        }
        if self.headers.is_empty()
            && let Some((variable, list)) = env.first(names::OTEL_TRACES_HEADERS, names::OTEL_HEADERS)
        {
            self.headers = parse_headers(variable, &list)?;
        }
        if self.timeout.is_none()
            && let Some((variable, value)) = env.first(names::OTEL_TRACES_TIMEOUT, names::OTEL_TIMEOUT)
        {
            self.timeout = parse_timeout(variable, &value)?;
        }
        Ok(self)
    }

    /// The OTLP exporter that these settings ask for, if any.
    pub fn otlp(&self) -> Result<Option<OtlpConfig>, SettingsError> {
        if self.endpoint.is_empty() || self.protocol.is_empty() {
            return Ok(None);
        }
        let protocol = match self.protocol.as_str() {
            "grpc" => Protocol::Grpc,
            "http" => Protocol::Http,
            other => return Err(SettingsError::Protocol(other.to_owned())),
        };
        Ok(Some(OtlpConfig {
            protocol,
            endpoint: self.endpoint.clone(),
            secure: self.secure.unwrap_or(true),
            headers: self.headers.clone(),
            timeout: self.timeout,
        }))
    }

    fn take_endpoint(&mut self, endpoint: &str, env: &Env<'_>) {
        let bare = endpoint
            .strip_prefix(HTTP)
            .or_else(|| endpoint.strip_prefix(HTTPS));
        bare.unwrap_or(endpoint).clone_into(&mut self.endpoint);
        let insecure = env.first(names::OTEL_TRACES_INSECURE, names::OTEL_INSECURE);
        if endpoint.starts_with(HTTP) || insecure.is_some_and(|(_, value)| value == "true") {
            self.secure = Some(false);
        }
        let protocol = env.first(names::OTEL_TRACES_PROTOCOL, names::OTEL_PROTOCOL);
        // "http/json" is answered with protobuf: every receiver of the one takes the other.
        let http = protocol.is_some_and(|(_, value)| value.starts_with("http"));
        self.protocol = if http { "http" } else { "grpc" }.to_owned();
        if self.sampling_rate.is_empty() {
            self.sampling_rate = "1".to_owned();
        }
    }
}

/// Header values are often keys: only their names are shown.
impl fmt::Debug for TraceSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| &**name).collect();
        f.debug_struct("TraceSettings")
            .field("sampling_rate", &self.sampling_rate)
            .field("endpoint", &self.endpoint)
            .field("protocol", &self.protocol)
            .field("secure", &self.secure)
            .field("headers", &names)
            .field("timeout", &self.timeout)
            .finish()
    }
}

struct Env<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Env<'_> {
    /// The first of two variables that is set and not empty, and its name.
    fn first(&self, one: &'static str, other: &'static str) -> Option<(&'static str, String)> {
        let set = |name: &'static str| {
            (self.0)(name)
                .filter(|value| !value.is_empty())
                .map(|value| (name, value))
        };
        set(one).or_else(|| set(other))
    }
}

fn parse_headers(variable: &'static str, list: &str) -> Result<Vec<(String, String)>, SettingsError> {
    let entries = list.split(',').enumerate().map(|(i, entry)| {
        let decoded = entry.split_once('=').and_then(|(name, value)| {
            let value = String::from_utf8(percent_decode(value)?).ok()?;
            let name = name.trim();
            is_token(name).then(|| (name.to_owned(), value.trim().to_owned()))
        });
        let index = i + 1;
        decoded.ok_or(SettingsError::Header { variable, index })
    });
    entries.collect()
}

/// Zero and less mean *not set*, as in the system we replace.
fn parse_timeout(variable: &'static str, value: &str) -> Result<Option<Duration>, SettingsError> {
    let milliseconds: i64 = value.parse().map_err(|_| SettingsError::Timeout {
        variable,
        value: value.to_owned(),
    })?;
    let positive = u64::try_from(milliseconds).ok().filter(|n| *n > 0);
    Ok(positive.map(Duration::from_millis))
}
