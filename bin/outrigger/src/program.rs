//! Which program this is: one binary, a role by the name it is started under or by its first argument.

use std::{ffi::OsString, io::Write, path::Path, process::ExitCode};

use crate::{commands, demo, sidecar};

/// The name that the sidecar's role has on its own.
const DAPRD: &str = "daprd";
/// The subcommand of the sidecar's role.
pub(crate) const SIDECAR: &str = "sidecar";
/// Roles that have no room yet, as programs and as subcommands.
const UNBUILT_ROLES: [&str; 5] = ["placement", "scheduler", "sentry", "operator", "injector"];
/// The one of them that is also a command of Dapr's CLI, with commands of its own.
const SCHEDULER: &str = "scheduler";
/// The name of Dapr's CLI, which has no roles.
const DAPR: &str = "dapr";
/// Exit code for a command line that cannot be understood.
const USAGE: u8 = 2;

/// What the program is asked to be.
#[derive(Debug, PartialEq, Eq)]
enum Role {
    /// The sidecar, with its arguments.
    Sidecar(Vec<OsString>),
    /// What cleans up after a `run` that was killed.
    Guard,
    /// A service of the demo, with its command line.
    DemoService(Vec<OsString>),
    /// A role that this version does not have.
    Missing(String),
    /// The user's commands, under this name.
    Commands(String),
}

/// Runs the program with its whole command line, its own name included.
pub(crate) fn main(args: Vec<OsString>) -> ExitCode {
    match Role::of(&args) {
        Role::Sidecar(rest) => match rest.into_iter().map(OsString::into_string).collect() {
            Ok(rest) => sidecar::main(rest),
            Err(bad) => complain(&format!("the argument {bad:?} is not UTF-8 text"), USAGE),
        },
        Role::Guard => commands::guard(),
        Role::DemoService(args) => demo::service(args),
        Role::Missing(name) => complain(
            &format!("the role \"{name}\" is not built into this version of Outrigger"),
            1,
        ),
        Role::Commands(name) => commands::main(&name, args),
    }
}

impl Role {
    fn of(args: &[OsString]) -> Self {
        let name = args.first().map(program_name).unwrap_or_default();
        if name == DAPRD {
            return Self::Sidecar(args[1..].to_vec());
        }
        if UNBUILT_ROLES.contains(&name.as_str()) {
            return Self::Missing(name);
        }
        match args.get(1).and_then(|arg| arg.to_str()) {
            Some(SIDECAR) => Self::Sidecar(args[2..].to_vec()),
            Some(commands::GUARD) => Self::Guard,
            Some(demo::SERVICE) => Self::DemoService(args[1..].to_vec()),
            Some(SCHEDULER) if asks_scheduler(&name, &args[2..]) => Self::Commands(name),
            Some(role) if UNBUILT_ROLES.contains(&role) => Self::Missing(role.to_owned()),
            _ => Self::Commands(name),
        }
    }
}

/// Whether `scheduler` is the command that asks a scheduler: a word follows (`scheduler list`). Flags alone make one.
fn asks_scheduler(program: &str, rest: &[OsString]) -> bool {
    let is_word = |arg: &OsString| !arg.as_encoded_bytes().starts_with(b"-");
    program == DAPR || rest.first().is_some_and(is_word)
}

/// The file name of the program that `argv[0]` names, without the ending of an executable.
fn program_name(path: &OsString) -> String {
    Path::new(path)
        .file_stem()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Writes why nothing was done to the standard error, where nothing can be done about a failure.
fn complain(text: &str, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(args: &[&str]) -> Role {
        Role::of(&words(args))
    }

    fn words(args: &[&str]) -> Vec<OsString> {
        args.iter().map(OsString::from).collect()
    }

    #[test]
    fn the_name_of_the_program_comes_first() {
        assert_eq!(
            role(&["/usr/bin/daprd", "--app-id", "a"]),
            Role::Sidecar(words(&["--app-id", "a"]))
        );
        assert_eq!(role(&["./placement"]), Role::Missing("placement".into()));
        assert_eq!(
            role(&["dapr", "run", "--", "sidecar"]),
            Role::Commands("dapr".into())
        );
        assert_eq!(role(&[]), Role::Commands(String::new()));
    }

    #[test]
    fn the_first_argument_names_a_role() {
        assert_eq!(
            role(&["outrigger", "sidecar", "-app-id=a"]),
            Role::Sidecar(words(&["-app-id=a"]))
        );
        assert_eq!(role(&["outrigger", "sentry"]), Role::Missing("sentry".into()));
    }

    #[test]
    fn a_scheduler_is_made_or_asked() {
        let made = Role::Missing("scheduler".into());
        assert_eq!(role(&["outrigger", "scheduler"]), made);
        assert_eq!(role(&["outrigger", "scheduler", "--port", "1"]), made);
        let asked = Role::Commands("outrigger".into());
        assert_eq!(role(&["outrigger", "scheduler", "list"]), asked);
        let asked = Role::Commands("dapr".into());
        assert_eq!(role(&["dapr", "scheduler", "-k", "list"]), asked);
        assert_eq!(role(&["dapr", "scheduler"]), asked);
    }
}
