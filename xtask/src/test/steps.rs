//! The steps, in the order in which they run: what is cheap and often wrong first.

mod closing;
mod sdk;
mod workspace;

use std::time::Duration;

use super::child::Job;
use super::lab::{Lab, PROGRAM};
use super::needs::Need;

/// The step that builds the program under test.
pub(crate) const BUILD: &str = "build";

/// One step.
pub(crate) struct Step {
    /// Its name, for `--only`.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) about: &'static str,
    /// What must be there; what others rest on comes first.
    pub(crate) needs: Vec<&'static Need>,
    /// True when it runs what the step [`BUILD`] builds: the program under test, unless the environment names one, or
    /// another.
    pub(crate) wants_build: fn(&Lab) -> bool,
    /// A command that takes longer hangs: several times what it takes cold on two cores.
    pub(crate) deadline: Duration,
    /// Why it cannot run here, when that is no failure.
    pub(crate) absent: fn(&Lab) -> Option<String>,
    /// Its commands.
    pub(crate) jobs: fn(&Lab) -> Vec<Job>,
    /// What the summary says of it beside its runners' closing lines: what was tested depends on the environment.
    pub(crate) note: Option<fn(&Lab) -> String>,
}

/// Every step of this checkout.
pub(crate) fn all(lab: &Lab) -> Vec<Step> {
    let mut steps = workspace::steps();
    let sdks = sdk::steps()
        .into_iter()
        .filter(|(folder, _)| lab.sdk(folder).is_dir());
    steps.extend(sdks.map(|(_, step)| step));
    steps
}

impl Step {
    fn new(name: &'static str, about: &'static str, minutes: u64, jobs: fn(&Lab) -> Vec<Job>) -> Self {
        Self {
            name,
            about,
            needs: Vec::new(),
            wants_build: |_| false,
            deadline: Duration::from_secs(minutes * 60),
            absent: |_| None,
            jobs,
            note: None,
        }
    }

    fn needs<const COUNT: usize>(mut self, needs: [&'static Need; COUNT]) -> Self {
        self.needs.extend(needs);
        self
    }

    /// It tests the program.
    fn tests_program(mut self) -> Self {
        self.wants_build = |lab| !lab.is_program_given;
        self
    }

    /// It runs another program of the workspace.
    fn after_build(mut self) -> Self {
        self.wants_build = |_| true;
        self
    }

    fn note(mut self, note: fn(&Lab) -> String) -> Self {
        self.note = Some(note);
        self
    }

    fn absent(mut self, absent: fn(&Lab) -> Option<String>) -> Self {
        self.absent = absent;
        self
    }
}

/// Tells the tests which program to start.
fn of_program(lab: &Lab, job: Job) -> Job {
    job.env(PROGRAM, lab.program.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_have_names_of_their_own() {
        let mut names: Vec<_> = workspace::steps().iter().map(|step| step.name).collect();
        names.extend(sdk::steps().iter().map(|(_, step)| step.name));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(names.contains(&BUILD));
    }

    #[test]
    fn what_cargo_compiles_is_locked() {
        let lab = Lab::for_test();
        let sdks = sdk::steps().into_iter().map(|(_, step)| step);
        for job in workspace::steps()
            .into_iter()
            .chain(sdks)
            .flat_map(|step| (step.jobs)(&lab))
        {
            let compiles = ["build", "clippy", "doc", "test"]
                .iter()
                .any(|verb| job.args[0] == *verb);
            if job.program == lab.cargo && compiles {
                assert!(job.args.iter().any(|arg| arg == "--locked"), "{job}");
            }
        }
    }
}
