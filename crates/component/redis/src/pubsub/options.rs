//! The settings of the broker alone.

use std::time::Duration;

use outrigger_block_kit::{OpenError, Properties};

/// How long a handler may take, and how long an entry must lie before it is claimed. Dapr's code, not its docs.
const PROCESSING_TIMEOUT: Duration = Duration::from_secs(60);
/// How often pending entries are looked for. Dapr's code, not its docs.
const REDELIVER_INTERVAL: Duration = Duration::from_secs(15);
/// How many entries one read brings at most.
const QUEUE_DEPTH: usize = 100;
/// How many handlers run at once.
const CONCURRENCY: usize = 10;
/// How often what we hold is renewed within `processingTimeout` when nothing else is said: two renewals may be lost.
const RENEWALS: u32 = 3;
/// The most handlers at once; a bound of the semaphore that counts them.
const MAX_CONCURRENCY: usize = tokio::sync::Semaphore::MAX_PERMITS;

/// How a stream is kept from growing for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trim {
    /// It is not.
    Never,
    /// To about this many entries.
    Length(u64),
    /// To entries of about this age.
    Age(Duration),
}

/// How messages that were not finished are delivered again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Redelivery {
    /// How long an entry must lie untouched; also how long a handler may take.
    pub(super) after: Duration,
    /// How often such entries are looked for.
    pub(super) every: Duration,
    /// How often what we hold is renewed.
    pub(super) renew: Option<Duration>,
}

/// The settings of the broker alone.
#[derive(Debug, Clone)]
pub(super) struct Options {
    /// Name of the group and of the consumer.
    pub(super) consumer: String,
    /// `None`: an unfinished message is never delivered again, and a handler takes as long as it takes.
    pub(super) redelivery: Option<Redelivery>,
    pub(super) depth: usize,
    pub(super) concurrency: usize,
    pub(super) trim: Trim,
}

impl Options {
    pub(super) fn new(properties: &Properties, app_id: &str) -> Result<Self, OpenError> {
        let consumer = properties.get("consumerID").unwrap_or_default().trim();
        Ok(Self {
            consumer: if consumer.is_empty() { app_id } else { consumer }.to_owned(),
            redelivery: redelivery(properties)?,
            depth: properties
                .number::<usize>("queueDepth")?
                .unwrap_or(QUEUE_DEPTH)
                .max(1),
            concurrency: concurrency(properties)?,
            trim: trim(properties)?,
        })
    }
}

fn concurrency(properties: &Properties) -> Result<usize, OpenError> {
    match properties.number::<usize>("concurrency")?.unwrap_or(CONCURRENCY) {
        0 => Err(OpenError::invalid(
            "concurrency",
            "0 handlers would never handle a message",
        )),
        given => Ok(given.min(MAX_CONCURRENCY)),
    }
}

/// Zero in either setting turns redelivery off.
fn redelivery(properties: &Properties) -> Result<Option<Redelivery>, OpenError> {
    let time = |name, default| {
        let given = properties.millis_duration(name)?.unwrap_or(Some(default));
        Ok::<_, OpenError>(given.filter(|time| !time.is_zero()))
    };
    let after = time("processingTimeout", PROCESSING_TIMEOUT)?;
    let every = time("redeliverInterval", REDELIVER_INTERVAL)?;
    let renew = properties.millis_duration("entryKeepAliveInterval")?;
    Ok(after.zip(every).map(|(after, every)| Redelivery {
        after,
        every,
        renew: renew
            .unwrap_or_else(|| Some(after / RENEWALS))
            .filter(|time| !time.is_zero()),
    }))
}

fn trim(properties: &Properties) -> Result<Trim, OpenError> {
    let length = properties.number::<i64>("maxLenApprox")?.unwrap_or(0);
    let age = properties
        .millis_duration("streamTTL")?
        .flatten()
        .filter(|age| !age.is_zero());
    Ok(
        match (u64::try_from(length).ok().filter(|length| *length > 0), age) {
            (None, None) => Trim::Never,
            (None, Some(age)) => Trim::Age(age),
            (Some(length), age) => {
                if age.is_some() {
                    tracing::warn!(
                        "maxLenApprox and streamTTL cannot be used together: streams are trimmed by length"
                    );
                }
                Trim::Length(length)
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Options {
        Options::new(&Properties::new(pairs.iter().copied()), "app").unwrap()
    }

    #[test]
    fn defaults_are_those_of_daprs_code() {
        let options = options(&[]);
        assert_eq!(
            (options.consumer.as_str(), options.depth, options.concurrency),
            ("app", 100, 10)
        );
        let redelivery = options.redelivery.unwrap();
        assert_eq!((redelivery.after.as_secs(), redelivery.every.as_secs()), (60, 15));
        assert_eq!(redelivery.renew, Some(Duration::from_secs(20)));
        assert_eq!(options.trim, Trim::Never);
    }

    #[test]
    fn times_are_milliseconds_or_durations_and_zero_turns_off() {
        let of = |after, every, renew| {
            options(&[
                ("processingTimeout", after),
                ("redeliverInterval", every),
                ("entryKeepAliveInterval", renew),
            ])
            .redelivery
        };
        let given = of("1500", "2s", "0").unwrap();
        assert_eq!(
            (given.after, given.every),
            (Duration::from_millis(1500), Duration::from_secs(2))
        );
        assert_eq!(given.renew, None);
        assert_eq!(of("0", "2s", ""), None);
        assert_eq!(of("1m", "0s", ""), None);
    }

    #[test]
    fn consumer_trim_and_concurrency_are_read() {
        assert_eq!(options(&[("consumerID", " me ")]).consumer, "me");
        assert_eq!(
            options(&[("streamTTL", "1h")]).trim,
            Trim::Age(Duration::from_secs(3600))
        );
        assert_eq!(
            options(&[("streamTTL", "1h"), ("maxLenApprox", "5")]).trim,
            Trim::Length(5)
        );
        let none = Properties::new([("concurrency", "0")]);
        assert!(Options::new(&none, "app").is_err());
    }
}
