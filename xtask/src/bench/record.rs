//! What was run, and what came of it.

use serde_json::{Value, json};

use super::{
    failure::Failure,
    measure::{Gate, Subject, Values},
};

/// A share of the machine that others may take before a run is called noisy.
pub(crate) const NOISE: f64 = 0.02;

/// One run of one subject.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) subject: Subject,
    pub(crate) outcome: Result<Values, Failure>,
    /// The share of the machine that other processes took meanwhile.
    pub(crate) foreign: f64,
}

/// The runs of all subjects of one measure, one beside the other.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) measure: &'static str,
    pub(crate) number: usize,
    pub(crate) runs: Vec<Run>,
    /// What the machine could do; none where speed does not matter.
    pub(crate) gate: Option<Result<Gate, Failure>>,
}

impl Pair {
    /// Whether the machine was fit for what was measured.
    pub(crate) fn counts(&self) -> bool {
        self.gate
            .as_ref()
            .is_none_or(|gate| gate.as_ref().is_ok_and(Gate::open))
    }

    /// A number of a subject's run.
    pub(crate) fn number(&self, subject: Subject, name: &str) -> Option<f64> {
        self.run(subject)?.outcome.as_ref().ok()?.get(name).copied()
    }

    pub(crate) fn run(&self, subject: Subject) -> Option<&Run> {
        self.runs.iter().find(|run| run.subject == subject)
    }

    /// Whether others took more of the machine than they may.
    pub(crate) fn noisy(&self) -> bool {
        self.runs.iter().any(|run| run.foreign > NOISE)
    }

    /// One JSON object a run.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Value> {
        let gate = match &self.gate {
            None => Value::Null,
            Some(Ok(gate)) => {
                json!({"direct": gate.direct, "one_hop": gate.one_hop, "two_hops": gate.two_hops})
            }
            Some(Err(error)) => json!({"error": error.to_string()}),
        };
        self.runs.iter().enumerate().map(move |(place, run)| {
            let (values, error) = match &run.outcome {
                Ok(values) => (json!(values), Value::Null),
                Err(error) => (Value::Null, json!(error.to_string())),
            };
            json!({
                "measure": self.measure, "pair": self.number, "place": place, "subject": run.subject.label(),
                "counts": self.counts(), "foreign_cpu": run.foreign, "gate": gate, "values": values, "error": error,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::measure::OURS;

    #[test]
    fn a_run_becomes_a_line() {
        let runs = vec![
            Run {
                subject: Subject::Direct,
                outcome: Ok(Values::from([("rps".to_owned(), 2.0)])),
                foreign: 0.0,
            },
            Run {
                subject: OURS,
                outcome: Err(Failure::new("gone")),
                foreign: 0.5,
            },
        ];
        let pair = Pair {
            measure: "m",
            number: 1,
            runs,
            gate: None,
        };
        let lines: Vec<Value> = pair.lines().collect();
        assert_eq!(lines[0]["values"]["rps"], 2.0);
        assert_eq!(lines[1]["error"], "gone");
        assert!(pair.counts() && pair.noisy());
        assert_eq!(pair.number(OURS, "rps"), None);
    }
}
