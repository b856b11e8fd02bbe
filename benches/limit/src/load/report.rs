//! What a load saw.

use std::{error::Error, time::Duration};

use outrigger_base_std::chain;
use serde_json::{Value, json};

use crate::histogram::Histogram;

/// What one connection saw; those of all connections are merged.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Latencies of good answers in the counted time.
    pub latency: Histogram,
    /// All requests sent, before, in and after the counted time: the divisor for CPU that is read from outside.
    pub sent: u64,
    /// Failed requests, whenever they were sent.
    pub errors: u64,
    /// What the first failure was.
    pub first_error: Option<String>,
}

impl Outcome {
    /// Counts one failure.
    pub fn fail(&mut self, error: &(dyn Error + 'static)) {
        self.errors += 1;
        if self.first_error.is_none() {
            self.first_error = Some(chain(error));
        }
    }

    /// Adds what another connection saw.
    pub fn merge(&mut self, other: Self) {
        self.latency.merge(&other.latency);
        self.sent += other.sent;
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
    }
}

/// The whole load's outcome.
#[derive(Debug)]
pub struct Report {
    /// What all connections saw together.
    pub outcome: Outcome,
    /// The counted time.
    pub duration: Duration,
}

impl Report {
    /// One JSON object; latencies in microseconds.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Outcome {
            latency,
            sent,
            errors,
            first_error,
        } = &self.outcome;
        json!({
            "rps": latency.len() as f64 / self.duration.as_secs_f64(),
            "requests": latency.len(),
            "sent": sent,
            "errors": errors,
            "first_error": first_error,
            "p50": latency.quantile_micros(0.5),
            "p90": latency.quantile_micros(0.9),
            "p99": latency.quantile_micros(0.99),
            "p999": latency.quantile_micros(0.999),
            "max": latency.max_nanos() as f64 / 1_000.0,
        })
    }
}
