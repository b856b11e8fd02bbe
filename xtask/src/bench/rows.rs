//! The rows of the table: which number of which measure is set against which, and the bars.

use super::measure::{OURS, PEER, Subject};

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Higher,
    Lower,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) label: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) measure: &'static str,
    pub(crate) number: &'static str,
    /// Whether the direct run's number of the same pair is taken off first.
    pub(crate) added: bool,
    pub(crate) better: Better,
    /// The bare limit: the best of these in the same pair.
    pub(crate) limit: &'static [Subject],
    pub(crate) bars: Bars,
}

/// What a row asks: ours divided by the other is at least this (higher is better) or at most (lower is better).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bars {
    pub(crate) limit: Option<f64>,
    pub(crate) peer: Option<f64>,
    /// Ours itself, in the row's unit.
    pub(crate) own: Option<f64>,
}

const CHAINS: &[Subject] = &[Subject::TwoHopsH1, Subject::TwoHopsH2];
const GRPC_CHAIN: &[Subject] = &[Subject::TwoHopsH2];
const APP: &[Subject] = &[Subject::Direct];
const HOP: &[Subject] = &[Subject::OneHop];
const NONE: &[Subject] = &[];

const THIRD: f64 = 1.0 / 3.0;

/// The table, in order.
pub(crate) const ROWS: &[Row] = &[
    more("HTTP, two sidecars, full speed", "rps", "http-max", "rps", CHAINS).bars(Some(0.75), Some(3.5)),
    less(
        "HTTP, two sidecars, 1,000 rps: added p50",
        "µs",
        "http-1000",
        "p50",
        CHAINS,
    )
    .added()
    .bars(Some(1.5), Some(THIRD)),
    less(
        "HTTP, two sidecars, 1,000 rps: added p90",
        "µs",
        "http-1000",
        "p90",
        CHAINS,
    )
    .added(),
    less(
        "HTTP, two sidecars, 1,000 rps: added p99",
        "µs",
        "http-1000",
        "p99",
        CHAINS,
    )
    .added(),
    less(
        "HTTP, two sidecars, 1,000 rps: CPU a request",
        "µs",
        "http-1000",
        "cpu_us",
        CHAINS,
    )
    .bars(Some(1.5), Some(THIRD)),
    less(
        "HTTP, two sidecars, 1,000 rps: RSS of the larger",
        "MB",
        "http-1000",
        "rss_mb",
        CHAINS,
    ),
    more(
        "gRPC, two sidecars, full speed",
        "rps",
        "grpc-max",
        "rps",
        GRPC_CHAIN,
    )
    .bars(Some(0.6), Some(3.0)),
    less(
        "gRPC, two sidecars, 1,000 rps: added p50",
        "µs",
        "grpc-1000",
        "p50",
        GRPC_CHAIN,
    )
    .added(),
    less(
        "gRPC, two sidecars, 1,000 rps: added p90",
        "µs",
        "grpc-1000",
        "p90",
        GRPC_CHAIN,
    )
    .added(),
    less(
        "gRPC, two sidecars, 1,000 rps: added p99",
        "µs",
        "grpc-1000",
        "p99",
        GRPC_CHAIN,
    )
    .added(),
    less(
        "gRPC, two sidecars, 1,000 rps: CPU a request",
        "µs",
        "grpc-1000",
        "cpu_us",
        GRPC_CHAIN,
    ),
    more("state get in memory, HTTP", "rps", "state-get", "rps", APP).bars(Some(0.6), Some(3.0)),
    more("state set in memory, HTTP", "rps", "state-set", "rps", APP),
    more(
        "state set in SQLite, 32 connections",
        "rps",
        "sqlite-set",
        "rps",
        &[Subject::Writer],
    )
    .bars(Some(0.5), Some(4.0)),
    less(
        "state set in SQLite: p99",
        "µs",
        "sqlite-set",
        "p99",
        &[Subject::Writer],
    )
    .bars(None, Some(0.2)),
    more("publish in memory, nobody listens", "rps", "publish", "rps", APP),
    more(
        "publish in memory, one subscriber: delivered",
        "events/s",
        "deliver",
        "delivered",
        &[Subject::Serial],
    )
    .bars(None, Some(3.0)),
    less(
        "publish to delivery, 1,000/s: p50",
        "µs",
        "deliver-latency",
        "p50",
        HOP,
    ),
    less(
        "publish to delivery, 1,000/s: p99",
        "µs",
        "deliver-latency",
        "p99",
        HOP,
    ),
    less("idle RSS, no component", "MB", "idle", "rss_mb", HOP)
        .bars(None, Some(0.25))
        .own(12.0),
    less(
        "idle RSS, with SQLite and OTLP",
        "MB",
        "idle-sqlite-otlp",
        "rss_mb",
        NONE,
    )
    .bars(None, Some(0.25))
    .own(15.0),
    less("exec to ready", "ms", "ready", "ready_ms", APP)
        .bars(None, Some(0.5))
        .own(50.0),
    less("stripped binary", "MB", "binary", "binary_mb", NONE)
        .bars(None, Some(0.25))
        .own(30.0),
    less(
        "512 MB upload, two sidecars: RSS growth of the larger",
        "MB",
        "upload",
        "growth_mb",
        CHAINS,
    )
    .own(8.0),
    more(
        "512 MB upload, two sidecars: speed",
        "MB/s",
        "upload",
        "mb_per_s",
        CHAINS,
    ),
    less(
        "embedded: state get in memory, 1 KB text",
        "µs",
        "embedded-get",
        "text_us",
        NONE,
    )
    .own(5.0),
];

/// The two that a row compares; what a peer cannot do has ours alone.
pub(crate) const COMPARED: [Subject; 2] = [OURS, PEER];

const fn more(
    label: &'static str,
    unit: &'static str,
    measure: &'static str,
    number: &'static str,
    limit: &'static [Subject],
) -> Row {
    let bars = Bars {
        limit: None,
        peer: None,
        own: None,
    };
    Row {
        label,
        unit,
        measure,
        number,
        added: false,
        better: Better::Higher,
        limit,
        bars,
    }
}

const fn less(
    label: &'static str,
    unit: &'static str,
    measure: &'static str,
    number: &'static str,
    limit: &'static [Subject],
) -> Row {
    Row {
        better: Better::Lower,
        ..more(label, unit, measure, number, limit)
    }
}

impl Row {
    const fn added(mut self) -> Self {
        self.added = true;
        self
    }

    const fn bars(mut self, limit: Option<f64>, peer: Option<f64>) -> Self {
        self.bars.limit = limit;
        self.bars.peer = peer;
        self
    }

    const fn own(mut self, bar: f64) -> Self {
        self.bars.own = Some(bar);
        self
    }
}

impl Better {
    /// Whether a value meets a bar.
    pub(crate) fn meets(self, value: f64, bar: f64) -> bool {
        match self {
            Self::Higher => value >= bar,
            Self::Lower => value <= bar,
        }
    }

    /// The better of two.
    pub(crate) fn of(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Higher => a.max(b),
            Self::Lower => a.min(b),
        }
    }

    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Higher => "≥",
            Self::Lower => "≤",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::measure::MEASURES;

    #[test]
    fn every_row_has_its_measure_and_subjects() {
        for row in ROWS {
            let measure = MEASURES.iter().find(|measure| measure.name == row.measure);
            let measure = measure.unwrap_or_else(|| panic!("{} has no measure {}", row.label, row.measure));
            let direct = if row.added { APP } else { NONE };
            // A daprd is in no app's process.
            let compared = if row.measure == "embedded-get" {
                &[OURS][..]
            } else {
                &COMPARED
            };
            for subject in row.limit.iter().chain(direct).chain(compared) {
                assert!(
                    measure.subjects.contains(subject),
                    "{}: {}",
                    row.label,
                    subject.label()
                );
            }
        }
    }

    #[test]
    fn every_measure_has_a_row() {
        for measure in MEASURES {
            assert!(
                ROWS.iter().any(|row| row.measure == measure.name),
                "{}",
                measure.name
            );
        }
    }
}
