//! The tables: ratios with their bars, then every number behind them.

use std::{collections::BTreeSet, fmt::Write as _};

use super::{
    measure::{Measure, OURS, PEER, Subject},
    record::Pair,
    rows::{COMPARED, ROWS, Row},
    stats::{Spread, short},
};

/// The Markdown of everything that was run.
pub(crate) fn markdown(heading: &str, measures: &[&Measure], pairs: &[Pair]) -> String {
    let mut out = format!(
        "{heading}\n## Ratios\n\nMedians over the pairs that count, with the least and the greatest in brackets; a ratio is taken within a pair.\n\n"
    );
    out.push_str(
        "| measure | unit | outrigger | bare limit | ratio | bar | daprd | ratio | bar | pairs | remarks |\n",
    );
    out.push_str("|---|---|---|---|---|---|---|---|---|---|---|\n");
    for row in ROWS
        .iter()
        .filter(|row| measures.iter().any(|measure| measure.name == row.measure))
    {
        let of_row: Vec<&Pair> = pairs.iter().filter(|pair| pair.measure == row.measure).collect();
        out.push_str(&ratio_line(row, &of_row));
    }
    out.push_str("\n## Numbers\n\n| measure | subject | medians |\n|---|---|---|\n");
    for measure in measures {
        numbers(&mut out, measure, pairs);
    }
    out
}

fn ratio_line(row: &Row, pairs: &[&Pair]) -> String {
    let counted: Vec<&Pair> = pairs.iter().copied().filter(|pair| pair.counts()).collect();
    // Where no pair counts the numbers are shown all the same, and said not to count.
    let shown = if counted.is_empty() { pairs } else { &counted };
    let spread =
        |value: &dyn Fn(&Pair) -> Option<f64>| Spread::of(shown.iter().filter_map(|pair| value(pair)));
    let ours = |pair: &Pair| value(row, pair, OURS);
    let limit = |pair: &Pair| limit(row, pair);
    let peer = |pair: &Pair| value(row, pair, PEER);
    let to_limit = spread(&|pair| ratio(ours(pair)?, limit(pair)?));
    let to_peer = spread(&|pair| ratio(ours(pair)?, peer(pair)?));
    let own = spread(&ours);
    let mut own_cell = cell(own);
    if let (Some(own), Some(bar)) = (own, row.bars.own) {
        own_cell = format!(
            "{own_cell} {} {}",
            verdict(row, own.median, bar, !counted.is_empty()),
            bar_text(row, Some(bar))
        );
    }
    format!(
        "| {} | {} | {own_cell} | {} | {} | {} | {} | {} | {} | {} of {} | {} |\n",
        row.label,
        row.unit,
        cell(spread(&limit)),
        judged(row, to_limit, row.bars.limit, !counted.is_empty()),
        bar_text(row, row.bars.limit),
        cell(spread(&peer)),
        judged(row, to_peer, row.bars.peer, !counted.is_empty()),
        bar_text(row, row.bars.peer),
        counted.len(),
        pairs.len(),
        remarks(pairs, counted.is_empty()),
    )
}

/// A subject's number in a pair, less the direct one's where the row says so.
fn value(row: &Row, pair: &Pair, subject: Subject) -> Option<f64> {
    let number = pair.number(subject, row.number)?;
    if row.added {
        Some(number - pair.number(Subject::Direct, row.number)?)
    } else {
        Some(number)
    }
}

/// The best of the bare subjects in a pair.
fn limit(row: &Row, pair: &Pair) -> Option<f64> {
    row.limit
        .iter()
        .filter_map(|subject| value(row, pair, *subject))
        .reduce(|a, b| row.better.of(a, b))
}

/// None where the other added nothing: noise has no ratio.
fn ratio(ours: f64, other: f64) -> Option<f64> {
    (other > 0.0).then(|| ours / other)
}

fn cell(spread: Option<Spread>) -> String {
    spread.map_or_else(
        || "–".to_owned(),
        |s| {
            if s.least == s.greatest {
                short(s.median)
            } else {
                format!("{} ({}…{})", short(s.median), short(s.least), short(s.greatest))
            }
        },
    )
}

fn judged(row: &Row, ratio: Option<Spread>, bar: Option<f64>, counts: bool) -> String {
    match (ratio, bar) {
        (Some(spread), Some(bar)) => format!("{} {}", cell(ratio), verdict(row, spread.median, bar, counts)),
        _ => cell(ratio),
    }
}

fn verdict(row: &Row, median: f64, bar: f64, counts: bool) -> &'static str {
    match (counts, row.better.meets(median, bar)) {
        (false, _) => "(does not count)",
        (true, true) => "✓",
        (true, false) => "✗",
    }
}

fn bar_text(row: &Row, bar: Option<f64>) -> String {
    bar.map_or_else(String::new, |bar| format!("{} {}", row.better.sign(), short(bar)))
}

/// Why a cell is empty, and what was wrong with the machine.
fn remarks(pairs: &[&Pair], none_counts: bool) -> String {
    let mut remarks = Vec::new();
    for subject in COMPARED {
        let runs = pairs.iter().filter_map(|pair| pair.run(subject));
        let failures: BTreeSet<String> = runs
            .filter_map(|run| run.outcome.as_ref().err().map(ToString::to_string))
            .collect();
        if let Some(first) = failures.first() {
            remarks.push(format!(
                "{}: {}",
                subject.label(),
                first.replace('|', "\\|").replace('\n', " ")
            ));
        }
    }
    if none_counts && !pairs.is_empty() {
        remarks.push("no pair counts: the bare hops were too slow against direct calls".to_owned());
    }
    let noisy = pairs.iter().filter(|pair| pair.noisy()).count();
    if noisy > 0 {
        remarks.push(format!("{noisy} noisy"));
    }
    remarks.join("; ")
}

fn numbers(out: &mut String, measure: &Measure, pairs: &[Pair]) {
    for subject in measure.subjects {
        let runs: Vec<_> = pairs
            .iter()
            .filter(|pair| pair.measure == measure.name)
            .filter_map(|pair| pair.run(*subject)?.outcome.as_ref().ok())
            .collect();
        let names: BTreeSet<&String> = runs.iter().flat_map(|values| values.keys()).collect();
        let medians: Vec<String> = names
            .into_iter()
            .filter_map(|name| {
                let spread = Spread::of(runs.iter().filter_map(|values| values.get(name).copied()))?;
                Some(format!("{name} {}", short(spread.median)))
            })
            .collect();
        let medians = if medians.is_empty() {
            "no run succeeded".to_owned()
        } else {
            medians.join(", ")
        };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "| {} | {} | {medians} |", measure.name, subject.label());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{
        failure::Failure,
        measure::{Gate, MEASURES, Values},
        record::Run,
    };

    fn pair(number: usize, gate: Gate, runs: &[(Subject, f64)]) -> Pair {
        let run = |(subject, rps): &(Subject, f64)| Run {
            subject: *subject,
            outcome: Ok(Values::from([("rps".to_owned(), *rps)])),
            foreign: 0.0,
        };
        Pair {
            measure: "http-max",
            number,
            runs: runs.iter().map(run).collect(),
            gate: Some(Ok(gate)),
        }
    }

    const OPEN: Gate = Gate {
        direct: 100.0,
        one_hop: 50.0,
        two_hops: 25.0,
    };
    const CLOSED: Gate = Gate {
        direct: 100.0,
        one_hop: 30.0,
        two_hops: 25.0,
    };

    fn table(pairs: &[Pair]) -> String {
        let measure = MEASURES
            .iter()
            .find(|measure| measure.name == "http-max")
            .unwrap();
        markdown("# x\n", &[measure], pairs)
    }

    #[test]
    fn ratios_are_taken_within_a_pair() {
        let all = |h1, h2, ours, peer| {
            [
                (Subject::TwoHopsH1, h1),
                (Subject::TwoHopsH2, h2),
                (OURS, ours),
                (PEER, peer),
            ]
        };
        let pairs = [
            pair(1, OPEN, &all(100.0, 90.0, 80.0, 20.0)),
            pair(2, OPEN, &all(150.0, 200.0, 100.0, 50.0)),
            pair(3, OPEN, &all(100.0, 90.0, 90.0, 10.0)),
            pair(4, CLOSED, &all(100.0, 90.0, 1.0, 10.0)),
        ];
        let text = table(&pairs);
        // To the faster chain: 0.8, 0.5, 0.9; to the peer: 4, 2, 9. The fourth pair does not count.
        assert!(text.contains("| 0.80 (0.50…0.90) ✓ | ≥ 0.75 |"), "{text}");
        assert!(
            text.contains("| 4.00 (2.00…9.00) ✓ | ≥ 3.50 | 3 of 4 |"),
            "{text}"
        );
    }

    #[test]
    fn what_does_not_count_is_said() {
        let text = table(&[pair(1, CLOSED, &[(Subject::TwoHopsH1, 100.0), (OURS, 100.0)])]);
        assert!(
            text.contains("(does not count)") && text.contains("0 of 1") && text.contains("no pair counts")
        );
    }

    #[test]
    fn a_missing_program_is_said() {
        let mut pair = pair(1, OPEN, &[(Subject::TwoHopsH1, 100.0)]);
        let outcome = Err(Failure::new("outrigger is not there"));
        pair.runs.push(Run {
            subject: OURS,
            outcome,
            foreign: 0.0,
        });
        assert!(table(&[pair]).contains("outrigger: outrigger is not there"));
    }
}
