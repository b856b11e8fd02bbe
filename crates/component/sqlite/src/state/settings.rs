//! The properties of `state.sqlite` (components.md §5.1), checked.

use std::time::Duration;

use outrigger_base_std::go;
use outrigger_block_kit::{OpenError, Properties};

use crate::{connection::Connector, connection_string, connection_string::ConnectionString, migrate::Tables};

/// `timeout` when it is not set, as in Dapr: how long a call may take.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);
/// The least `timeout` that Dapr takes.
const MIN_TIMEOUT: Duration = Duration::from_secs(1);
/// `busyTimeout` when it is not set, as in Dapr: how long SQLite waits for another process's lock.
const DEFAULT_BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest wait for a lock that SQLite can count, in its own unit: 24 days. More is taken as this.
const MAX_BUSY_TIMEOUT: Duration = Duration::from_millis(i32::MAX as u64);
/// `tableName` when it is not set.
const DEFAULT_TABLE: &str = "state";
/// `metadataTableName` when it is not set.
const DEFAULT_METADATA_TABLE: &str = "metadata";

/// Validated properties.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// How to connect.
    pub(super) connector: Connector,
    /// Where the rows are.
    pub(super) tables: Tables,
    /// How long a call may take.
    pub(super) timeout: Duration,
    /// How often rows whose life is over are removed; never, unless it is set.
    pub(super) cleanup_interval: Option<Duration>,
}

impl Settings {
    /// Reads and checks the properties. Touches nothing outside.
    pub(super) fn parse(properties: &Properties) -> Result<Self, OpenError> {
        let string = properties
            .first(&[connection_string::PROPERTY, "url"])
            .filter(|text| !text.is_empty())
            .ok_or_else(|| OpenError::Missing("missing connection string".to_owned()))?;
        let timeout =
            duration(properties, "timeout", &["timeout", "timeoutInSeconds"])?.unwrap_or(DEFAULT_TIMEOUT);
        if timeout < MIN_TIMEOUT {
            return Err(OpenError::invalid(
                "timeout",
                "invalid value for 'timeout': must be greater than 1s",
            ));
        }
        let busy = duration(properties, "busyTimeout", &["busyTimeout"])?.unwrap_or(DEFAULT_BUSY_TIMEOUT);
        let names = ["cleanupInterval", "cleanupIntervalInSeconds"];
        let cleanup = duration(properties, "cleanupInterval", &names)?;
        Ok(Self {
            connector: Connector {
                string: ConnectionString::parse(string)?,
                busy_timeout: busy.min(MAX_BUSY_TIMEOUT),
                disable_wal: properties.flag("disableWAL"),
            },
            tables: tables(properties)?,
            timeout,
            cleanup_interval: cleanup.filter(|interval| !interval.is_zero()),
        })
    }
}

/// A Go duration or whole seconds; the empty text is zero, and below zero is as zero.
fn duration(
    properties: &Properties,
    property: &'static str,
    names: &[&str],
) -> Result<Option<Duration>, OpenError> {
    let Some(text) = properties.first(names) else {
        return Ok(None);
    };
    let nanos = match text.parse::<i64>() {
        _ if text.is_empty() => 0,
        Ok(seconds) => i128::from(seconds) * 1_000_000_000,
        Err(_) => go::parse_duration_nanos(text)
            .map_err(|error| OpenError::invalid(property, format!("{error}, or whole seconds")))?,
    };
    let nanos = u64::try_from(nanos.max(0))
        .map_err(|_| OpenError::invalid(property, format!("{text:?} is too long")))?;
    Ok(Some(Duration::from_nanos(nanos)))
}

fn tables(properties: &Properties) -> Result<Tables, OpenError> {
    let state = identifier(properties, "tableName", DEFAULT_TABLE)?;
    let metadata = identifier(properties, "metadataTableName", DEFAULT_METADATA_TABLE)?;
    if state.eq_ignore_ascii_case(&metadata) {
        let reason = format!("{metadata:?} is the state table as well: the two need different names");
        return Err(OpenError::invalid("metadataTableName", reason));
    }
    Ok(Tables { state, metadata })
}

fn identifier(properties: &Properties, name: &'static str, default: &str) -> Result<String, OpenError> {
    let text = properties.get(name).unwrap_or(default);
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        let reason = format!("invalid identifier: {text} (letters, digits and underscores only)");
        return Err(OpenError::invalid(name, reason));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<Settings, OpenError> {
        let pairs = pairs.iter().copied().chain([("connectionString", "a.db")]);
        Settings::parse(&Properties::new(pairs))
    }

    #[test]
    fn defaults_are_daprs() {
        let settings = parse(&[]).unwrap();
        assert_eq!(settings.timeout, Duration::from_secs(20));
        assert_eq!(settings.connector.busy_timeout, Duration::from_secs(2));
        assert!(!settings.connector.disable_wal);
        assert_eq!(settings.cleanup_interval, None);
        assert_eq!(
            (&*settings.tables.state, &*settings.tables.metadata),
            ("state", "metadata")
        );
    }

    #[test]
    fn the_connection_string_has_an_alias_and_must_be_there() {
        for pairs in [vec![], vec![("connectionString", "")]] {
            let error = Settings::parse(&Properties::new(pairs)).unwrap_err();
            assert_eq!(error.to_string(), "missing connection string");
        }
        let settings = Settings::parse(&Properties::new([
            ("URL", "file:x.db"),
            ("timeoutinseconds", "1200"),
        ]))
        .unwrap();
        assert_eq!(settings.connector.string.uri, "file:x.db");
        assert_eq!(settings.timeout, Duration::from_secs(1200));
    }

    #[test]
    fn values_are_read_as_dapr_reads_them() {
        let settings = parse(&[
            ("timeout", "1m"),
            ("busyTimeout", "-1s"),
            ("disableWAL", "yes"),
            ("cleanupInterval", "5"),
            ("tableName", "T_1"),
        ])
        .unwrap();
        assert_eq!(settings.timeout, Duration::from_secs(60));
        assert_eq!(settings.connector.busy_timeout, Duration::ZERO);
        assert!(settings.connector.disable_wal);
        assert_eq!(settings.cleanup_interval, Some(Duration::from_secs(5)));
        assert_eq!(settings.tables.state, "T_1");
        let settings = parse(&[("busyTimeout", "100000h")]).unwrap();
        assert_eq!(
            settings.connector.busy_timeout,
            Duration::from_millis(2_147_483_647)
        );
        for off in ["0", "-5s", ""] {
            assert_eq!(parse(&[("cleanupInterval", off)]).unwrap().cleanup_interval, None);
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (name, value) in [
            ("timeout", "500ms"),
            ("timeout", ""),
            ("busyTimeout", "soon"),
            ("tableName", "a-b"),
            ("tableName", ""),
            ("metadataTableName", "STATE"),
        ] {
            let error = parse(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
