//! The end of a run: what each step took and how it ended, then the runners' own closing lines, then what was not run.

use std::io::{self, Write};
use std::time::Duration;

/// How a step ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Every command ended well.
    Passed,
    /// One did not: how.
    Failed(String),
    /// It could not run, and is told: why.
    NotRun(String),
}

/// One step's line.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) step: &'static str,
    /// Wall time.
    pub(crate) took: Duration,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// What its runners said at their end.
    pub(crate) closing: Vec<String>,
}

/// Prints the table and the closing lines.
pub(crate) fn print(rows: &[Row]) -> io::Result<()> {
    write_to(&mut io::stdout().lock(), rows)
}

fn write_to(out: &mut impl Write, rows: &[Row]) -> io::Result<()> {
    writeln!(out, "\n== summary")?;
    for row in rows {
        let seconds = row.took.as_secs();
        let outcome = match &row.outcome {
            Outcome::Passed => "passed".to_owned(),
            Outcome::Failed(how) => format!("FAILED ({how})"),
            Outcome::NotRun(why) => format!("not run ({why})"),
        };
        writeln!(
            out,
            "{:<12} {:>3}:{:02}  {outcome}",
            row.step,
            seconds / 60,
            seconds % 60
        )?;
    }
    let total: u64 = rows.iter().map(|row| row.took.as_secs()).sum();
    writeln!(out, "{:<12} {:>3}:{:02}", "total", total / 60, total % 60)?;
    for row in rows.iter().filter(|row| !row.closing.is_empty()) {
        writeln!(out, "\n{}:", row.step)?;
        row.closing.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    }
    write_not_run(out, rows)
}

/// The last line, where there is one: which steps nobody should take for passed.
fn write_not_run(out: &mut impl Write, rows: &[Row]) -> io::Result<()> {
    let not_run: Vec<_> = rows
        .iter()
        .filter(|row| matches!(row.outcome, Outcome::NotRun(_)))
        .map(|row| row.step)
        .collect();
    match not_run.len() {
        0 => Ok(()),
        1 => writeln!(out, "\n1 step was not run: {}", not_run[0]),
        count => writeln!(out, "\n{count} steps were not run: {}", not_run.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_run_has_the_last_word() {
        let absent = || Outcome::NotRun("there is no such tool".to_owned());
        let last = |rows: &[Row]| {
            let mut out = Vec::new();
            write_to(&mut out, rows).expect("a vector takes all");
            let text = String::from_utf8(out).expect("text");
            text.lines().last().map(str::to_owned)
        };
        let mut rows = vec![row("fmt", 2, Outcome::Passed, &[])];
        assert_eq!(last(&rows).as_deref(), Some("total          0:02"));
        rows.push(row("deny", 0, absent(), &[]));
        assert_eq!(last(&rows).as_deref(), Some("1 step was not run: deny"));
        rows.push(row("other", 0, absent(), &["a closing line"]));
        assert_eq!(last(&rows).as_deref(), Some("2 steps were not run: deny, other"));
    }

    fn row(step: &'static str, seconds: u64, outcome: Outcome, closing: &[&str]) -> Row {
        Row {
            step,
            took: Duration::from_secs(seconds),
            outcome,
            closing: closing.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    #[test]
    fn every_step_has_its_line_and_the_runners_follow() {
        let rows = [
            row("fmt", 2, Outcome::Passed, &[]),
            row(
                "deny",
                0,
                Outcome::NotRun("cargo-deny is not installed".to_owned()),
                &[],
            ),
            row(
                "test",
                75,
                Outcome::Failed("exit status: 101".to_owned()),
                &["test result: FAILED. 1 passed; 1 failed"],
            ),
        ];
        let mut out = Vec::new();
        write_to(&mut out, &rows).expect("a vector takes all");
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "\n== summary\n\
             fmt            0:02  passed\n\
             deny           0:00  not run (cargo-deny is not installed)\n\
             test           1:15  FAILED (exit status: 101)\n\
             total          1:17\n\
             \ntest:\ntest result: FAILED. 1 passed; 1 failed\n\
             \n1 step was not run: deny\n"
        );
    }
}
