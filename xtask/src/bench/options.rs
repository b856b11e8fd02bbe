//! The command line of `cargo xtask bench`.

use std::{env, path::PathBuf};

use super::failure::{Failure, Result};

/// The environment variable that names the peer's program.
pub(crate) const PEER: &str = "OUTRIGGER_BENCH_DAPRD";

pub(crate) const USAGE: &str = "usage: cargo xtask bench [options]
runs ours, the bare limit and a peer in turn; all of it takes about 45 minutes
  --pairs N      alternating pairs of each measure (default 5)
  --seconds S    counted seconds of each run (default 8)
  --quick        one pair of short runs: does it work at all
  --only NAME    this measure only; repeatable
  --list         print the measures and end
  --ours PATH    our program (default: the dist build, which is made first)
  --no-build     measure what is built already
  --out FOLDER   where the results go (default: bench/ in cargo's target folder)
environment:
  OUTRIGGER_BENCH_DAPRD   path of a daprd to measure beside ours; without it the peer's cells stay empty";

/// Counted seconds of a run, long enough for a few garbage collections of the peer.
const SECONDS: f64 = 8.0;
/// The same with `--quick`.
const QUICK_SECONDS: f64 = 1.5;
/// Pairs that a claim takes.
const PAIRS: usize = 5;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) pairs: usize,
    /// Counted seconds of a run; a quarter of it goes before as warm-up.
    pub(crate) seconds: f64,
    pub(crate) only: Vec<String>,
    pub(crate) list: bool,
    pub(crate) build: bool,
    pub(crate) ours: Option<PathBuf>,
    pub(crate) out: Option<PathBuf>,
    /// The peer's daprd.
    pub(crate) peer: Option<PathBuf>,
}

impl Options {
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self {
            pairs: PAIRS,
            seconds: SECONDS,
            only: Vec::new(),
            list: false,
            build: true,
            ours: None,
            out: None,
            peer: env::var_os(PEER)
                .filter(|path| !path.is_empty())
                .map(PathBuf::from),
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || {
                args.next()
                    .ok_or_else(|| Failure::new(format!("{arg} wants a value\n{USAGE}")))
            };
            match arg.as_str() {
                "--pairs" => options.pairs = positive(arg, value()?)?,
                "--seconds" => options.seconds = positive(arg, value()?)?,
                "--quick" => (options.pairs, options.seconds) = (1, QUICK_SECONDS),
                "--only" => options.only.push(value()?.clone()),
                "--list" => options.list = true,
                "--no-build" => options.build = false,
                "--ours" => options.ours = Some(value()?.into()),
                "--out" => options.out = Some(value()?.into()),
                _ => return Err(Failure::new(format!("unknown argument {arg}\n{USAGE}"))),
            }
        }
        Ok(options)
    }
}

fn positive<T: std::str::FromStr + Default + PartialOrd>(name: &str, text: &str) -> Result<T> {
    let number = text.parse().ok().filter(|number| *number > T::default());
    number.ok_or_else(|| Failure::new(format!("{name} wants a positive number and got `{text}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options> {
        Options::parse(&args.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn reads_options() {
        let options = parse(&["--pairs", "3", "--only", "a", "--only", "b", "--no-build"]).unwrap();
        assert_eq!((options.pairs, options.build), (3, false));
        assert_eq!(options.only, ["a", "b"]);
        assert_eq!(parse(&["--quick"]).unwrap().pairs, 1);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for args in [
            &["--pairs", "0"][..],
            &["--pairs"],
            &["--seconds", "-1"],
            &["--seconds", "x"],
            &["what"],
        ] {
            assert!(parse(args).is_err(), "{args:?}");
        }
    }
}
