//! A log-linear histogram of durations, precise to better than 1 %.
//!
//! Values below `LINEAR` nanoseconds have a bucket each; above, every power of two is cut into `SUB` equal parts.
//! Recording is an index computation and an addition, so that it can be done for every request.

use std::time::Duration;

/// Parts that every power of two is cut into: the relative error of a bucket is at most 1/128.
const SUB: u64 = 128;
/// `log2(SUB)`.
const SUB_BITS: u32 = 7;
/// Values below this many nanoseconds are kept exactly.
const LINEAR: u64 = 2 * SUB;
/// Enough for every `u64`: the linear part and one row of `SUB` for each remaining exponent.
const BUCKETS: usize = (LINEAR + (64 - 8) * SUB) as usize;

/// Counts of durations by bucket, with the exact maximum.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; BUCKETS],
            total: 0,
            max: 0,
        }
    }
}

impl Histogram {
    /// Adds one duration; those beyond 584 years count as that.
    pub fn record(&mut self, duration: Duration) {
        self.record_nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Adds one duration in nanoseconds.
    pub fn record_nanos(&mut self, nanos: u64) {
        self.counts[index(nanos)] += 1;
        self.total += 1;
        self.max = self.max.max(nanos);
    }

    /// Adds everything that `other` has recorded.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
        self.max = self.max.max(other.max);
    }

    /// How many durations were recorded.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.total
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The largest recorded value in nanoseconds, exact; 0 when empty.
    #[must_use]
    pub fn max_nanos(&self) -> u64 {
        self.max
    }

    /// The value in nanoseconds that a share `q` (0 to 1) of all durations does not exceed; 0 when empty.
    #[must_use]
    pub fn quantile_nanos(&self, q: f64) -> u64 {
        if self.total == 0 {
            return 0;
        }
        let rank = ((self.total as f64 * q.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return highest(bucket).min(self.max);
            }
        }
        self.max
    }

    /// The same as [`Self::quantile_nanos`], in microseconds.
    #[must_use]
    pub fn quantile_micros(&self, q: f64) -> f64 {
        self.quantile_nanos(q) as f64 / 1_000.0
    }
}

/// The bucket of a value.
fn index(nanos: u64) -> usize {
    if nanos < LINEAR {
        return nanos as usize;
    }
    // `nanos` is at least 256, so the exponent is at least 8 and the shift at least 1.
    let shift = 63 - nanos.leading_zeros() - SUB_BITS;
    let sub = (nanos >> shift) - SUB;
    (LINEAR + u64::from(shift - 1) * SUB + sub) as usize
}

/// The largest value that falls into a bucket.
fn highest(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < LINEAR {
        return bucket;
    }
    let row = (bucket - LINEAR) / SUB;
    let sub = (bucket - LINEAR) % SUB;
    let shift = (row + 1) as u32;
    let low = (SUB + sub) << shift;
    low + ((1 << shift) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_u64_has_a_bucket() {
        assert!(index(u64::MAX) < BUCKETS);
        assert_eq!(highest(index(u64::MAX)), u64::MAX);
        assert_eq!(index(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn empty_answers_zero() {
        assert_eq!(Histogram::default().quantile_nanos(0.99), 0);
        assert!(Histogram::default().is_empty());
    }

    proptest! {
        #[test]
        fn a_value_lies_in_its_bucket(nanos in any::<u64>()) {
            let bucket = index(nanos);
            prop_assert!(highest(bucket) >= nanos);
            prop_assert!(bucket == 0 || highest(bucket - 1) < nanos);
        }

        #[test]
        fn quantiles_are_within_one_per_cent(mut values in prop::collection::vec(1u64..10_000_000_000, 1..500), q in 0.0f64..=1.0) {
            let mut histogram = Histogram::default();
            for value in &values {
                histogram.record_nanos(*value);
            }
            values.sort_unstable();
            let rank = ((values.len() as f64 * q).ceil() as usize).max(1);
            let exact = values[rank - 1];
            let got = histogram.quantile_nanos(q);
            prop_assert!(got >= exact && (got - exact) as f64 <= exact as f64 * 0.01, "{got} for {exact}");
        }

        #[test]
        fn merging_is_recording_together(a in prop::collection::vec(any::<u64>(), 0..50), b in prop::collection::vec(any::<u64>(), 0..50)) {
            let (mut left, mut right, mut both) = (Histogram::default(), Histogram::default(), Histogram::default());
            a.iter().for_each(|value| { left.record_nanos(*value); both.record_nanos(*value); });
            b.iter().for_each(|value| { right.record_nanos(*value); both.record_nanos(*value); });
            left.merge(&right);
            prop_assert_eq!(left.counts, both.counts);
            prop_assert_eq!(left.max, both.max);
        }
    }
}
