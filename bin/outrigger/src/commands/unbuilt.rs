//! Commands of Dapr's CLI that have no room yet: known wherever they stand on the command line, and answered.

use std::ffi::OsString;

use clap::{Arg, ArgMatches, Command, value_parser};

/// Their names, with the short ones.
const NAMES: [(&str, Option<&str>); 12] = [
    ("annotate", None),
    ("components", None),
    ("configurations", None),
    ("dashboard", None),
    ("logs", None),
    ("mcpservers", None),
    ("mtls", None),
    ("scheduler", Some("sched")),
    ("status", None),
    ("uninstall", None),
    ("upgrade", None),
    ("workflow", Some("wf")),
];
/// What follows one of them, whatever it is.
const REST: &str = "rest";

/// A command was asked for that is not built.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the command {0:?} is not built into this version of Outrigger")]
pub(super) struct Unbuilt(&'static str);

/// The grammar that knows them. The help and the completions of shells do not: nobody can use them.
pub(super) fn with_unbuilt(grammar: Command) -> Command {
    grammar.subcommands(NAMES.map(|(name, short)| {
        let rest = Arg::new(REST)
            .num_args(0..)
            .trailing_var_arg(true)
            .allow_hyphen_values(true)
            .value_parser(value_parser!(OsString));
        // Help, too, is asked of the command, and answered by it.
        Command::new(name)
            .aliases(short)
            .hide(true)
            .disable_help_flag(true)
            .arg(rest)
    }))
}

/// The one that the command line asks for.
pub(super) fn asked(matches: &ArgMatches) -> Option<Unbuilt> {
    let asked = matches.subcommand_name()?;
    let known = NAMES.iter().find(|(name, _)| *name == asked);
    known.map(|(name, _)| Unbuilt(name))
}
