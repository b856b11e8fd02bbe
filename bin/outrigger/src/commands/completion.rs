//! `completion`: scripts that let a shell complete this program's command lines.

use std::process::ExitCode;

use clap_complete::Shell as Generator;
use outrigger_base_std::BoxError;

use super::{Context, command, printout::print};

/// Print a script that lets a shell complete this program's command lines
#[derive(Debug, clap::Args)]
#[command(after_help = HOW)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// The shells, as Dapr's CLI names them.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
#[value(rename_all = "lowercase")]
enum Shell {
    Bash,
    Zsh,
    Fish,
    #[value(name = "powershell")]
    Power,
}

const HOW: &str = "\
Examples:
  source <(outrigger completion bash)
  outrigger completion zsh > \"${fpath[1]}/_outrigger\"
  outrigger completion fish > ~/.config/fish/completions/outrigger.fish";

pub(crate) fn apply(args: Args, context: &Context) -> Result<ExitCode, BoxError> {
    let shell = match args.shell {
        Shell::Bash => Generator::Bash,
        Shell::Zsh => Generator::Zsh,
        Shell::Fish => Generator::Fish,
        Shell::Power => Generator::PowerShell,
    };
    let mut script = Vec::new();
    clap_complete::generate(
        shell,
        &mut command(&context.program),
        context.program.as_str(),
        &mut script,
    );
    print(&script)?;
    Ok(ExitCode::SUCCESS)
}
