//! The steps of our own workspace.
//!
//! Everything that compiles selects the whole workspace with all its targets. A different selection would unify
//! features differently and build the large dependencies a second time. Compiling goes on after an error, so that one run
//! names all of them.

use super::super::child::{self, Job};
use super::super::lab::Lab;
use super::super::needs;
use super::{BUILD, Step, closing, of_program};

/// In the order in which they run.
pub(super) fn steps() -> Vec<Step> {
    vec![
        format(),
        tidy(),
        deny(),
        clippy(),
        build(),
        generated(),
        test(),
        doc(),
    ]
}

fn format() -> Step {
    Step::new("fmt", "the code has rustfmt's form", 5, |lab| {
        vec![cargo(lab, &["fmt", "--all", "--", "--check"])]
    })
    .needs([&needs::RUSTFMT])
}

fn tidy() -> Step {
    Step::new("tidy", "the rules of the house", 5, |lab| {
        let own = std::env::current_exe().unwrap_or_else(|_| lab.target.join("debug/xtask"));
        vec![Job::new(own, &["tidy"], &lab.root)]
    })
    .needs([&needs::GIT])
}

/// Advisories are not checked here: they need the network, and change without a change of ours.
fn deny() -> Step {
    Step::new("deny", "licences, banned crates, sources", 5, |lab| {
        vec![cargo(
            lab,
            &[
                "deny",
                "--offline",
                "--locked",
                "check",
                "bans",
                "licenses",
                "sources",
            ],
        )]
    })
    .absent(|lab| {
        let is_there = child::succeeds(&cargo(lab, &["deny", "--version"]));
        let cure = "cargo-deny is not installed: cargo install cargo-deny --locked";
        (!is_there).then(|| cure.to_owned())
    })
}

fn clippy() -> Step {
    Step::new("clippy", "no lint speaks", 40, |lab| {
        let args = [
            "clippy",
            "--locked",
            "--workspace",
            "--all-targets",
            "--keep-going",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ];
        vec![cargo(lab, &args)]
    })
    .needs([&needs::CLIPPY, &needs::COMPILER])
}

fn build() -> Step {
    Step::new(BUILD, "the program and every test", 50, |lab| {
        vec![cargo(
            lab,
            &[
                "build",
                "--locked",
                "--workspace",
                "--all-targets",
                "--keep-going",
                "--quiet",
            ],
        )]
    })
    .needs([&needs::COMPILER])
}

fn generated() -> Step {
    Step::new("gen", "the generated code is that of proto/", 10, |lab| {
        vec![Job::new(
            lab.target.join("debug/xtask-gen"),
            &["--check"],
            &lab.root,
        )]
    })
    .after_build()
}

fn test() -> Step {
    Step::new("test", "unit, conformance and process tests", 40, |lab| {
        let test = cargo(lab, &["test", "--locked", "--workspace", "--no-fail-fast"]);
        vec![of_program(lab, test).closing(closing::cargo)]
    })
    .needs([
        &needs::ROOT,
        &needs::COMPILER,
        &needs::IP,
        &needs::NAMESPACES,
        &needs::REDIS,
        &needs::CURL,
        &needs::KILL,
        &needs::OPENSSL,
        &needs::PYTHON,
    ])
    .note(Lab::neighbour)
    .tests_program()
}

fn doc() -> Step {
    Step::new(
        "doc",
        "the documentation builds, and its links lead somewhere",
        20,
        |lab| {
            let doc = cargo(
                lab,
                &[
                    "doc",
                    "--locked",
                    "--workspace",
                    "--no-deps",
                    "--lib",
                    "--keep-going",
                    "--quiet",
                ],
            );
            vec![doc.env("RUSTDOCFLAGS", "-D warnings")]
        },
    )
    .needs([&needs::COMPILER])
}

fn cargo(lab: &Lab, args: &[&str]) -> Job {
    Job::new(&lab.cargo, args, &lab.root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_compiles_selects_the_whole_workspace() {
        let lab = Lab::for_test();
        for step in [clippy(), build(), test(), doc()] {
            for job in (step.jobs)(&lab) {
                assert!(job.args.iter().any(|arg| arg == "--workspace"), "{job}");
            }
        }
    }
}
