//! Which traces are recorded.

use std::fmt;

use super::context::{TraceContext, TraceId};

/// The share of new traces to record when nothing was configured (the system we replace has the same).
const DEFAULT_RATIO: f64 = 1e-4;

/// Parent-based sampling: a request that belongs to a trace follows its decision, a new trace is recorded with a fixed
/// probability that is derived from its id, so that all members of a mesh with the same ratio decide alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    ratio: f64,
}

/// Why a sampling rate was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the sampling rate {0:?} is not a decimal number such as \"0\", \"0.1\" or \"1\"")]
pub struct RateError(pub String);

impl Default for Sampler {
    fn default() -> Self {
        Self { ratio: DEFAULT_RATIO }
    }
}

impl Sampler {
    /// Reads a decimal number: "0" records no new trace, "1" all. Numbers beyond stand for the nearer of the two; an
    /// empty text for the default of 0.0001.
    pub fn parse(rate: &str) -> Result<Self, RateError> {
        if rate.is_empty() {
            return Ok(Self::default());
        }
        match rate.parse::<f64>() {
            Ok(ratio) if !ratio.is_nan() => Ok(Self {
                ratio: ratio.clamp(0.0, 1.0),
            }),
            _ => Err(RateError(rate.to_owned())),
        }
    }

    /// Whether no new trace is ever recorded.
    pub fn is_zero(&self) -> bool {
        self.ratio == 0.0
    }

    /// The decision for a span of `trace` with the given parent.
    pub fn decide(&self, trace: TraceId, parent: Option<&TraceContext>) -> bool {
        match parent {
            Some(parent) => parent.is_sampled(),
            None => self.ratio >= 1.0 || self.below_ratio(trace),
        }
    }

    /// OpenTelemetry's `TraceIdRatioBased`: 63 bits of the id, as its Go SDK compares them.
    fn below_ratio(&self, trace: TraceId) -> bool {
        let mut low = [0; 8];
        low.copy_from_slice(&trace.0[8..]);
        let bound = (self.ratio * (1u64 << 63) as f64) as u64;
        (u64::from_be_bytes(low) >> 1) < bound
    }
}

/// The description that OpenTelemetry prescribes; people grep it in the log.
impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ParentBased{root:")?;
        if self.ratio >= 1.0 {
            f.write_str("AlwaysOnSampler")?;
        } else {
            let mut ratio = String::new();
            crate::go::write_float(&mut ratio, self.ratio);
            write!(f, "TraceIDRatioBased{{{ratio}}}")?;
        }
        f.write_str(
            ",remoteParentSampled:AlwaysOnSampler,remoteParentNotSampled:AlwaysOffSampler,\
             localParentSampled:AlwaysOnSampler,localParentNotSampled:AlwaysOffSampler}",
        )
    }
}
