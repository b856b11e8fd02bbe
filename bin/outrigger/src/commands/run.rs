//! `run`: starts apps with their sidecars, and ends them together.
//!
//! The command line, or a run file, becomes a plan for each app ([`plan`]); nothing is started before every plan is
//! whole and every resource is without a flaw ([`check`]). Then each sidecar is started and awaited, its app after it
//! ([`member`]), and the end of either, or a signal, ends both ([`launch`]).

mod args;
mod check;
mod environment;
mod file;
mod guard;
mod input;
mod launch;
mod lines;
mod logs;
mod member;
mod orders;
mod output;
mod plan;
mod ports;
mod process;
mod random_id;
mod settings;
mod sidecar;

use std::{path::PathBuf, process::ExitCode};

use outrigger_base_clock::SystemEntropy;
use outrigger_base_std::BoxError;
use outrigger_resource_manifest::ProcessEnv;

use super::{Context, KubernetesUnbuilt, block_on, flag::some_path, home::Home, talk::Mark};
pub(crate) use args::Args;
pub(crate) use file::path as run_file_path;
pub(crate) use guard::{Guard, main as guard};
pub(crate) use orders::{Commander, Order, Orders};
use plan::Plan;
pub(crate) use ports::{PortError, Ports};
pub(crate) use process::{Ended, Process};
use settings::App;

/// The first argument that makes this program the one which outlives a `run` that is killed.
pub(crate) const GUARD: &str = "run-guard";

/// Flags that go together with a run file.
const WITH_RUN_FILE: [&str; 4] = ["run-file", "kubernetes", "runtime-path", "log-as-json"];

/// What is to be run.
#[derive(Debug)]
struct Request {
    /// The apps.
    apps: Vec<App>,
    /// The run file they come from, if they do.
    file: Option<RunFile>,
}

/// A run file, as the sidecars are told of it.
#[derive(Debug, Clone)]
struct RunFile {
    /// Its path, absolute.
    path: PathBuf,
    /// The name that it gives itself.
    name: String,
}

pub(crate) fn apply(mut args: Args, given: &[String], context: &Context) -> Result<ExitCode, BoxError> {
    if args.kubernetes {
        return Err(KubernetesUnbuilt.into());
    }
    let request = match some_path(args.run_file.take()) {
        Some(path) => {
            warn_of_ignored(given, context);
            file::read(&path)?
        }
        None => Request {
            apps: vec![args.into_app()],
            file: None,
        },
    };
    let home = Home::find(context.runtime_path.as_deref(), &ProcessEnv)?;
    let plan = Plan::new(request, &home, &SystemEntropy)?;
    let warnings = check::check(&plan, &ProcessEnv)?;
    for warning in plan.warnings().into_iter().chain(warnings) {
        context.talk.say(Mark::Warning, &warning);
    }
    block_on(launch::launch(plan, context.talk))?
}

/// With a run file the other flags have no effect; Dapr's CLI says so in these words.
fn warn_of_ignored(given: &[String], context: &Context) {
    let ignored: Vec<_> = given
        .iter()
        .map(String::as_str)
        .filter(|flag| !WITH_RUN_FILE.contains(flag))
        .collect();
    if !ignored.is_empty() {
        let text = format!(
            "The following flags are ignored when using --run-file and should be configured in the run file instead: {}",
            ignored.join(", ")
        );
        context.talk.say(Mark::Warning, &text);
    }
}
