//! From flags and environment to settings.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use outrigger_base_std::{Secret, go, quantity};
use outrigger_resource_manifest::Env;
use outrigger_runtime_api_http::Cors;
use outrigger_runtime_channel::{Protocol, Settings as AppSettings, health};
use outrigger_wire_names::{environment, flags as names};

use super::flags::Flags;

/// Bytes that Go's server grants on top of the head limit.
const HEAD_SLOP: i64 = 4096;
/// The largest head that is worth a limit.
const HEAD_MAX: i64 = 1 << 30;

/// What a sidecar runs with.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) app_id: String,
    pub(crate) namespace: String,
    pub(crate) http_port: u16,
    pub(crate) grpc_port: u16,
    pub(crate) listen: Vec<IpAddr>,
    pub(crate) unix_dir: Option<PathBuf>,
    pub(crate) internal: SocketAddr,
    pub(crate) public: Option<SocketAddr>,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) app: Option<AppSettings>,
    pub(crate) app_max_concurrency: Option<usize>,
    pub(crate) app_health: Option<health::Options>,
    pub(crate) resources: Vec<PathBuf>,
    pub(crate) configs: Vec<PathBuf>,
    pub(crate) max_body: Option<u64>,
    pub(crate) max_head: usize,
    pub(crate) api_token: Option<Secret>,
    pub(crate) cors: Cors,
    pub(crate) log_calls: Option<bool>,
    pub(crate) graceful: Duration,
    pub(crate) block: Option<Duration>,
    pub(crate) skip_config: bool,
    pub(crate) skip_subscribe: bool,
    pub(crate) h2c: bool,
    pub(crate) wait: bool,
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// A flag's value.
    #[error("invalid value for '{flag}' option: {reason}")]
    Flag { flag: &'static str, reason: String },
    /// A flag that has to be there.
    #[error("{0}")]
    Required(&'static str),
}

impl Settings {
    /// Settings from flags and the environment.
    pub(crate) fn new(flags: &Flags, env: &dyn Env) -> Result<Self, SettingsError> {
        let wait = flags.is_set(names::WAIT);
        let app_id = flags.text(names::APP_ID).to_owned();
        check_disseminate_timeout(flags)?;
        if !wait {
            check_mode(flags)?;
            check_app_id(&app_id)?;
        }
        let secret = |name| env.var(name).filter(|text| !text.is_empty()).map(Secret::from);
        let max_head = head_bytes(flags)?;
        let skipped = skipped_init_calls(flags)?;
        Ok(Self {
            namespace: env.var(environment::NAMESPACE).unwrap_or_default(),
            http_port: port(flags, names::DAPR_HTTP_PORT)?,
            grpc_port: port(flags, names::DAPR_GRPC_PORT)?,
            listen: addresses(flags)?,
            unix_dir: Some(flags.text(names::UNIX_DOMAIN_SOCKET))
                .filter(|dir| !dir.is_empty())
                .map(PathBuf::from),
            internal: SocketAddr::new(
                address(flags, names::DAPR_INTERNAL_GRPC_LISTEN_ADDRESS)?,
                port(flags, names::DAPR_INTERNAL_GRPC_PORT)?,
            ),
            public: match flags.text(names::DAPR_PUBLIC_PORT) {
                "" => None,
                _ => Some(SocketAddr::new(
                    address(flags, names::DAPR_PUBLIC_LISTEN_ADDRESS)?,
                    port(flags, names::DAPR_PUBLIC_PORT)?,
                )),
            },
            metrics: match flags.is_set(names::ENABLE_METRICS) {
                false => None,
                true => Some(SocketAddr::new(
                    address(flags, names::METRICS_LISTEN_ADDRESS)?,
                    port(flags, names::METRICS_PORT)?,
                )),
            },
            app: app(flags, &app_id, secret(environment::APP_API_TOKEN), max_head)?,
            app_max_concurrency: usize::try_from(flags.number(names::APP_MAX_CONCURRENCY))
                .ok()
                .filter(|limit| *limit > 0),
            app_health: flags
                .is_set(names::ENABLE_APP_HEALTH_CHECK)
                .then(|| app_health(flags)),
            resources: resources(flags),
            configs: flags
                .list(names::CONFIG)
                .iter()
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)
                .collect(),
            max_body: body_bytes(flags)?,
            max_head,
            api_token: secret(environment::DAPR_API_TOKEN),
            cors: Cors::parse(flags.text(names::ALLOWED_ORIGINS)),
            log_calls: flags
                .given(names::ENABLE_API_LOGGING)
                .then(|| flags.is_set(names::ENABLE_API_LOGGING)),
            graceful: graceful(flags),
            block: block(flags),
            skip_config: skipped.config,
            skip_subscribe: skipped.subscribe,
            h2c: !env
                .var(environment::DAPR_HTTP_DISABLE_H2C)
                .is_some_and(|text| go::is_truthy(&text)),
            app_id,
            wait,
        })
    }
}

fn check_mode(flags: &Flags) -> Result<(), SettingsError> {
    match flags.text(names::MODE) {
        "standalone" => Ok(()),
        "kubernetes" => Err(invalid(
            "mode",
            "Kubernetes mode is not built into this version of Outrigger; use standalone",
        )),
        other => Err(invalid(
            "mode",
            format!("{other:?} is unknown; expected standalone"),
        )),
    }
}

fn check_app_id(app_id: &str) -> Result<(), SettingsError> {
    if app_id.is_empty() {
        return Err(SettingsError::Required("app-id parameter cannot be empty"));
    }
    if app_id.contains('.') {
        return Err(invalid(names::APP_ID, "parameter app-id cannot contain dots"));
    }
    Ok(())
}

/// Checked though no actors are built: who mistypes it should not learn that only from a sidecar that has them.
fn check_disseminate_timeout(flags: &Flags) -> Result<(), SettingsError> {
    let text = flags.text(names::ACTORS_DISSEMINATE_TIMEOUT);
    match go::parse_duration_nanos(text) {
        Ok(nanos) if nanos > 0 => Ok(()),
        _ => Err(invalid(
            names::ACTORS_DISSEMINATE_TIMEOUT,
            format!("must be positive, got {text}"),
        )),
    }
}

/// Initial calls of the app that are left out.
#[derive(Debug, Default)]
struct SkippedCalls {
    config: bool,
    subscribe: bool,
}

/// Names in any case, with blanks around them or nothing between two commas.
fn skipped_init_calls(flags: &Flags) -> Result<SkippedCalls, SettingsError> {
    let mut skipped = SkippedCalls::default();
    for name in flags.list(names::DISABLE_INIT_ENDPOINTS) {
        match name.trim().to_lowercase().as_str() {
            "" => {}
            "config" => skipped.config = true,
            "subscribe" => skipped.subscribe = true,
            other => {
                return Err(invalid(
                    names::DISABLE_INIT_ENDPOINTS,
                    format!("{other:?} is unknown; expected config or subscribe"),
                ));
            }
        }
    }
    Ok(skipped)
}

fn invalid(flag: &'static str, reason: impl Into<String>) -> SettingsError {
    SettingsError::Flag {
        flag,
        reason: reason.into(),
    }
}

/// A port; an empty text is 0, which takes a free one.
fn port(flags: &Flags, name: &'static str) -> Result<u16, SettingsError> {
    let text = flags.text(name).trim();
    if text.is_empty() {
        return Ok(0);
    }
    text.parse()
        .map_err(|_| invalid(name, format!("{text:?} is not a port; expected 0 to 65535")))
}

/// An address; an empty text is all of them.
fn address(flags: &Flags, name: &'static str) -> Result<IpAddr, SettingsError> {
    parse_address(flags.text(name)).map_err(|reason| invalid(name, reason))
}

fn parse_address(text: &str) -> Result<IpAddr, String> {
    match text.trim().trim_matches(['[', ']']) {
        "" => Ok(any_address()),
        "localhost" => Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        text => text.parse().map_err(|_| format!("{text:?} is not an IP address")),
    }
}

/// Every address of this host: both families where there is IPv6.
fn any_address() -> IpAddr {
    match std::net::TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)) {
        Ok(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        Err(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    }
}

fn addresses(flags: &Flags) -> Result<Vec<IpAddr>, SettingsError> {
    let list = flags.text(names::DAPR_LISTEN_ADDRESSES);
    list.split(',')
        .map(|text| parse_address(text).map_err(|reason| invalid(names::DAPR_LISTEN_ADDRESSES, reason)))
        .collect()
}

fn app(
    flags: &Flags,
    app_id: &str,
    token: Option<Secret>,
    max_head: usize,
) -> Result<Option<AppSettings>, SettingsError> {
    let port = port(flags, names::APP_PORT)?;
    if port == 0 {
        return Ok(None);
    }
    let protocol: Protocol = flags.text(names::APP_PROTOCOL).parse().map_err(|error| {
        let error: outrigger_runtime_channel::ProtocolError = error;
        invalid(names::APP_PROTOCOL, error.to_string())
    })?;
    Ok(Some(AppSettings {
        address: flags.text(names::APP_CHANNEL_ADDRESS).to_owned(),
        port,
        protocol: if flags.is_set(names::APP_SSL) {
            protocol.with_tls()
        } else {
            protocol
        },
        token,
        app_id: app_id.to_owned(),
        max_head,
        max_body: body_bytes(flags)?
            .and_then(|max| usize::try_from(max).ok())
            .unwrap_or(usize::MAX >> 1),
    }))
}

/// 0 means the default for all three numbers.
fn app_health(flags: &Flags) -> health::Options {
    let default = health::Options::default();
    let positive = |name| {
        u64::try_from(flags.number(name))
            .ok()
            .filter(|number| *number > 0)
    };
    health::Options {
        path: flags.text(names::APP_HEALTH_CHECK_PATH).to_owned(),
        interval: positive(names::APP_HEALTH_PROBE_INTERVAL).map_or(default.interval, Duration::from_secs),
        timeout: positive(names::APP_HEALTH_PROBE_TIMEOUT).map_or(default.timeout, Duration::from_millis),
        threshold: positive(names::APP_HEALTH_THRESHOLD)
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(default.threshold),
    }
}

fn resources(flags: &Flags) -> Vec<PathBuf> {
    let given = flags.list(names::RESOURCES_PATH);
    let old = flags.text(names::COMPONENTS_PATH).to_owned();
    given
        .iter()
        .cloned()
        .chain(given.is_empty().then_some(old))
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .collect()
}

/// The body limit; the newer flag comes first.
fn body_bytes(flags: &Flags) -> Result<Option<u64>, SettingsError> {
    let bytes = if flags.given(names::MAX_BODY_SIZE) || !flags.given(names::DAPR_HTTP_MAX_REQUEST_SIZE) {
        let text = flags.text(names::MAX_BODY_SIZE);
        quantity::parse_bytes(text).map_err(|error| invalid(names::MAX_BODY_SIZE, error.to_string()))?
    } else {
        flags
            .number(names::DAPR_HTTP_MAX_REQUEST_SIZE)
            .saturating_mul(1 << 20)
    };
    Ok(u64::try_from(bytes).ok().filter(|bytes| *bytes > 0))
}

fn head_bytes(flags: &Flags) -> Result<usize, SettingsError> {
    let bytes = if flags.given(names::READ_BUFFER_SIZE) || !flags.given(names::DAPR_HTTP_READ_BUFFER_SIZE) {
        let text = flags.text(names::READ_BUFFER_SIZE);
        quantity::parse_bytes(text).map_err(|error| invalid(names::READ_BUFFER_SIZE, error.to_string()))?
    } else {
        flags
            .number(names::DAPR_HTTP_READ_BUFFER_SIZE)
            .saturating_mul(1 << 10)
    };
    let bytes = if bytes <= 0 {
        HEAD_MAX
    } else {
        bytes.saturating_add(HEAD_SLOP).min(HEAD_MAX)
    };
    usize::try_from(bytes).map_err(|_| invalid(names::READ_BUFFER_SIZE, "too large"))
}

/// A negative time is the default.
fn graceful(flags: &Flags) -> Duration {
    u64::try_from(flags.number(names::DAPR_GRACEFUL_SHUTDOWN_SECONDS))
        .map_or(Duration::from_secs(5), Duration::from_secs)
}

fn block(flags: &Flags) -> Option<Duration> {
    let text = flags.text(names::DAPR_BLOCK_SHUTDOWN_DURATION);
    go::parse_duration(text)
        .ok()
        .filter(|duration| !duration.is_zero())
}

#[cfg(test)]
mod tests;
