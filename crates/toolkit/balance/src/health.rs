//! What is remembered of one endpoint: its load, and whether it is in rotation.
//!
//! The state is a few atomics around one number, the *gate*:
//!
//! * `0`: in rotation;
//! * later than now: out of rotation until then;
//! * not later than now: the next pick may move it ahead and is the probe. Until then, or until the probe's
//!   outcome is known, the endpoint is out of rotation for everybody else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Instant,
};

use crate::options::{Settings, nanos};

/// In rotation.
const OPEN: u64 = 0;

/// Out of rotation, with a probe due at any time. Times are counted from 1.
const DUE: u64 = 1;

/// One endpoint. Times are as [`Settings::at`] counts them.
#[derive(Debug)]
pub(crate) struct Health {
    settings: Arc<Settings>,
    in_flight: AtomicU32,
    /// Failures in a row.
    failures: AtomicU32,
    /// Ejections that followed one another closely.
    ejections: AtomicU32,
    gate: AtomicU64,
    /// When the last ejection ended.
    last_ejection: AtomicU64,
}

/// On what terms an endpoint was picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It was in rotation.
    Regular,
    /// It was out of rotation, and this request tries whether it is well again. Holds the gate it set.
    Probe(u64),
    /// It was out of rotation, as all others were.
    Forced,
}

impl Health {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        let (in_flight, failures, ejections) = Default::default();
        let (gate, last_ejection) = Default::default();
        Self {
            settings,
            in_flight,
            failures,
            ejections,
            gate,
            last_ejection,
        }
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(crate) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn end(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether nothing is lost when this is forgotten.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight() == 0
            && self.gate.load(Ordering::Relaxed) == OPEN
            && self.failures.load(Ordering::Relaxed) == 0
    }

    /// Whether a request may go there now; claims the probe if one is due.
    pub(crate) fn admit(&self, now: u64) -> Option<Admission> {
        let gate = self.gate.load(Ordering::Acquire);
        if gate == OPEN {
            return Some(Admission::Regular);
        }
        if now < gate {
            return None;
        }
        let claimed = now
            .saturating_add(nanos(self.settings.options.probe))
            .max(DUE + 1);
        let claim = self
            .gate
            .compare_exchange(gate, claimed, Ordering::AcqRel, Ordering::Relaxed);
        claim.is_ok().then_some(Admission::Probe(claimed))
    }

    /// A request got through.
    pub(crate) fn succeeded(&self, admission: Admission) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
        match admission {
            // It may have been sent before the endpoint was ejected: it proves nothing about now.
            Admission::Regular => {}
            Admission::Probe(_) | Admission::Forced => self.gate.store(OPEN, Ordering::Release),
        }
    }

    /// A request could not be sent.
    pub(crate) fn failed(&self, admission: Admission, now: Instant) {
        let now = self.settings.at(now);
        match admission {
            Admission::Probe(claimed) => self.eject(claimed, now),
            // It is out of rotation as it is; many such failures at once must not add up.
            Admission::Forced => {}
            Admission::Regular => {
                let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
                let limit = self.settings.options.failures;
                if limit != 0 && failures >= limit {
                    self.eject(OPEN, now);
                }
            }
        }
    }

    /// A request was given up before its outcome was known: another may be the probe.
    pub(crate) fn abandoned(&self, admission: Admission) {
        if let Admission::Probe(claimed) = admission {
            let _lost_to_another =
                self.gate
                    .compare_exchange(claimed, DUE, Ordering::AcqRel, Ordering::Relaxed);
        }
    }

    /// Takes the endpoint out of rotation, if its gate is still as the caller saw it.
    fn eject(&self, gate: u64, now: u64) {
        let options = &self.settings.options;
        let quiet = now.saturating_sub(self.last_ejection.load(Ordering::Relaxed));
        let previous = match gate {
            // It did well for so long that what was before does not count.
            OPEN if quiet > nanos(options.ejection_max) => 0,
            _ => self.ejections.load(Ordering::Relaxed),
        };
        let until = now.saturating_add(options.ejection_after(previous)).max(DUE);
        if self
            .gate
            .compare_exchange(gate, until, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
        {
            self.ejections
                .store(previous.saturating_add(1), Ordering::Relaxed);
            self.last_ejection.store(until, Ordering::Relaxed);
            self.failures.store(0, Ordering::Relaxed);
        }
    }
}
