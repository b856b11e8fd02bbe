//! What is counted: counters, gauges, histograms.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    cells::Cells,
    exposition::{Exposition, Kind, Sample},
};

/// A number that only grows.
#[derive(Debug)]
pub struct Counter(Cells);

impl Counter {
    /// Adds one.
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `by`.
    pub fn add(&self, by: u64) {
        self.0.mine(0).fetch_add(by, Ordering::Relaxed);
    }

    /// The sum so far.
    pub fn value(&self) -> u64 {
        self.0.total(0)
    }
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Sets the value.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Adds `by`, which may be negative.
    pub fn add(&self, by: i64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    /// The value.
    pub fn value(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Observations counted in buckets with fixed upper bounds.
#[derive(Debug)]
pub struct Histogram {
    /// Upper bounds, inclusive, ascending; above the last lies the bucket without a bound.
    bounds: Arc<[f64]>,
    /// One cell per bucket (not cumulative), the unbounded one included; then the sum as bits of a double.
    cells: Cells,
}

impl Histogram {
    /// Counts `value`.
    pub fn observe(&self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.cells.mine(bucket).fetch_add(1, Ordering::Relaxed);
        add_f64(self.cells.mine(self.sum_cell()), value);
    }

    /// Counts a time in milliseconds, the unit of the ecosystem's latency metrics.
    pub fn observe_ms(&self, elapsed: Duration) {
        self.observe(elapsed.as_secs_f64() * 1e3);
    }

    /// How many values were observed.
    pub fn count(&self) -> u64 {
        (0..=self.bounds.len())
            .map(|bucket| self.cells.total(bucket))
            .sum()
    }

    /// The sum of the observed values.
    pub fn sum(&self) -> f64 {
        self.cells.total_f64(self.sum_cell())
    }

    fn sum_cell(&self) -> usize {
        self.bounds.len() + 1
    }
}

/// Adds to a double kept as bits. The cell is this thread's shard, so the loop hardly ever runs twice.
fn add_f64(cell: &AtomicU64, by: f64) {
    let mut seen = cell.load(Ordering::Relaxed);
    loop {
        let next = (f64::from_bits(seen) + by).to_bits();
        match cell.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return,
            Err(other) => seen = other,
        }
    }
}

/// What a [`Family`](super::Family) can be made of. Only this module implements it.
pub trait Instrument: sealed::Sealed + Send + Sync + Sized + fmt::Debug {
    /// What instances of one family share.
    #[doc(hidden)]
    type Shape: Clone + Send + Sync + fmt::Debug;
    /// The word after `# TYPE`.
    #[doc(hidden)]
    const KIND: Kind;
    /// A new instance at zero.
    #[doc(hidden)]
    fn create(shape: &Self::Shape, shards: usize) -> Self;
    /// Writes the lines of this instance.
    #[doc(hidden)]
    fn write(&self, out: &mut Exposition<'_>, name: &str, labels: &str);
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Counter {}
    impl Sealed for super::Gauge {}
    impl Sealed for super::Histogram {}
}

impl Instrument for Counter {
    type Shape = ();
    const KIND: Kind = Kind::Counter;

    fn create(_: &(), shards: usize) -> Self {
        Self(Cells::new(1, shards))
    }

    fn write(&self, out: &mut Exposition<'_>, name: &str, labels: &str) {
        out.line(Sample::plain(name, labels), self.value() as f64);
    }
}

impl Instrument for Gauge {
    type Shape = ();
    const KIND: Kind = Kind::Gauge;

    fn create(_: &(), _shards: usize) -> Self {
        Self::default()
    }

    fn write(&self, out: &mut Exposition<'_>, name: &str, labels: &str) {
        out.line(Sample::plain(name, labels), self.value() as f64);
    }
}

impl Instrument for Histogram {
    type Shape = Arc<[f64]>;
    const KIND: Kind = Kind::Histogram;

    fn create(bounds: &Arc<[f64]>, shards: usize) -> Self {
        Self {
            cells: Cells::new(bounds.len() + 2, shards),
            bounds: bounds.clone(),
        }
    }

    fn write(&self, out: &mut Exposition<'_>, name: &str, labels: &str) {
        let mut seen = 0u64;
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        for (bucket, bound) in bounds.enumerate() {
            seen += self.cells.total(bucket);
            out.line(Sample::bucket(name, labels, bound), seen as f64);
        }
        out.line(Sample::suffixed(name, "_sum", labels), self.sum());
        // Not counted again: the count and the last bucket must agree even while others observe.
        out.line(Sample::suffixed(name, "_count", labels), seen as f64);
    }
}
