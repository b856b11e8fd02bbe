//! Tasks of this repository: `cargo xtask <task> …`. One module per task.

mod bench;
mod checkout;
mod r#gen;
mod test;
mod tidy;

use std::io::{self, Write as _};
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <task> [arguments]
tasks:
  bench [options]  measure ours beside the bare limit and a peer; bench --list names the measures
  gen [--check]    generate the protobuf code from proto/, or fail when it has drifted
  test [options]   pass every test; test --list names the steps, --install brings what is missing
  tidy             check the rules of the house that no compiler checks";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = match args.split_first() {
        Some((task, rest)) => (task.as_str(), rest),
        None => ("", [].as_slice()),
    };
    let outcome = match task {
        "bench" => bench::run(rest),
        "gen" => r#gen::run(rest),
        "test" => test::run(rest),
        "tidy" => tidy::run(rest),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, USAGE)),
    };
    outcome.unwrap_or_else(|error| {
        // When stderr is closed there is nobody left to tell.
        let _ = writeln!(io::stderr(), "{error}");
        ExitCode::from(2)
    })
}
