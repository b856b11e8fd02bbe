//! Where a server is: `redisHost` and `redisPort`.

use std::fmt;

use outrigger_block_kit::{OpenError, Properties};

/// The port of a host that names none when `redisPort` does not either.
const DEFAULT_PORT: u16 = 6379;
/// The host when none is named, as Dapr's client has it.
const DEFAULT_HOST: &str = "localhost";

/// A host and its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    /// A name or an address, without brackets.
    pub(crate) name: String,
    /// The port.
    pub(crate) port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(':') {
            write!(f, "[{}]:{}", self.name, self.port)
        } else {
            write!(f, "{}:{}", self.name, self.port)
        }
    }
}

/// The hosts that the properties name, at least one.
pub(super) fn hosts(properties: &Properties) -> Result<Vec<Host>, OpenError> {
    let port = properties.number::<u16>("redisPort")?.filter(|port| *port != 0);
    let Some(list) = properties.non_empty("redisHost") else {
        tracing::warn!("redisHost is not set: connecting to {DEFAULT_HOST}");
        return Ok(vec![host(DEFAULT_HOST, port)?]);
    };
    list.split(',').map(|text| host(text.trim(), port)).collect()
}

fn host(text: &str, default: Option<u16>) -> Result<Host, OpenError> {
    let invalid = |reason: String| OpenError::invalid("redisHost", reason);
    let (name, port) = split(text);
    if name.is_empty() {
        return Err(invalid(format!("{text:?} names no host")));
    }
    let port = match port {
        None => default.unwrap_or(DEFAULT_PORT),
        Some(port) => port
            .parse()
            .map_err(|_| invalid(format!("{port:?} in {text:?} is not a port")))?,
    };
    match default {
        Some(other) if other != port => Err(invalid(format!(
            "{text:?} already contains port {port}, but redisPort is set to {other}; remove one of them"
        ))),
        _ => Ok(Host {
            name: name.to_owned(),
            port,
        }),
    }
}

/// Takes `host:port`, `[v6]:port`, `[v6]`, `v6` and `host` apart.
fn split(text: &str) -> (&str, Option<&str>) {
    if let Some((name, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (name, rest.strip_prefix(':'));
    }
    match text.split_once(':') {
        Some((name, port)) if !port.contains(':') => (name, Some(port)),
        _ => (text, None),
    }
}
