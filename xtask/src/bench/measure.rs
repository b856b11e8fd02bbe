//! What is measured, of whom, and when a run counts.

mod chain;
pub(crate) mod embedded;
mod footprint;
mod invoke;
mod publish;
mod state;
mod upload;

use std::collections::BTreeMap;

use super::{failure::Result, lab::Lab, sidecar::Maker};

/// Numbers of one run by name.
pub(crate) type Values = BTreeMap<String, f64>;

/// Bare one hop must reach this share of direct, or the machine was too busy for the run to count.
const ONE_HOP_SHARE: f64 = 0.4;
/// The same for the faster of the two-hop chains.
const TWO_HOPS_SHARE: f64 = 0.2;
/// Counted seconds of the three runs that decide whether a pair counts.
const GATE_SECONDS: f64 = 1.0;

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The app without anything between.
    Direct,
    OneHop,
    TwoHopsH1,
    TwoHopsH2,
    /// The app without anything between, one request at a time.
    Serial,
    /// The bare grouped SQLite writer.
    Writer,
    Sidecar(Maker),
}

pub(crate) const OURS: Subject = Subject::Sidecar(Maker::Ours);
pub(crate) const PEER: Subject = Subject::Sidecar(Maker::Peer);

impl Subject {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::OneHop => "one hop",
            Self::TwoHopsH1 => "two hops, HTTP/1.1 between",
            Self::TwoHopsH2 => "two hops, HTTP/2 between",
            Self::Serial => "direct, one at a time",
            Self::Writer => "grouped writer",
            Self::Sidecar(Maker::Ours) => "outrigger",
            Self::Sidecar(Maker::Peer) => "daprd",
        }
    }
}

/// What is done with a subject.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Task {
    Invoke { grpc: bool, rate: Option<u32> },
    StateGet,
    StateSet,
    SqliteSet,
    Publish,
    Deliver,
    DeliverLatency,
    Idle { loaded: bool },
    Ready,
    Binary,
    Upload,
    EmbeddedGet,
}

/// One measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) task: Task,
    pub(crate) subjects: &'static [Subject],
    /// Whether a run counts only when the machine is fit for speed.
    pub(crate) gated: bool,
}

impl Measure {
    /// Whether the measure's own runs say what the machine is fit for.
    pub(crate) fn is_gate(&self) -> bool {
        matches!(
            self.task,
            Task::Invoke {
                grpc: false,
                rate: None
            }
        )
    }
}

const CHAINS: &[Subject] = &[
    Subject::Direct,
    Subject::OneHop,
    Subject::TwoHopsH1,
    Subject::TwoHopsH2,
    OURS,
    PEER,
];
const GRPC_CHAINS: &[Subject] = &[Subject::Direct, Subject::OneHop, Subject::TwoHopsH2, OURS, PEER];
const AGAINST_APP: &[Subject] = &[Subject::Direct, OURS, PEER];
const AGAINST_HOP: &[Subject] = &[Subject::OneHop, OURS, PEER];

/// All measures, in the order in which they are run.
pub(crate) const MEASURES: &[Measure] = &[
    speed(
        "http-max",
        Task::Invoke {
            grpc: false,
            rate: None,
        },
        CHAINS,
    ),
    speed(
        "http-1000",
        Task::Invoke {
            grpc: false,
            rate: Some(super::load::RATE),
        },
        CHAINS,
    ),
    speed(
        "grpc-max",
        Task::Invoke {
            grpc: true,
            rate: None,
        },
        GRPC_CHAINS,
    ),
    speed(
        "grpc-1000",
        Task::Invoke {
            grpc: true,
            rate: Some(super::load::RATE),
        },
        GRPC_CHAINS,
    ),
    speed("state-get", Task::StateGet, AGAINST_APP),
    speed("state-set", Task::StateSet, AGAINST_APP),
    speed("sqlite-set", Task::SqliteSet, &[Subject::Writer, OURS, PEER]),
    speed("publish", Task::Publish, AGAINST_APP),
    speed("deliver", Task::Deliver, &[Subject::Serial, OURS, PEER]),
    speed("deliver-latency", Task::DeliverLatency, AGAINST_HOP),
    size("idle", Task::Idle { loaded: false }, AGAINST_HOP),
    size("idle-sqlite-otlp", Task::Idle { loaded: true }, &[OURS, PEER]),
    size("ready", Task::Ready, AGAINST_APP),
    size("binary", Task::Binary, &[OURS, PEER]),
    size(
        "upload",
        Task::Upload,
        &[Subject::TwoHopsH1, Subject::TwoHopsH2, OURS, PEER],
    ),
    speed("embedded-get", Task::EmbeddedGet, &[OURS]),
];

const fn speed(name: &'static str, task: Task, subjects: &'static [Subject]) -> Measure {
    Measure {
        name,
        task,
        subjects,
        gated: true,
    }
}

const fn size(name: &'static str, task: Task, subjects: &'static [Subject]) -> Measure {
    Measure {
        name,
        task,
        subjects,
        gated: false,
    }
}

impl Task {
    /// One run of one subject.
    pub(crate) fn run(self, lab: &Lab, subject: Subject) -> Result<Values> {
        match self {
            Self::Invoke { grpc, rate } => invoke::run(lab, subject, grpc, rate),
            Self::StateGet => state::get(lab, subject),
            Self::StateSet => state::set(lab, subject),
            Self::SqliteSet => state::sqlite_set(lab, subject),
            Self::Publish => publish::publish(lab, subject),
            Self::Deliver => publish::deliver(lab, subject),
            Self::DeliverLatency => publish::latency(lab, subject),
            Self::Idle { loaded } => footprint::idle(lab, subject, loaded),
            Self::Ready => footprint::ready(lab, subject),
            Self::Binary => footprint::binary(lab, subject),
            Self::Upload => upload::run(lab, subject),
            Self::EmbeddedGet => embedded::get(lab),
        }
    }
}

/// Requests a second of the bare chains: what the machine could do when a pair was run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gate {
    pub(crate) direct: f64,
    pub(crate) one_hop: f64,
    pub(crate) two_hops: f64,
}

impl Gate {
    /// From four short runs.
    pub(crate) fn measure(lab: &Lab) -> Result<Self> {
        let lab = lab.with_seconds(GATE_SECONDS.min(lab.seconds));
        Self::of(|subject| {
            let values = invoke::run(&lab, subject, false, None)?;
            Ok(values.get("rps").copied().unwrap_or(0.0))
        })
    }

    /// From the rates of the bare subjects.
    pub(crate) fn of(rps: impl Fn(Subject) -> Result<f64>) -> Result<Self> {
        Ok(Self {
            direct: rps(Subject::Direct)?,
            one_hop: rps(Subject::OneHop)?,
            two_hops: rps(Subject::TwoHopsH1)?.max(rps(Subject::TwoHopsH2)?),
        })
    }

    /// Whether a pair beside these numbers counts.
    pub(crate) fn open(&self) -> bool {
        self.one_hop >= ONE_HOP_SHARE * self.direct && self.two_hops >= TWO_HOPS_SHARE * self.direct
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_machine_closes_the_gate() {
        assert!(
            Gate {
                direct: 100.0,
                one_hop: 40.0,
                two_hops: 20.0
            }
            .open()
        );
        assert!(
            !Gate {
                direct: 100.0,
                one_hop: 39.0,
                two_hops: 30.0
            }
            .open()
        );
        assert!(
            !Gate {
                direct: 100.0,
                one_hop: 50.0,
                two_hops: 19.0
            }
            .open()
        );
    }

    #[test]
    fn names_are_different() {
        for (at, measure) in MEASURES.iter().enumerate() {
            assert!(MEASURES[..at].iter().all(|other| other.name != measure.name));
        }
    }
}
