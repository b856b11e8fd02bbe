//! The role `sidecar`, which is also the program under the name `daprd`.
//!
//! The same flags, environment, ports, log form and exit codes as Dapr's runtime (dapr-runtime.md §5). Here the flags
//! become settings, the settings a node with its faces, and signals an orderly end.

mod faces;
mod flags;
mod logging;
mod run;
mod settings;
mod signals;
mod streams;
mod wait;
mod workers;

use std::{io::Write, process::ExitCode};

use outrigger_resource_manifest::ProcessEnv;
use outrigger_wire_names::{flags as names, version};

use flags::Flags;
use settings::Settings;

/// Exit code for a command line that cannot be understood.
const USAGE: u8 = 2;

/// Runs the role with `args`, which do not begin with the program's name.
pub(crate) fn main(args: Vec<String>) -> ExitCode {
    let flags = match Flags::parse(&args) {
        Ok(flags) => flags,
        Err(flags::FlagError::Help) => return say(&flags::usage()),
        Err(error) => {
            complain(&format!("{error}\n{}", flags::usage()));
            return ExitCode::from(USAGE);
        }
    };
    if flags.is_set(names::VERSION) {
        return say(&format!("{}\n", version::DAPR));
    }
    if flags.is_set(names::BUILD_INFO) {
        return say(&build_info());
    }
    match Settings::new(&flags, &ProcessEnv) {
        Ok(settings) if settings.wait => wait::until_outbound_ready(settings.http_port),
        Ok(settings) => run::run(settings, &flags),
        Err(error) => {
            complain(&format!("Fatal error from runtime: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

/// The version that is matched, and our own beside it.
fn build_info() -> String {
    format!(
        "Version: {}\nGit Commit: \nGit Version: \nFeatures: []\nOutrigger Version: {}\n",
        version::DAPR,
        version::OUTRIGGER
    )
}

/// Writes data for people or scripts; a closed pipe is their choice.
fn say(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Writes to the standard error, where nothing can be done about a failure.
fn complain(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
