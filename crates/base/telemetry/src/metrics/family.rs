//! A metric with labels: from label values to handles.

use std::{
    borrow::{Borrow, Cow},
    collections::HashMap,
    fmt,
    hash::{Hash, Hasher},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    exposition::{Exposition, label_text},
    instrument::Instrument,
    registry::Source,
};

/// Series one family keeps. Prometheus itself advises to stay far below; a series costs a few hundred bytes here and
/// some kilobytes in the server that scrapes it.
pub const MAX_SERIES_PER_FAMILY: usize = 2_000;

/// The value of every label of the series that takes what comes after [`MAX_SERIES_PER_FAMILY`].
pub const OVERFLOW: &str = "overflow";

/// Rewrites label values before they choose a series: the seam for the `rules` of a configuration.
pub trait RewriteLabels: Send + Sync + fmt::Debug {
    /// The value to use instead of `value` for `label` of `metric`; borrowed when there is nothing to change.
    fn rewrite<'v>(&self, metric: &str, label: &str, value: &'v str) -> Cow<'v, str>;
}

/// A metric with `L` labels.
///
/// [`with`](Family::with) resolves label values to a handle. Whoever knows the values beforehand resolves once and
/// keeps the handle; on a request path with open-ended values it costs a shared lock and a hash.
#[derive(Debug)]
pub struct Family<M: Instrument, const L: usize>(Arc<Core<M, L>>);

impl<M: Instrument, const L: usize> Clone for Family<M, L> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Instrument, const L: usize> Family<M, L> {
    pub(super) fn new(core: Core<M, L>) -> (Self, Arc<Core<M, L>>) {
        let core = Arc::new(core);
        (Self(core.clone()), core)
    }

    /// The series with these label values, in the order of the label names at registration; the overflow series when
    /// it would be one too many.
    pub fn with(&self, values: [&str; L]) -> Arc<M> {
        let Some(rewrite) = &self.0.rewrite else {
            return self.0.resolve(&values);
        };
        let rewritten: [Cow<'_, str>; L] =
            std::array::from_fn(|i| rewrite.rewrite(&self.0.name, self.0.labels[i], values[i]));
        self.0.resolve(&std::array::from_fn(|i| &*rewritten[i]))
    }

    /// How often [`with`](Family::with) answered with the overflow series.
    pub fn overflowed(&self) -> u64 {
        self.0.overflowed.load(Ordering::Relaxed)
    }
}

/// What the handles of a family and the registry share.
#[derive(Debug)]
pub(super) struct Core<M: Instrument, const L: usize> {
    pub(super) name: String,
    pub(super) help: String,
    pub(super) labels: [&'static str; L],
    pub(super) shape: M::Shape,
    pub(super) shards: usize,
    pub(super) limit: usize,
    pub(super) rewrite: Option<Arc<dyn RewriteLabels>>,
    pub(super) table: RwLock<Table<M>>,
    pub(super) overflowed: AtomicU64,
}

/// The series of a family.
#[derive(Debug)]
pub(super) struct Table<M> {
    series: HashMap<Owned, Series<M>>,
    overflow: Option<Series<M>>,
}

impl<M> Default for Table<M> {
    fn default() -> Self {
        Self {
            series: HashMap::new(),
            overflow: None,
        }
    }
}

#[derive(Debug)]
struct Series<M> {
    /// Escaped once, when the series is made.
    labels: Arc<str>,
    handle: Arc<M>,
}

impl<M: Instrument, const L: usize> Core<M, L> {
    fn resolve(&self, values: &[&str; L]) -> Arc<M> {
        let known = self.table.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = known.series.get(values as &dyn Values) {
            return series.handle.clone();
        }
        drop(known);
        self.create(values)
    }

    fn create(&self, values: &[&str; L]) -> Arc<M> {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = table.series.get(values as &dyn Values) {
            return series.handle.clone();
        }
        if table.series.len() >= self.limit {
            self.overflowed.fetch_add(1, Ordering::Relaxed);
            let overflow = table.overflow.get_or_insert_with(|| self.series(&[OVERFLOW; L]));
            return overflow.handle.clone();
        }
        let series = self.series(values);
        let handle = series.handle.clone();
        let key = Owned(values.iter().map(|value| Box::from(*value)).collect());
        table.series.insert(key, series);
        handle
    }

    fn series(&self, values: &[&str; L]) -> Series<M> {
        // Prometheus' Go client writes labels in alphabetical order, and readers came to rely on it.
        let mut pairs: Vec<_> = self.labels.iter().copied().zip(values.iter().copied()).collect();
        pairs.sort_unstable();
        Series {
            labels: label_text(pairs.into_iter()).into(),
            handle: Arc::new(M::create(&self.shape, self.shards)),
        }
    }
}

impl<M: Instrument, const L: usize> Source for Core<M, L> {
    fn write(&self, out: &mut Exposition<'_>) {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let mut series: Vec<_> = table
            .series
            .values()
            .chain(&table.overflow)
            .map(|series| (series.labels.clone(), series.handle.clone()))
            .collect();
        drop(table);
        if series.is_empty() {
            return;
        }
        series.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        out.family(&self.name, &self.help, M::KIND);
        for (labels, handle) in series {
            handle.write(out, &self.name, &labels);
        }
    }
}

/// Label values, owned or borrowed: lets the table be asked without allocating a key.
trait Values {
    fn get(&self, index: usize) -> Option<&str>;
}

#[derive(Debug)]
struct Owned(Box<[Box<str>]>);

impl Values for Owned {
    fn get(&self, index: usize) -> Option<&str> {
        self.0.get(index).map(|value| &**value)
    }
}

impl<const L: usize> Values for [&str; L] {
    fn get(&self, index: usize) -> Option<&str> {
        self.as_slice().get(index).copied()
    }
}

impl Hash for dyn Values + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (0..)
            .map_while(|i| self.get(i))
            .for_each(|value| value.hash(state));
    }
}

impl PartialEq for dyn Values + '_ {
    fn eq(&self, other: &Self) -> bool {
        (0..)
            .map(|i| (self.get(i), other.get(i)))
            .take_while(|(a, b)| a.is_some() || b.is_some())
            .all(|(a, b)| a == b)
    }
}

impl Eq for dyn Values + '_ {}

impl Hash for Owned {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self as &dyn Values).hash(state);
    }
}

impl PartialEq for Owned {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Owned {}

impl<'a> Borrow<dyn Values + 'a> for Owned {
    fn borrow(&self) -> &(dyn Values + 'a) {
        self
    }
}
