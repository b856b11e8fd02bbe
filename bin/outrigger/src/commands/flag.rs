//! Flags that are read as Dapr's CLI reads them: with the rules of Go.

use std::path::PathBuf;

use clap::{
    Arg, ArgAction, Command,
    builder::{OsStringValueParser, StringValueParser, TypedValueParser},
};
use outrigger_base_std::go;

/// The grammar with every switch as Go has it: `--flag` and `--flag=BOOL`, never `--flag BOOL`.
pub(super) fn with_switches(grammar: Command) -> Command {
    grammar.mut_args(switch).mut_subcommands(with_switches)
}

fn switch(arg: Arg) -> Arg {
    if !matches!(arg.get_action(), ArgAction::SetTrue) {
        return arg;
    }
    arg.action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .default_value("false")
        .hide_default_value(true)
        .value_name("BOOL")
        .value_parser(boolean())
}

/// A boolean as Go reads it: `1`, `t`, `T`, `TRUE`, `true`, `True`, and as many for the contrary.
pub(super) fn boolean() -> impl TypedValueParser<Value = bool> {
    StringValueParser::new().try_map(|text| go::parse_bool(&text).ok_or("expected true or false"))
}

/// A path, which may be empty: scripts give `--flag "$VAR"`, and containers set variables to nothing. clap's own parser
/// refuses the empty one, so that whoever uses the value has to leave it out ([`some_path`]).
pub(super) fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// A path that was given and is not empty.
pub(super) fn some_path(path: Option<PathBuf>) -> Option<PathBuf> {
    path.filter(|path| !path.as_os_str().is_empty())
}

/// A text that was given and is not empty.
pub(super) fn some_text(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
