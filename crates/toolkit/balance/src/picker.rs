//! Choosing one endpoint out of a list.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use arc_swap::ArcSwap;

use crate::{
    Options, Strategy,
    health::{Admission, Health},
    options::Settings,
};

/// How many endpoints are remembered beyond twice those of the current list before idle ones are forgotten.
const SPARE: usize = 64;

/// The step between two states of the generator of choices: the golden ratio's fraction, as in SplitMix64.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Chooses endpoints of type `E`, and remembers by their key `K` how they did.
///
/// Shared by reference or `Arc` among all that call the service.
pub struct Picker<E, K = E> {
    settings: Arc<Settings>,
    key: fn(&E) -> K,
    /// Counts turns, or is the state of the generator of choices.
    turn: AtomicU64,
    known: ArcSwap<Known<K>>,
    /// Held only while endpoints that were never seen are added.
    learning: Mutex<()>,
}

type Known<K> = HashMap<K, Arc<Health>>;

/// A choice. It counts as a request in flight until it is dropped.
///
/// Say [`success`](Self::success) or [`failure`](Self::failure) when it is known. A choice that is dropped
/// without a word, such as that of a cancelled request, says nothing about the endpoint.
#[must_use = "the choice counts as a request in flight until it is dropped"]
pub struct Picked {
    index: usize,
    admission: Admission,
    judged: bool,
    health: Arc<Health>,
}

// === impl Picker ===

impl<K: Eq + Hash + Clone> Picker<K> {
    /// A picker of endpoints that are their own keys, such as addresses. Time starts at `now`.
    pub fn of_keys(options: Options, now: Instant) -> Self {
        Self::new(options, K::clone, now)
    }
}

impl<E, K: Eq + Hash + Clone> Picker<E, K> {
    /// A picker of endpoints that `key` tells apart. Time starts at `now`.
    pub fn new(options: Options, key: fn(&E) -> K, now: Instant) -> Self {
        let turn = AtomicU64::new(match options.strategy {
            Strategy::RoundRobin => 0,
            Strategy::LeastLoaded => options.seed,
        });
        let settings = Arc::new(Settings { options, epoch: now });
        Self {
            settings,
            key,
            turn,
            known: ArcSwap::default(),
            learning: Mutex::new(()),
        }
    }

    /// Chooses one of `endpoints`; `None` when there are none.
    pub fn pick(&self, endpoints: &[E], now: Instant) -> Option<Picked> {
        let now = self.settings.at(now);
        let known = self.known.load();
        // The usual case: all that are looked at are known.
        if let Choice::Made(picked) = self.choose(endpoints, &known, now) {
            return picked;
        }
        drop(known);
        let known = self.learn(endpoints);
        match self.choose(endpoints, &known, now) {
            Choice::Made(picked) => picked,
            // Not reached: `learn` knows all of `endpoints`.
            Choice::Unknown => None,
        }
    }

    fn choose(&self, endpoints: &[E], known: &Known<K>, now: u64) -> Choice {
        let health = |index: usize| {
            endpoints
                .get(index)
                .and_then(|endpoint| known.get(&(self.key)(endpoint)))
        };
        let chosen = match (endpoints.len(), self.settings.options.strategy) {
            (0, _) => return Choice::Made(None),
            (len, Strategy::RoundRobin) => self.in_turn(len, now, health),
            (len, Strategy::LeastLoaded) => self.of_two(len, now, health),
        };
        match chosen {
            Some((index, admission, health)) => {
                Choice::Made(Some(Picked::new(index, admission, health.clone())))
            }
            None => Choice::Unknown,
        }
    }

    /// The next that is in rotation. Each that is skipped uses up a turn of its own, so that its neighbour does
    /// not inherit its share.
    fn in_turn<'a>(
        &self,
        len: usize,
        now: u64,
        health: impl Fn(usize) -> Option<&'a Arc<Health>>,
    ) -> Chosen<'a> {
        let turn = || reduce(self.turn.fetch_add(1, Ordering::Relaxed), len);
        for _ in 0..len {
            let index = turn();
            let health = health(index)?;
            if let Some(admission) = health.admit(now) {
                return Some((index, admission, health));
            }
        }
        // Others took turns meanwhile, so look at each once; then take one more turn, whoever's it is.
        first_admitted(0, len, now, &health).or_else(|| {
            let index = turn();
            Some((index, Admission::Forced, health(index)?))
        })
    }

    /// The less loaded of two at random.
    fn of_two<'a>(
        &self,
        len: usize,
        now: u64,
        health: impl Fn(usize) -> Option<&'a Arc<Health>>,
    ) -> Chosen<'a> {
        let random = self.random();
        let one = reduce(random >> 32, len);
        // Another one than the first, each with the same chance.
        let other = if len == 1 {
            one
        } else {
            (one + 1 + reduce(random & 0xffff_ffff, len - 1)) % len
        };
        let (one, other) = ((one, health(one)?), (other, health(other)?));
        let [less, more] = if other.1.in_flight() < one.1.in_flight() {
            [other, one]
        } else {
            [one, other]
        };
        for (index, health) in [less, more] {
            if let Some(admission) = health.admit(now) {
                return Some((index, admission, health));
            }
        }
        first_admitted(less.0, len, now, &health).or(Some((less.0, Admission::Forced, less.1)))
    }

    fn random(&self) -> u64 {
        // SplitMix64: it needs no lock, and a choice of load needs no better chance.
        let state = self.turn.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Adds those of `endpoints` that were never seen, and forgets idle ones when there are many.
    fn learn(&self, endpoints: &[E]) -> Arc<Known<K>> {
        let _one_at_a_time = self.learning.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.known.load_full();
        let mut next: Known<K> = HashMap::with_capacity(endpoints.len());
        for endpoint in endpoints {
            let key = (self.key)(endpoint);
            let health = known.get(&key).cloned();
            next.insert(
                key,
                health.unwrap_or_else(|| Arc::new(Health::new(self.settings.clone()))),
            );
        }
        let room = endpoints.len().saturating_mul(2).saturating_add(SPARE);
        for (key, health) in known.iter() {
            if !health.is_idle() || known.len() < room {
                next.entry(key.clone()).or_insert_with(|| health.clone());
            }
        }
        let next = Arc::new(next);
        self.known.store(next.clone());
        next
    }
}

/// What came of looking at a list.
enum Choice {
    Made(Option<Picked>),
    /// There is an endpoint that was never seen.
    Unknown,
}

/// Which endpoint and on what terms; `None` when one of those that were looked at was never seen.
type Chosen<'a> = Option<(usize, Admission, &'a Arc<Health>)>;

/// The first, from `start` on and around, that takes a request.
fn first_admitted<'a>(
    start: usize,
    len: usize,
    now: u64,
    health: &impl Fn(usize) -> Option<&'a Arc<Health>>,
) -> Chosen<'a> {
    (0..len).map(|step| (start + step) % len).find_map(|index| {
        let health = health(index)?;
        Some((index, health.admit(now)?, health))
    })
}

/// `number` as an index below `len`, which is not 0.
fn reduce(number: u64, len: usize) -> usize {
    let len = u64::try_from(len).unwrap_or(u64::MAX);
    usize::try_from(number % len).unwrap_or(0)
}

impl<E, K> fmt::Debug for Picker<E, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picker")
            .field("options", &self.settings.options)
            .finish_non_exhaustive()
    }
}

// === impl Picked ===

impl Picked {
    fn new(index: usize, admission: Admission, health: Arc<Health>) -> Self {
        health.begin();
        Self {
            index,
            admission,
            judged: false,
            health,
        }
    }

    /// Which of the endpoints was chosen.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Whether this request finds out if an ejected endpoint is well again.
    pub fn is_probe(&self) -> bool {
        matches!(self.admission, Admission::Probe(_))
    }

    /// The endpoint could be reached. Ends the request's time in flight.
    pub fn success(mut self) {
        self.reached();
    }

    /// The endpoint could not be reached; it is `now`. Ends the request's time in flight.
    pub fn failure(mut self, now: Instant) {
        self.judged = true;
        self.health.failed(self.admission, now);
    }

    /// The endpoint could be reached, and the request stays in flight until this is dropped, such as while a
    /// body streams.
    pub fn reached(&mut self) {
        if !self.judged {
            self.judged = true;
            self.health.succeeded(self.admission);
        }
    }
}

impl Drop for Picked {
    fn drop(&mut self) {
        if !self.judged {
            self.health.abandoned(self.admission);
        }
        self.health.end();
    }
}

impl fmt::Debug for Picked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picked")
            .field("index", &self.index)
            .field("admission", &self.admission)
            .finish_non_exhaustive()
    }
}
