//! `cargo xtask bench`: ours, the bare limit and a peer, in one go and alternating.
//!
//! Noise on a shared machine is a third of every number, so nothing is claimed but ratios within a pair: all subjects
//! of a measure run one after the other, in turned order the next time, and each ratio's median and spread over the
//! pairs is what the table shows. Cores are kept awake by idle-class spinners. A pair counts only if the bare hops had
//! the machine to themselves, which is told by what they reach of direct calls.
//!
//! Everything is started anew for each run, on loopback, in a network namespace of its own where that is allowed.

#![allow(
    clippy::disallowed_methods,
    reason = "a harness waits for processes and reads clocks; nothing here is asynchronous"
)]

mod failure;
mod http;
mod lab;
mod load;
mod measure;
mod namespace;
mod options;
mod proc;
mod process;
mod programs;
mod record;
mod report;
mod rows;
mod sidecar;
mod stats;

use std::{
    fs::{self, File},
    io::{self, Write},
    process::ExitCode,
};

use serde_json::json;

use failure::{Failure, Result, Tried};
use lab::{Lab, Spinners};
use measure::{Gate, MEASURES, Measure, Subject, Task, embedded};
use options::Options;
use proc::Usage;
use programs::Programs;
use record::{Pair, Run};

/// Runs the benchmark; the exit code says whether it ran, not whether the bars are met.
pub(crate) fn run(args: &[String]) -> io::Result<ExitCode> {
    bench(args).map_err(io::Error::other)
}

fn bench(args: &[String]) -> Result<ExitCode> {
    let options = Options::parse(args)?;
    if options.list {
        let names: Vec<&str> = MEASURES.iter().map(|measure| measure.name).collect();
        say(&names.join("\n"));
        return Ok(ExitCode::SUCCESS);
    }
    let measures = selected(&options.only)?;
    if options.build && !namespace::inside() {
        programs::build(&options)?;
        if measures
            .iter()
            .any(|measure| matches!(measure.task, Task::EmbeddedGet))
        {
            embedded::build()?;
        }
    }
    if let Some(ended) = namespace::enter() {
        return ended.tried(|| "running in a network namespace".to_owned());
    }
    all(&options, &measures)?;
    Ok(ExitCode::SUCCESS)
}

fn selected(only: &[String]) -> Result<Vec<&'static Measure>> {
    if only.is_empty() {
        return Ok(MEASURES.iter().collect());
    }
    let find = |name: &String| MEASURES.iter().find(|measure| measure.name == name);
    only.iter()
        .map(|name| find(name).ok_or_else(|| Failure::new(format!("there is no measure {name}; see --list"))))
        .collect()
}

fn all(options: &Options, measures: &[&'static Measure]) -> Result<()> {
    let out = match &options.out {
        Some(out) => out.clone(),
        None => programs::target_folder()?.join("bench"),
    };
    fs::create_dir_all(&out).tried(|| format!("making {}", out.display()))?;
    let lab = Lab::new(Programs::find(options)?, out.join("work"), options.seconds)?;
    let spinners = Spinners::start(&lab.programs.limit, &lab.folder)?;
    let path = out.join("bench.jsonl");
    let mut lines = File::create(&path).tried(|| format!("making {}", path.display()))?;
    let about = about(options);
    writeln!(lines, "{}", json!({ "about": about })).tried(|| format!("writing {}", path.display()))?;
    let mut pairs = Vec::new();
    for measure in measures {
        for number in 1..=options.pairs {
            let pair = run_pair(&lab, measure, number, &spinners);
            for line in pair.lines() {
                writeln!(lines, "{line}").tried(|| format!("writing {}", path.display()))?;
            }
            pairs.push(pair);
        }
    }
    let table = report::markdown(&format!("# Benchmark\n\n{about}\n"), measures, &pairs);
    let path = out.join("bench.md");
    fs::write(&path, &table).tried(|| format!("writing {}", path.display()))?;
    say(&table);
    say(&format!("written to {}", out.display()));
    Ok(())
}

/// All subjects of a measure, one after the other; every second time in turned order.
fn run_pair(lab: &Lab, measure: &Measure, number: usize, spinners: &Spinners) -> Pair {
    let gate = (measure.gated && !measure.is_gate()).then(|| Gate::measure(lab));
    let mut subjects = measure.subjects.to_vec();
    if number.is_multiple_of(2) {
        subjects.reverse();
    }
    let runs = subjects
        .into_iter()
        .map(|subject| run_one(lab, measure, number, subject, spinners))
        .collect();
    let mut pair = Pair {
        measure: measure.name,
        number,
        runs,
        gate,
    };
    if measure.is_gate() {
        let rps = |subject| {
            pair.number(subject, "rps")
                .ok_or_else(|| Failure::new("a bare run failed"))
        };
        pair.gate = Some(Gate::of(rps));
    }
    if !pair.counts() {
        say(&format!(
            "{} {number}: does not count: {:?}",
            measure.name, pair.gate
        ));
    }
    pair
}

fn run_one(lab: &Lab, measure: &Measure, number: usize, subject: Subject, spinners: &Spinners) -> Run {
    let live: Vec<u32> = spinners.pids().collect();
    let before = Usage::now(&live);
    let outcome = measure.task.run(lab, subject);
    let after = Usage::now(&live);
    let foreign = before
        .zip(after)
        .map_or(f64::NAN, |(before, after)| after.foreign_since(&before));
    let summary = match &outcome {
        Ok(values) => {
            let numbers: Vec<String> = values
                .iter()
                .map(|(name, value)| format!("{name} {}", stats::short(*value)))
                .collect();
            numbers.join(", ")
        }
        Err(error) => error.to_string(),
    };
    say(&format!(
        "{} {number}: {}: {summary}",
        measure.name,
        subject.label()
    ));
    Run {
        subject,
        outcome,
        foreign,
    }
}

/// What was measured where; the numbers mean nothing without it.
fn about(options: &Options) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or("")
        .trim_start_matches([' ', '\t', ':']);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "Commit {}, {cores} × {model}, Linux {}, {} pairs, {} s a run, subjects in turned order, idle-class spinners on all cores, no TLS, tracing off unless said, log level error.",
        programs::commit(),
        kernel.trim(),
        options.pairs,
        options.seconds,
    )
}

/// Progress and results, for a person.
fn say(text: &str) {
    // When nobody reads there is nobody left to tell.
    let _ = writeln!(io::stdout(), "{text}");
}
