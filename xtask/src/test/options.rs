//! What the user of `cargo xtask test` asks for.

use std::io;

use super::lab::Lab;
use super::steps::{self, Step};

const USAGE: &str = "usage: cargo xtask test [--install] [--only <step>]… [--list]
  --install      install what is missing: Debian packages, Python, JavaScript and Go packages
  --only <step>  run this step only; may be given several times
  --list         name the steps";

/// The parsed arguments.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Install what is missing instead of naming it.
    pub(crate) install: bool,
    /// Name the steps and end.
    pub(crate) list: bool,
    /// The steps to run; all when empty.
    only: Vec<String>,
}

impl Options {
    /// Reads the arguments after `test`.
    pub(crate) fn parse(args: &[String]) -> io::Result<Self> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--install" => options.install = true,
                "--list" => options.list = true,
                "--only" => {
                    let step = args
                        .next()
                        .ok_or_else(|| refuse("--only takes the name of a step"))?;
                    options.only.push(step.clone());
                }
                other => return Err(refuse(&format!("unknown argument {other}"))),
            }
        }
        Ok(options)
    }

    /// The steps to run, in their own order. A step that runs what is built brings the step that builds it.
    pub(crate) fn choose(&self, lab: &Lab, steps: Vec<Step>) -> io::Result<Vec<Step>> {
        if self.only.is_empty() {
            return Ok(steps);
        }
        for name in &self.only {
            if !steps.iter().any(|step| step.name == name) {
                let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
                return Err(refuse(&format!(
                    "no step is named {name}; there are: {}",
                    names.join(", ")
                )));
            }
        }
        let is_chosen = |step: &Step| self.only.iter().any(|name| name == step.name);
        let wants_build = steps
            .iter()
            .any(|step| is_chosen(step) && (step.wants_build)(lab));
        let chosen = steps
            .into_iter()
            .filter(|step| is_chosen(step) || (wants_build && step.name == steps::BUILD));
        Ok(chosen.collect())
    }
}

fn refuse(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{problem}\n{USAGE}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> io::Result<Options> {
        Options::parse(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
    }

    fn chosen(args: &[&str], is_program_given: bool) -> Vec<&'static str> {
        let lab = Lab {
            is_program_given,
            ..Lab::for_test()
        };
        let steps = parse(args)
            .and_then(|options| options.choose(&lab, steps::all(&lab)))
            .expect("valid");
        steps.iter().map(|step| step.name).collect()
    }

    #[test]
    fn arguments_are_read_and_wrong_ones_refused() {
        let options = parse(&["--install", "--only", "fmt"]).expect("valid");
        assert!(options.install && !options.list);
        assert_eq!(options.only, ["fmt"]);
        for (args, problem) in [(&["--only"][..], "name of a step"), (&["--fast"][..], "--fast")] {
            let said = parse(args).expect_err("invalid").to_string();
            assert!(said.contains(problem) && said.contains("usage:"), "{said}");
        }
    }

    #[test]
    fn a_step_that_tests_the_program_brings_the_build() {
        assert_eq!(chosen(&["--only", "fmt"], false), ["fmt"]);
        assert_eq!(chosen(&["--only", "test"], false), ["build", "test"]);
        assert_eq!(chosen(&["--only", "test"], true), ["test"]);
        // It runs the generator, which no environment names.
        assert_eq!(chosen(&["--only", "gen"], true), ["build", "gen"]);
    }

    #[test]
    fn an_unknown_step_is_refused_with_the_names_of_all() {
        let lab = Lab::for_test();
        let options = parse(&["--only", "tset"]).expect("valid");
        let said = options
            .choose(&lab, steps::all(&lab))
            .map(|_| ())
            .expect_err("unknown")
            .to_string();
        assert!(said.contains("tset") && said.contains("clippy"), "{said}");
    }
}
