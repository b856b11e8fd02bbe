//! The settings that both components share (components.md §0.3 decoder B, §2.1, §5).
//!
//! Numbers without a unit are milliseconds, booleans are Go's, as in Dapr. Settings of a connection pool have no
//! meaning for one multiplexed connection: they are checked, told once at debug level, and have no effect.

mod host;

use std::{fmt, time::Duration};

use outrigger_base_std::Secret;
use outrigger_block_kit::{OpenError, Properties};

pub(crate) use host::Host;

/// How long making a connection may take (`dialTimeout`). The default of Dapr's client.
const DIAL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take (`readTimeout`, `writeTimeout`). The default of Dapr's client.
const CALL_TIMEOUT: Duration = Duration::from_secs(3);
/// How often a call is repeated (`redisMaxRetries`). The default of Dapr's client.
const RETRIES: u32 = 3;
/// The shortest and the longest pause between two tries. The defaults of Dapr's client.
const MIN_PAUSE: Duration = Duration::from_millis(8);
const MAX_PAUSE: Duration = Duration::from_millis(512);
/// The shortest pause of the state component, which has its own default there. Capped by the longest one.
const STATE_MIN_PAUSE: Duration = Duration::from_secs(2);

/// What the component is; a few legacy names belong to one kind only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `state.redis`.
    State,
    /// `pubsub.redis`.
    PubSub,
}

/// Where the servers are and how they stand together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Topology {
    /// One server.
    Node(Host),
    /// Sentinels that know the master of this name.
    Sentinel { sentinels: Vec<Host>, master: String },
    /// Some nodes of a cluster.
    Cluster(Vec<Host>),
}

/// Who we are to a server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Credentials {
    /// The ACL user; the default user when empty.
    pub(crate) username: String,
    /// The password; none when empty.
    pub(crate) password: Secret,
}

/// How connections are encrypted.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    /// Whether any certificate will do.
    pub(crate) insecure: bool,
    /// Our own certificate chain and key, in PEM.
    pub(crate) identity: Option<(String, Secret)>,
}

/// How calls are repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retry {
    /// Tries after the first one.
    pub(crate) times: u32,
    /// The shortest pause; none at all when zero.
    pub(crate) min: Duration,
    /// The longest pause.
    pub(crate) max: Duration,
}

/// What it takes to reach Redis.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) topology: Topology,
    pub(crate) credentials: Credentials,
    pub(crate) sentinel_credentials: Credentials,
    pub(crate) database: i64,
    pub(crate) tls: Option<Tls>,
    pub(crate) retry: Retry,
    /// `None`: no limit.
    pub(crate) dial_timeout: Option<Duration>,
    /// How long a read may take; `None`: no limit.
    pub(crate) read_timeout: Option<Duration>,
    /// How long a write may take; `None`: no limit.
    pub(crate) write_timeout: Option<Duration>,
}

impl Settings {
    /// Reads the settings; every one of them is checked, used or not.
    pub(crate) fn new(properties: &Properties, kind: Kind) -> Result<Self, OpenError> {
        refuse_unbuilt(properties)?;
        let read_timeout = limit(properties, "readTimeout", CALL_TIMEOUT)?;
        let write_timeout = match properties.millis_duration("writeTimeout")? {
            None => read_timeout,
            Some(given) => given.map(|given| if given.is_zero() { CALL_TIMEOUT } else { given }),
        };
        check_pool_settings(properties)?;
        Ok(Self {
            topology: topology(properties)?,
            credentials: Credentials::read(properties, "redisUsername", "redisPassword"),
            sentinel_credentials: Credentials::read(properties, "sentinelUsername", "sentinelPassword"),
            database: properties.number("redisDB")?.unwrap_or(0),
            tls: tls(properties)?,
            retry: retry(properties, kind)?,
            dial_timeout: limit(properties, "dialTimeout", DIAL_TIMEOUT)?,
            read_timeout,
            write_timeout,
        })
    }

    /// Where the servers are, for messages.
    pub(crate) fn place(&self) -> String {
        let join = |hosts: &[Host]| {
            hosts
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(",")
        };
        match &self.topology {
            Topology::Node(host) => host.to_string(),
            Topology::Sentinel { sentinels, master } => {
                format!("{master} of the sentinels {}", join(sentinels))
            }
            Topology::Cluster(hosts) => join(hosts),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("place", &self.place())
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    fn read(properties: &Properties, username: &str, password: &str) -> Self {
        Self {
            username: properties.get(username).unwrap_or_default().to_owned(),
            password: Secret::new(properties.get(password).unwrap_or_default()),
        }
    }
}

/// What another build may do, said plainly rather than ignored.
fn refuse_unbuilt(properties: &Properties) -> Result<(), OpenError> {
    for (name, what) in [
        (
            "useEntraID",
            "useEntraID (Microsoft Entra ID authentication to Redis)",
        ),
        (
            "useAzureAD",
            "useAzureAD (Microsoft Entra ID authentication to Redis)",
        ),
        ("useOIDC", "useOIDC (OpenID Connect authentication to Redis)"),
    ] {
        if properties.strict_flag(name)? == Some(true) {
            return Err(OpenError::Unsupported(what.to_owned()));
        }
    }
    Ok(())
}

/// A time limit: unset or zero means the default, negative means none.
fn limit(
    properties: &Properties,
    name: &'static str,
    default: Duration,
) -> Result<Option<Duration>, OpenError> {
    Ok(match properties.millis_duration(name)? {
        None => Some(default),
        Some(given) => given.map(|given| if given.is_zero() { default } else { given }),
    })
}

fn topology(properties: &Properties) -> Result<Topology, OpenError> {
    let failover = properties.strict_flag("failover")?.unwrap_or(false);
    let cluster = match properties.get("redisType").unwrap_or_default() {
        "" | "node" => false,
        "sentinel" if failover => false,
        "cluster" => true,
        other => {
            return Err(OpenError::invalid(
                "redisType",
                format!("{other:?} is neither \"node\" nor \"cluster\""),
            ));
        }
    };
    let mut hosts = host::hosts(properties)?;
    match (failover, cluster) {
        (true, true) => Err(OpenError::Unsupported(
            "failover together with redisType \"cluster\"".to_owned(),
        )),
        (true, false) => Ok(Topology::Sentinel {
            sentinels: hosts,
            master: properties
                .non_empty("sentinelMasterName")
                .ok_or_else(|| OpenError::Missing("failover needs sentinelMasterName".to_owned()))?
                .to_owned(),
        }),
        (false, true) => Ok(Topology::Cluster(hosts)),
        (false, false) if hosts.len() > 1 => Err(OpenError::invalid(
            "redisHost",
            "several hosts need redisType \"cluster\", or failover",
        )),
        (false, false) => Ok(Topology::Node(hosts.remove(0))),
    }
}

fn tls(properties: &Properties) -> Result<Option<Tls>, OpenError> {
    let insecure = properties.strict_flag("insecureSkipTLSVerify")?.unwrap_or(false);
    if properties.strict_flag("enableTLS")? != Some(true) {
        return Ok(None);
    }
    let identity = match (
        properties.non_empty("clientCert"),
        properties.non_empty("clientKey"),
    ) {
        (Some(chain), Some(key)) => Some((chain.to_owned(), Secret::new(key))),
        _ => None,
    };
    Ok(Some(Tls { insecure, identity }))
}

fn retry(properties: &Properties, kind: Kind) -> Result<Retry, OpenError> {
    let legacy = kind == Kind::State;
    let times = match properties.number::<i64>("redisMaxRetries")? {
        None if legacy => properties.number::<i64>("maxRetries")?,
        given => given,
    };
    let pause = |name, default| {
        Ok::<_, OpenError>(match properties.millis_duration(name)? {
            Some(None) => Duration::ZERO,
            None | Some(Some(Duration::ZERO)) => default,
            Some(Some(given)) => given,
        })
    };
    let min = match (legacy, properties.non_empty("redisMinRetryInterval")) {
        // The old name counts nanoseconds.
        (true, None) => properties
            .number::<u64>("maxRetryBackoff")?
            .map_or(STATE_MIN_PAUSE, Duration::from_nanos),
        _ => pause("redisMinRetryInterval", MIN_PAUSE)?,
    };
    Ok(Retry {
        times: match times {
            None | Some(0) => RETRIES,
            Some(given) => u32::try_from(given).unwrap_or(0),
        },
        min,
        max: pause("redisMaxRetryInterval", MAX_PAUSE)?,
    })
}

/// Settings of Dapr's connection pool.
fn check_pool_settings(properties: &Properties) -> Result<(), OpenError> {
    for name in ["poolSize", "minIdleConns"] {
        properties.number::<i64>(name)?;
    }
    for name in ["maxConnAge", "poolTimeout", "idleTimeout", "idleCheckFrequency"] {
        properties.millis_duration(name)?;
    }
    let given: Vec<_> = POOL
        .into_iter()
        .filter(|name| properties.non_empty(name).is_some())
        .collect();
    if !given.is_empty() {
        tracing::debug!(
            settings = given.join(","),
            "pool settings have no effect: calls share one multiplexed connection"
        );
    }
    Ok(())
}

/// The names that [`check_pool_settings`] tells of.
const POOL: [&str; 6] = [
    "poolSize",
    "minIdleConns",
    "maxConnAge",
    "poolTimeout",
    "idleTimeout",
    "idleCheckFrequency",
];

#[cfg(test)]
mod tests;
