//! The log of the program, in Dapr's form.

use std::{borrow::Cow, path::Path, sync::Arc, time::Duration};

use outrigger_base_clock::SystemClock;
use outrigger_base_std::BoxError;
use outrigger_base_telemetry::log::{Config, Layout, LogLayer, Output, Rotation, Scopes};
use outrigger_wire_names::{flags as names, version};
use tracing_subscriber::{Registry, layer::SubscriberExt};

use super::flags::Flags;

/// Scope of the runtime's own lines, and what every scope begins with.
const RUNTIME_SCOPE: &str = "dapr.runtime";
const SCOPE_PREFIX: &str = "dapr.";
/// Bytes of a megabyte, and seconds of a day.
const MEGABYTE: u64 = 1 << 20;
const DAY: u64 = 24 * 3600;
/// Scope of lines that components write.
const COMPONENT_SCOPE: &str = "dapr.contrib";

/// Crates whose lines are the runtime's, and those of components.
const RUNTIME_CRATES: [&str; 15] = [
    "outrigger",
    "outrigger_base_task",
    "outrigger_base_telemetry",
    "outrigger_transport",
    "outrigger_discovery",
    "outrigger_resource_manifest",
    "outrigger_runtime_host",
    "outrigger_runtime_channel",
    "outrigger_runtime_peer",
    "outrigger_runtime_api",
    "outrigger_runtime_api_http",
    "outrigger_runtime_api_grpc",
    "outrigger_runtime_delivery",
    "outrigger_runtime_node",
    "outrigger_engine_routing",
];
/// Prefix of the crates of components.
const COMPONENT_CRATES: [&str; 8] = [
    "outrigger_component_memory",
    "outrigger_component_sqlite",
    "outrigger_component_redis",
    "outrigger_component_local",
    "outrigger_component_broker",
    "outrigger_block_state",
    "outrigger_block_pubsub",
    "outrigger_block_secret",
];

/// Makes the flags' log the program's.
pub(crate) fn install(flags: &Flags, app_id: &str, host_name: &str) -> Result<(), BoxError> {
    let (layer, _) = LogLayer::open(config(flags, app_id, host_name)?, Arc::new(SystemClock))?;
    tracing::subscriber::set_global_default(Registry::default().with(layer))?;
    Ok(())
}

fn config(flags: &Flags, app_id: &str, host_name: &str) -> Result<Config, BoxError> {
    let file = Some(flags.text(names::LOG_FILE))
        .filter(|file| !file.is_empty())
        .map(Path::new);
    let positive = |name| {
        u64::try_from(flags.number(name))
            .ok()
            .filter(|number| *number > 0)
    };
    let timestamp = match flags.text(names::LOG_TIMESTAMP_FORMAT) {
        "" => Layout::rfc3339_nano(),
        layout => Layout::parse(layout)?,
    };
    Ok(Config {
        level: flags.text(names::LOG_LEVEL).parse()?,
        json: flags.is_set(names::LOG_AS_JSON),
        outputs: Output::parse_list(flags.text(names::LOG_OUTPUTS), file),
        rotation: Rotation {
            max_size_bytes: positive(names::LOG_FILE_MAX_SIZE)
                .map(|megabytes| megabytes.saturating_mul(MEGABYTE)),
            max_backups: positive(names::LOG_FILE_MAX_BACKUPS).and_then(|count| usize::try_from(count).ok()),
            max_age: positive(names::LOG_FILE_MAX_AGE)
                .map(|days| Duration::from_secs(days.saturating_mul(DAY))),
        },
        timestamp,
        context: context(app_id, host_name),
        scopes: scopes(),
        ..Config::default()
    })
}

fn context(app_id: &str, host_name: &str) -> Vec<(Cow<'static, str>, String)> {
    let pairs = [
        ("app_id", app_id),
        ("instance", host_name),
        ("ver", version::DAPR),
    ];
    let given = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    given
        .map(|(key, value)| (Cow::Borrowed(key), value.to_owned()))
        .collect()
}

fn scopes() -> Scopes {
    let runtime = RUNTIME_CRATES
        .iter()
        .map(|path| (Cow::Borrowed(*path), Cow::Borrowed(RUNTIME_SCOPE)));
    let components = COMPONENT_CRATES
        .iter()
        .map(|path| (Cow::Borrowed(*path), Cow::Borrowed(COMPONENT_SCOPE)));
    Scopes {
        prefix: Cow::Borrowed(SCOPE_PREFIX),
        modules: runtime.chain(components).collect(),
        foreign: Some(Cow::Borrowed(RUNTIME_SCOPE)),
    }
}
