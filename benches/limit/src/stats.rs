//! What a subscriber has seen: how many deliveries, in which order, and how long each was on its way.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::histogram::Histogram;

/// What stands before a publisher's clock in an event: `"sent":<nanoseconds since 1970>`.
const SENT: &[u8] = b"\"sent\":";
/// What stands before a publisher's running number in an event.
const NUMBER: &[u8] = b"\"number\":";

/// Counters of one subscriber, shared by its cores.
#[derive(Debug, Default)]
pub struct Deliveries {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    delivered: u64,
    unordered: u64,
    last: Option<u64>,
    latency: Histogram,
}

impl Deliveries {
    /// Counts one delivered event; `body` is the event as it came.
    pub fn record(&self, body: &[u8]) {
        let latency = number_after(body, SENT).map(since);
        let number = number_after(body, NUMBER);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.delivered += 1;
        if let Some(latency) = latency {
            seen.latency.record(latency);
        }
        if let Some(number) = number {
            if seen.last.is_some_and(|last| number < last) {
                seen.unordered += 1;
            }
            seen.last = Some(number);
        }
    }

    /// Starts over.
    pub fn reset(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Seen::default();
    }

    /// The counters; latencies in microseconds.
    #[must_use]
    pub fn report(&self) -> Value {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        json!({
            "delivered": seen.delivered,
            "unordered": seen.unordered,
            "p50": seen.latency.quantile_micros(0.5),
            "p90": seen.latency.quantile_micros(0.9),
            "p99": seen.latency.quantile_micros(0.99),
            "max": seen.latency.max_nanos() as f64 / 1_000.0,
        })
    }
}

/// The wall clock in nanoseconds: publisher and subscriber are two processes of one machine.
#[must_use]
pub fn wall_nanos() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

fn since(sent: u64) -> Duration {
    Duration::from_nanos(wall_nanos().saturating_sub(sent))
}

/// The decimal number that follows `key` in `body`, blanks allowed between.
fn number_after(body: &[u8], key: &[u8]) -> Option<u64> {
    let start = body.windows(key.len()).position(|window| window == key)? + key.len();
    let rest = body[start..].trim_ascii_start();
    let digits = rest
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(rest.len());
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_number_behind_a_key() {
        assert_eq!(
            number_after(br#"{"data":{"sent":12,"number": 7}}"#, SENT),
            Some(12)
        );
        assert_eq!(
            number_after(br#"{"data":{"sent":12,"number": 7}}"#, NUMBER),
            Some(7)
        );
        assert_eq!(number_after(br#"{"number":"x"}"#, NUMBER), None);
        assert_eq!(number_after(b"", SENT), None);
        assert_eq!(number_after(br#"{"sent":"#, SENT), None);
    }

    #[test]
    fn counts_deliveries_and_disorder() {
        let deliveries = Deliveries::default();
        for number in [1, 2, 4, 3, 5] {
            deliveries.record(format!(r#"{{"sent":{},"number":{number}}}"#, wall_nanos()).as_bytes());
        }
        let report = deliveries.report();
        assert_eq!(report["delivered"], 5);
        assert_eq!(report["unordered"], 1);
        deliveries.reset();
        assert_eq!(deliveries.report()["delivered"], 0);
    }
}
