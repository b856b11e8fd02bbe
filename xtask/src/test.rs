//! `cargo xtask test`: the one command that passes every test.
//!
//! It looks for what the tests need, names what is missing or installs it (`--install`), runs every step, the next
//! one also when one fails, and ends with what each took and with the runners' own closing lines. A missing server is
//! a failure, never a skip.

mod child;
mod lab;
mod needs;
mod options;
mod python;
mod steps;
mod summary;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use self::lab::Lab;
use self::options::Options;
use self::steps::Step;
use self::summary::{Outcome, Row};

/// Runs the steps that `args` ask for. Fails when one of them failed.
pub(crate) fn run(args: &[String]) -> io::Result<ExitCode> {
    let options = Options::parse(args)?;
    let lab = Lab::find()?;
    let steps = steps::all(&lab);
    if options.list {
        for step in &steps {
            writeln!(io::stdout(), "{:<12} {}", step.name, step.about)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = options.choose(&lab, steps)?;
    if !needs::meet(&lab, &chosen, options.install)? {
        return Ok(ExitCode::FAILURE);
    }
    let rows = run_steps(&lab, &chosen)?;
    summary::print(&rows)?;
    let failed = rows.iter().any(|row| matches!(row.outcome, Outcome::Failed(_)));
    Ok(ExitCode::from(u8::from(failed)))
}

fn run_steps(lab: &Lab, steps: &[Step]) -> io::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for step in steps {
        writeln!(io::stdout(), "\n== {}: {}", step.name, step.about)?;
        let began = Instant::now();
        let (outcome, mut closing) = run_step(lab, step)?;
        closing.extend(step.note.map(|note| note(lab)));
        rows.push(Row {
            step: step.name,
            took: began.elapsed(),
            outcome,
            closing,
        });
    }
    Ok(rows)
}

/// Runs the commands of one step in order, up to the first that fails.
fn run_step(lab: &Lab, step: &Step) -> io::Result<(Outcome, Vec<String>)> {
    if let Some(reason) = (step.absent)(lab) {
        writeln!(io::stdout(), "not run: {reason}")?;
        return Ok((Outcome::NotRun(reason), Vec::new()));
    }
    let mut closing = Vec::new();
    for job in (step.jobs)(lab) {
        let ended = child::run(&job, step.deadline)?;
        closing.extend(ended.closing);
        if let Some(failure) = ended.failure {
            writeln!(io::stdout(), "failed: {job}: {failure}")?;
            return Ok((Outcome::Failed(failure), closing));
        }
    }
    Ok((Outcome::Passed, closing))
}
