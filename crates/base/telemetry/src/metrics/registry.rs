//! The registry of a runtime instance.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock, atomic::AtomicU64},
};

use super::{
    buckets::LATENCY_BUCKETS_MS,
    cells::MAX_SHARDS,
    exposition::Exposition,
    family::{Core, Family, MAX_SERIES_PER_FAMILY, RewriteLabels, Table},
    instrument::{Counter, Gauge, Histogram, Instrument},
};

/// All metrics of one runtime instance.
#[derive(Debug)]
pub struct Registry {
    families: Mutex<BTreeMap<String, Arc<dyn Source>>>,
    collectors: Mutex<Vec<Arc<dyn Collector>>>,
    rewrite: Option<Arc<dyn RewriteLabels>>,
    latency: Arc<[f64]>,
    limit: usize,
    shards: usize,
}

/// Something that writes its metrics only when it is scraped.
pub trait Collector: Send + Sync + fmt::Debug {
    /// Writes families and samples. It is called on the scraping task: it must be quick and must not wait.
    fn collect(&self, out: &mut Exposition<'_>);
}

/// Why a metric was not registered. All of these are mistakes of the caller, found at start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The name is taken.
    #[error("metric {0:?} is registered already: register once and share the handle")]
    Duplicate(String),
    /// Not `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    #[error("{0:?} is not a metric name: letters, digits, '_' and ':', no digit in front")]
    Name(String),
    /// Not `[a-zA-Z_][a-zA-Z0-9_]*`, or `le` on a histogram, or given twice.
    #[error(
        "{label:?} cannot be a label of {metric:?}: letters, digits and '_', no digit in front, not \"le\", not twice"
    )]
    Label {
        /// The metric.
        metric: String,
        /// The label.
        label: String,
    },
    /// Not finite and strictly ascending.
    #[error("the bucket bounds of {0:?} must be finite and strictly ascending")]
    Buckets(String),
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// An empty registry.
    pub fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            families: Mutex::default(),
            collectors: Mutex::default(),
            rewrite: None,
            latency: LATENCY_BUCKETS_MS.into(),
            limit: MAX_SERIES_PER_FAMILY,
            shards: processors.min(MAX_SHARDS),
        }
    }

    /// Lets `rewrite` change the label values of families registered from now on.
    #[must_use]
    pub fn with_rewrite(mut self, rewrite: Arc<dyn RewriteLabels>) -> Self {
        self.rewrite = Some(rewrite);
        self
    }

    /// Takes these bucket bounds, in milliseconds, for latencies from now on, instead of [`LATENCY_BUCKETS_MS`].
    #[must_use]
    pub fn with_latency_buckets(mut self, bounds: &[f64]) -> Self {
        self.latency = bounds.into();
        self
    }

    /// Keeps at most `limit` series per family, instead of [`MAX_SERIES_PER_FAMILY`].
    #[must_use]
    pub fn with_series_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// A counter without labels.
    pub fn counter(&self, name: &str, help: &str) -> Result<Arc<Counter>, RegisterError> {
        Ok(self.counter_family(name, help, [])?.with([]))
    }

    /// A gauge without labels.
    pub fn gauge(&self, name: &str, help: &str) -> Result<Arc<Gauge>, RegisterError> {
        Ok(self.gauge_family(name, help, [])?.with([]))
    }

    /// A histogram without labels.
    pub fn histogram(&self, name: &str, help: &str, bounds: &[f64]) -> Result<Arc<Histogram>, RegisterError> {
        Ok(self.histogram_family(name, help, [], bounds)?.with([]))
    }

    /// Counters told apart by labels.
    pub fn counter_family<const L: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&'static str; L],
    ) -> Result<Family<Counter, L>, RegisterError> {
        self.register(name, help, labels, ())
    }

    /// Gauges told apart by labels.
    pub fn gauge_family<const L: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&'static str; L],
    ) -> Result<Family<Gauge, L>, RegisterError> {
        self.register(name, help, labels, ())
    }

    /// Histograms told apart by labels, with the same inclusive upper `bounds`; the last, unbounded bucket is implied.
    pub fn histogram_family<const L: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&'static str; L],
        bounds: &[f64],
    ) -> Result<Family<Histogram, L>, RegisterError> {
        let ascending = bounds.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || bounds.iter().any(|bound| !bound.is_finite()) {
            return Err(RegisterError::Buckets(name.to_owned()));
        }
        self.register(name, help, labels, bounds.into())
    }

    /// Latencies in milliseconds told apart by labels, with the bucket bounds that this registry has for them.
    pub fn latency_family<const L: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&'static str; L],
    ) -> Result<Family<Histogram, L>, RegisterError> {
        self.histogram_family(name, help, labels, &self.latency)
    }

    /// Adds a collector; its families follow the registered ones.
    pub fn add_collector(&self, collector: Arc<dyn Collector>) {
        let mut collectors = self.collectors.lock().unwrap_or_else(PoisonError::into_inner);
        collectors.push(collector);
    }

    /// All metrics as text of the media type [`CONTENT_TYPE`](super::CONTENT_TYPE), families in alphabetical order. A
    /// family without a series is left out.
    pub fn render(&self) -> String {
        let families: Vec<_> = {
            let families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
            families.values().cloned().collect()
        };
        let collectors = self
            .collectors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut text = String::new();
        let mut out = Exposition::new(&mut text);
        families.iter().for_each(|family| family.write(&mut out));
        collectors
            .iter()
            .for_each(|collector| collector.collect(&mut out));
        text
    }

    fn register<M: Instrument + 'static, const L: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&'static str; L],
        shape: M::Shape,
    ) -> Result<Family<M, L>, RegisterError> {
        check_names(name, &labels)?;
        let (family, source) = Family::new(Core {
            name: name.to_owned(),
            help: help.to_owned(),
            labels,
            shape,
            shards: self.shards,
            limit: self.limit,
            rewrite: self.rewrite.clone(),
            table: RwLock::new(Table::default()),
            overflowed: AtomicU64::new(0),
        });
        let mut families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        if families.contains_key(name) {
            return Err(RegisterError::Duplicate(name.to_owned()));
        }
        families.insert(name.to_owned(), source);
        Ok(family)
    }
}

/// A registered family, whatever its type.
pub(super) trait Source: Send + Sync + fmt::Debug {
    fn write(&self, out: &mut Exposition<'_>);
}

fn check_names(name: &str, labels: &[&str]) -> Result<(), RegisterError> {
    if !is_identifier(name, true) {
        return Err(RegisterError::Name(name.to_owned()));
    }
    for (i, label) in labels.iter().enumerate() {
        if !is_identifier(label, false) || *label == "le" || labels[..i].contains(label) {
            return Err(RegisterError::Label {
                metric: name.to_owned(),
                label: (*label).to_owned(),
            });
        }
    }
    Ok(())
}

fn is_identifier(text: &str, colon: bool) -> bool {
    let fits = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || (colon && c == b':');
    let bytes = text.as_bytes();
    !bytes.is_empty() && !bytes[0].is_ascii_digit() && bytes.iter().copied().all(fits)
}
