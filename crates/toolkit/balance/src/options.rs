//! How endpoints are chosen and when they are ejected.

use std::time::{Duration, Instant};

/// How a picker works.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The order of choice. Default: [`Strategy::LeastLoaded`].
    pub strategy: Strategy,
    /// How many failures in a row eject an endpoint; `0` never ejects. Default: 3, so that a connection lost by
    /// chance, or two at once, do not cost a replica.
    pub failures: u32,
    /// How long the first ejection lasts; each that follows lasts twice as long. Default: 1 s, about the time in
    /// which a service restarts.
    pub ejection: Duration,
    /// The longest ejection, and how long an endpoint has to do well before its ejections are forgotten.
    /// Default: 30 s, which bounds how long a replica that is back stays unused.
    pub ejection_max: Duration,
    /// How long a probe may take before another is sent. Default: 5 s.
    pub probe: Duration,
    /// Where the picks of [`Strategy::LeastLoaded`] start, so that many callers with the same list do not choose
    /// alike. Default: 0; give each process its own.
    pub seed: u64,
}

/// The order in which endpoints are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// One after the other. Even, whatever a request costs.
    RoundRobin,
    /// The one with fewer requests in flight out of two chosen at random ("the power of two choices"): nearly
    /// as good as the least loaded of all, without looking at all, and without a herd running to one endpoint.
    #[default]
    LeastLoaded,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            strategy: Strategy::default(),
            failures: 3,
            ejection: Duration::from_secs(1),
            ejection_max: Duration::from_secs(30),
            probe: Duration::from_secs(5),
            seed: 0,
        }
    }
}

impl Options {
    /// The defaults with another order of choice.
    pub fn with_strategy(strategy: Strategy) -> Self {
        Self {
            strategy,
            ..Self::default()
        }
    }

    /// These options with another seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// How long the ejection lasts that follows `previous` others, in nanoseconds.
    pub(crate) fn ejection_after(&self, previous: u32) -> u64 {
        let factor = 1_u32.checked_shl(previous).unwrap_or(u32::MAX);
        nanos(self.ejection.saturating_mul(factor).min(self.ejection_max))
    }
}

/// What a picker and the endpoints it remembers share.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) options: Options,
    pub(crate) epoch: Instant,
}

impl Settings {
    /// `now` as atomics hold it: nanoseconds since the picker was made, counted from 1.
    pub(crate) fn at(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.epoch)).saturating_add(1)
    }
}

/// A duration as the nanoseconds that atomics hold; five centuries are as good as for ever.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
