//! `cargo xtask gen [--check]`: writes the generated protobuf code, or says where it drifted.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use xtask_gen::{Drift, OUT_DIR, compare, generate, repository_root, write};

const USAGE: &str = "usage: cargo xtask gen [--check]
  without arguments: write the Rust and the descriptors of proto/ to crates/wire/proto/src/gen
  --check: write nothing; fail when the committed files differ from what would be written";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => run(false),
        ["--check"] => run(true),
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            report(error.as_ref());
            ExitCode::from(2)
        }
    }
}

/// Exit code 0: all is as it should be; 1: `check` found drift.
fn run(check: bool) -> Result<ExitCode, Box<dyn Error>> {
    let root = repository_root();
    let files = generate(&root)?;
    let dir = root.join(OUT_DIR);
    let drift = if check {
        compare(&files, &dir)?
    } else {
        write(&files, &dir)?
    };
    tell(check, &drift)?;
    let failed = check && !drift.is_empty();
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn tell(check: bool, drift: &[Drift]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if drift.is_empty() {
        return writeln!(out, "{OUT_DIR} is up to date");
    }
    for change in drift {
        writeln!(out, "{OUT_DIR}: {change}")?;
    }
    let end = if check {
        "run `cargo xtask gen` and commit the result"
    } else {
        "written"
    };
    writeln!(out, "{end}")
}

/// Prints the error and its causes to stderr. When even that fails there is nobody left to tell.
fn report(error: &dyn Error) {
    let mut text = format!("gen: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    let _ = writeln!(std::io::stderr(), "{text}");
}
