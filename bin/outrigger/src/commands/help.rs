//! `help`: what `--help` says, asked for the other way round.

use std::{ffi::OsString, process::ExitCode};

use outrigger_base_std::BoxError;
use outrigger_wire_names::flags;

use super::{Context, main};

/// The flag that does the work.
const HELP: &str = "--help";

/// Print this message or the help of the given subcommand(s)
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The command
    command: Vec<OsString>,
}

/// Asks the command itself, which is not known here if it is not built, or if there is none of this name.
pub(crate) fn apply(args: Args, context: &Context) -> Result<ExitCode, BoxError> {
    let json = context
        .talk
        .is_json()
        .then(|| format!("--{}", flags::LOG_AS_JSON).into());
    let words = [context.program.clone().into()].into_iter().chain(json);
    let words = words.chain(args.command).chain([HELP.into()]).collect();
    Ok(main(&context.program, words))
}
