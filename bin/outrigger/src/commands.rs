//! The user's commands: one file each, where parsing, applying and documenting it sit together.

mod api;
mod build_info;
mod completion;
mod flag;
mod help;
mod home;
mod init;
mod invoke;
mod list;
mod printout;
mod process_table;
mod publish;
mod run;
mod stop;
mod table;
mod talk;
mod terminal;
mod unbuilt;
mod version;

use std::{ffi::OsString, future::Future, path::PathBuf, process::ExitCode};

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, parser::ValueSource};
use outrigger_base_std::{BoxError, chain};
use outrigger_wire_names::environment;

pub(crate) use home::quoted;
pub(crate) use run::{Commander, Ended, GUARD, Guard, Order, Orders, PortError, Ports, Process, guard};
use talk::{Mark, Talk};
pub(crate) use terminal::Terminal;

/// One microservices runtime: sidecars, building blocks and the tools to run them.
#[derive(Debug, Parser)]
#[command(name = "outrigger", after_help = ROLES, args_override_self = true, disable_help_subcommand = true)]
struct Cli {
    /// Print the versions
    #[arg(short, long)]
    version: bool,
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Flags that every command has.
#[derive(Debug, Clone, clap::Args)]
struct Globals {
    /// Write this program's own messages as JSON
    #[arg(long, global = true, display_order = 900)]
    log_as_json: bool,
    /// Folder that holds the folder .dapr, instead of the home folder
    #[arg(long, global = true, display_order = 901, value_name = "PATH", env = environment::DAPR_RUNTIME_PATH, hide_env_values = true, value_parser = flag::path())]
    runtime_path: Option<PathBuf>,
}

/// What the help says of the roles, which read their command lines themselves.
const ROLES: &str = "\
Roles:
  sidecar      The sidecar, as the program daprd: `outrigger sidecar --help`

Started under the name dapr, the program answers these same commands; under the name daprd, it is the sidecar.";

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<run::Args>),
    Init(init::Args),
    List(list::Args),
    Stop(stop::Args),
    Invoke(invoke::Args),
    Publish(publish::Args),
    Version(version::Args),
    Completion(completion::Args),
    BuildInfo(build_info::Args),
    Demo(crate::demo::Args),
    Help(help::Args),
}

/// What every command is given.
#[derive(Debug)]
struct Context {
    /// How it talks.
    talk: Talk,
    /// The name that the program was started under.
    program: String,
    /// Where the folder `.dapr` is, if not in the home folder.
    runtime_path: Option<PathBuf>,
}

/// Runs the command line `args`, which begins with the program's name; `name` is how the help calls the program.
pub(crate) fn main(name: &str, args: Vec<OsString>) -> ExitCode {
    let program = if name.is_empty() { "outrigger" } else { name };
    let matches = unbuilt::with_unbuilt(command(program)).get_matches_from(args);
    let globals = Globals::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let context = Context {
        talk: Talk::new(globals.log_as_json),
        program: program.to_owned(),
        runtime_path: flag::some_path(globals.runtime_path),
    };
    obey(&matches, &context).unwrap_or_else(|error| {
        if printout::is_closed(&*error) {
            return ExitCode::SUCCESS;
        }
        context.talk.say(Mark::Failure, &chain(&*error));
        ExitCode::FAILURE
    })
}

/// Does what the command line says.
fn obey(matches: &ArgMatches, context: &Context) -> Result<ExitCode, BoxError> {
    if let Some(unbuilt) = unbuilt::asked(matches) {
        return Err(unbuilt.into());
    }
    let cli = Cli::from_arg_matches(matches).unwrap_or_else(|error| error.exit());
    match cli.command {
        _ if cli.version => version::show(None),
        None => overview(&context.program),
        Some(command) => apply(command, &given(matches), context),
    }
}

/// The whole grammar, under the program's name.
fn command(program: &str) -> clap::Command {
    flag::with_switches(Cli::command())
        .name(program.to_owned())
        .bin_name(program.to_owned())
}

fn apply(command: Command, given: &[String], context: &Context) -> Result<ExitCode, BoxError> {
    match command {
        Command::Run(args) => run::apply(*args, given, context),
        Command::Init(args) => init::apply(args, given, context),
        Command::List(args) => list::apply(args),
        Command::Stop(args) => stop::apply(args, context),
        Command::Invoke(args) => invoke::apply(args, context),
        Command::Publish(args) => publish::apply(args, context),
        Command::Version(args) => version::apply(args),
        Command::Completion(args) => completion::apply(args, context),
        Command::BuildInfo(args) => build_info::apply(args),
        Command::Demo(args) => crate::demo::apply(&args),
        Command::Help(args) => help::apply(args, context),
    }
}

/// The flags of the subcommand that stand on the command line, by their long names.
fn given(matches: &ArgMatches) -> Vec<String> {
    let grammar = Cli::command();
    let Some((sub, grammar)) = matches
        .subcommand()
        .and_then(|(name, sub)| Some((sub, grammar.find_subcommand(name)?)))
    else {
        return Vec::new();
    };
    grammar
        .get_arguments()
        .filter(|arg| sub.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine))
        .map(|arg| arg.get_long().unwrap_or("COMMAND").to_owned())
        .collect()
}

fn overview(program: &str) -> Result<ExitCode, BoxError> {
    command(program)
        .print_help()
        .map_err(printout::PrintError::from)?;
    Ok(ExitCode::SUCCESS)
}

/// Runs a command's asynchronous part on this thread. Commands wait for others most of the time: one thread is enough.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, BoxError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let value = runtime.block_on(future);
    // A blocking call that hangs (a slow disk) must not keep the program.
    runtime.shutdown_background();
    Ok(value)
}

/// Kubernetes was asked for.
#[derive(Debug, thiserror::Error)]
#[error(
    "Kubernetes mode (-k) is not built into this version of Outrigger; leave the flag out to work on this machine"
)]
struct KubernetesUnbuilt;

#[cfg(test)]
mod tests;
