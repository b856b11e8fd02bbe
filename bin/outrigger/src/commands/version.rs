//! `version`: our version and Dapr's that is matched.

use std::process::ExitCode;

use outrigger_base_std::BoxError;
use outrigger_wire_names::version;
use serde::Serialize;

use super::printout::print;

/// Print the versions of this program and of the Dapr runtime that it matches
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How the versions are written; lines of text if it is not given
    #[arg(short, long, value_enum)]
    output: Option<Output>,
}

/// How the versions are written.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Output {
    /// JSON.
    Json,
}

/// The keys are those of Dapr's CLI.
#[derive(Serialize)]
struct Versions {
    #[serde(rename = "Cli version")]
    cli: &'static str,
    #[serde(rename = "Runtime version")]
    runtime: &'static str,
}

pub(crate) fn apply(args: Args) -> Result<ExitCode, BoxError> {
    show(args.output)
}

/// Writes the versions.
pub(crate) fn show(output: Option<Output>) -> Result<ExitCode, BoxError> {
    let versions = Versions {
        cli: version::OUTRIGGER,
        runtime: version::DAPR,
    };
    let text = match output {
        None => format!(
            "CLI version: {} \nRuntime version: {}\n",
            versions.cli, versions.runtime
        ),
        Some(Output::Json) => format!("{}\n", serde_json::to_string(&versions)?),
    };
    print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
