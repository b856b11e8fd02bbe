//! The properties of the component, validated. Pure: touches neither disk nor clock.

use std::{path::PathBuf, sync::Arc, time::Duration};

use outrigger_block_kit::{Context, OpenError, Properties};

/// How long a delivery is one consumer's; Dapr's redis broker has the same default.
const PROCESSING_TIMEOUT: Duration = Duration::from_secs(60);
/// Deliveries in flight per subscription; Dapr's redis broker has the same default.
const CONCURRENCY: usize = 10;
/// More handlers at once than this help no app of one machine, and each may hold a message of the largest size.
const MAX_CONCURRENCY: usize = 1000;
/// Deliveries before a message moves to the dead-letter topic; Google's broker has the same default.
const MAX_DELIVERY_ATTEMPTS: u32 = 5;
/// How long a topic that nobody subscribes to keeps messages: over a holiday.
const RETENTION_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How many bytes such a topic keeps: little beside a disk, much beside a day of events.
const RETENTION_BYTES: u64 = 256 << 20;
/// How long a group without subscribers is remembered: an app that was not started for a month is taken as gone.
const GROUP_RETENTION: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// When a publish is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Synchronous {
    /// After it was synced to disk: survives loss of power.
    Full,
    /// After it was handed to the kernel: survives the death of every process.
    Normal,
}

/// Where messages go that keep failing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeadLetter {
    /// The topic.
    pub(crate) topic: String,
    /// How many deliveries a message gets before.
    pub(crate) after: u32,
}

/// What is kept for consumers that are not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retention {
    /// The age at which a message of a topic without group goes.
    pub(crate) age: Duration,
    /// The bytes of payload that a topic without group keeps.
    pub(crate) bytes: u64,
    /// How long a group without subscribers is remembered.
    pub(crate) group: Duration,
}

/// The component's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The folder of the broker.
    pub(crate) folder: PathBuf,
    /// The consumer group of this process's subscriptions.
    pub(crate) group: Arc<str>,
    /// How long a delivery is one consumer's.
    pub(crate) lease: Duration,
    /// Deliveries in flight per subscription.
    pub(crate) concurrency: usize,
    /// When a publish is acknowledged.
    pub(crate) synchronous: Synchronous,
    /// Where messages go that keep failing, if they go anywhere.
    pub(crate) dead_letter: Option<DeadLetter>,
    /// Time to live of a message that brings none.
    pub(crate) ttl: Option<Duration>,
    /// What is kept for consumers that are not there.
    pub(crate) retention: Retention,
}

impl Settings {
    /// Reads and checks every property.
    pub(crate) fn read(ctx: &Context, properties: &Properties) -> Result<Self, OpenError> {
        Ok(Self {
            folder: folder(ctx, properties)?,
            group: group(ctx, properties),
            lease: positive(properties, "processingTimeout", PROCESSING_TIMEOUT)?,
            concurrency: concurrency(properties)?,
            synchronous: synchronous(properties)?,
            dead_letter: dead_letter(properties)?,
            ttl: ttl(properties)?,
            retention: Retention {
                age: positive(properties, "retentionAge", RETENTION_AGE)?,
                bytes: retention_bytes(properties)?,
                group: positive(properties, "groupRetention", GROUP_RETENTION)?,
            },
        })
    }
}

fn folder(ctx: &Context, properties: &Properties) -> Result<PathBuf, OpenError> {
    if let Some(path) = properties.non_empty("path") {
        return Ok(PathBuf::from(path));
    }
    let name = &*ctx.name;
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\', '\0']) {
        let reason =
            format!("is not set, and the component's name {name:?} cannot name a folder: set a path");
        return Err(OpenError::invalid("path", reason));
    }
    Ok(ctx.data_dir.join("broker").join(name))
}

fn group(ctx: &Context, properties: &Properties) -> Arc<str> {
    let set = properties.get("consumerID").map(str::trim).unwrap_or_default();
    if set.is_empty() {
        ctx.app_id.clone()
    } else {
        set.into()
    }
}

fn positive(properties: &Properties, name: &'static str, default: Duration) -> Result<Duration, OpenError> {
    let value = properties.duration(name)?.unwrap_or(default);
    // The store counts in milliseconds.
    if value < Duration::from_millis(1) {
        return Err(OpenError::invalid(name, "must be at least a millisecond"));
    }
    Ok(value)
}

fn concurrency(properties: &Properties) -> Result<usize, OpenError> {
    let value = properties.number("concurrency")?.unwrap_or(CONCURRENCY);
    if !(1..=MAX_CONCURRENCY).contains(&value) {
        let reason = format!("{value} is not between 1 and {MAX_CONCURRENCY}");
        return Err(OpenError::invalid("concurrency", reason));
    }
    Ok(value)
}

fn synchronous(properties: &Properties) -> Result<Synchronous, OpenError> {
    match properties.non_empty("synchronous") {
        None => Ok(Synchronous::Full),
        Some(word) if word.eq_ignore_ascii_case("full") => Ok(Synchronous::Full),
        Some(word) if word.eq_ignore_ascii_case("normal") => Ok(Synchronous::Normal),
        Some(word) => {
            let reason = format!("{word:?} is neither \"full\" nor \"normal\"");
            Err(OpenError::invalid("synchronous", reason))
        }
    }
}

fn dead_letter(properties: &Properties) -> Result<Option<DeadLetter>, OpenError> {
    let after = properties
        .number("maxDeliveryAttempts")?
        .unwrap_or(MAX_DELIVERY_ATTEMPTS);
    if after == 0 {
        return Err(OpenError::invalid("maxDeliveryAttempts", "must be at least 1"));
    }
    Ok(properties.non_empty("deadLetterTopic").map(|topic| DeadLetter {
        topic: topic.to_owned(),
        after,
    }))
}

fn ttl(properties: &Properties) -> Result<Option<Duration>, OpenError> {
    match properties.duration("ttlInSeconds")? {
        Some(Duration::ZERO) => Err(OpenError::invalid("ttlInSeconds", "must be more than nothing")),
        ttl => Ok(ttl),
    }
}

fn retention_bytes(properties: &Properties) -> Result<u64, OpenError> {
    match properties.bytes("retentionBytes")? {
        None => Ok(RETENTION_BYTES),
        Some(bytes) => {
            u64::try_from(bytes).map_err(|_| OpenError::invalid("retentionBytes", "must not be negative"))
        }
    }
}

#[cfg(test)]
mod tests;
