//! `init`: writes the resources that are there by default. It installs nothing: there is nothing to install.

use std::process::ExitCode;

use outrigger_base_std::BoxError;
use outrigger_resource_manifest::ProcessEnv;

use super::{
    Context, KubernetesUnbuilt,
    home::{Home, Written, write_missing},
    talk::Mark,
};

/// Flags of Dapr's `init` that say what is installed and how.
const INSTALLING: [&str; 13] = [
    "slim",
    "runtime-version",
    "network",
    "from-dir",
    "image-variant",
    "image-registry",
    "container-runtime",
    "scheduler-volume",
    "scheduler-override-broadcast-host-port",
    "redis-stack",
    "wait",
    "timeout",
    "namespace",
];

/// Write the resources that apps have by default, where they are missing; nothing is installed
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(short, long, hide = true)]
    kubernetes: bool,
    #[arg(short, long, hide = true)]
    slim: bool,
    #[arg(long, hide = true)]
    runtime_version: Option<String>,
    #[arg(long, hide = true)]
    network: Option<String>,
    #[arg(long, hide = true)]
    from_dir: Option<String>,
    #[arg(long, hide = true)]
    image_variant: Option<String>,
    #[arg(long, hide = true)]
    image_registry: Option<String>,
    #[arg(long, hide = true)]
    container_runtime: Option<String>,
    #[arg(long, hide = true)]
    scheduler_volume: Option<String>,
    #[arg(long, hide = true)]
    scheduler_override_broadcast_host_port: Option<String>,
    #[arg(long, hide = true)]
    redis_stack: bool,
    #[arg(long, hide = true)]
    wait: bool,
    #[arg(long, hide = true)]
    timeout: Option<u32>,
    #[arg(short, long, hide = true)]
    namespace: Option<String>,
}

pub(crate) fn apply(args: Args, given: &[String], context: &Context) -> Result<ExitCode, BoxError> {
    if args.kubernetes {
        return Err(KubernetesUnbuilt.into());
    }
    let without_effect: Vec<_> = given
        .iter()
        .filter(|flag| INSTALLING.contains(&flag.as_str()))
        .map(|flag| format!("--{flag}"))
        .collect();
    if !without_effect.is_empty() {
        let flags = without_effect.join(", ");
        context.talk.say(
            Mark::Warning,
            &format!("Nothing is installed, so these flags have no effect: {flags}"),
        );
    }
    let home = Home::find(context.runtime_path.as_deref(), &ProcessEnv)?;
    let text = format!(
        "Writing the default resources in {}",
        home.own_resources().display()
    );
    context.talk.say(Mark::Pending, &text);
    for written in write_missing(&home)? {
        let line = match written {
            Written::New(path) => format!("Wrote {}", path.display()),
            Written::Kept(path) => format!("Left {} as it is", path.display()),
        };
        context.talk.say(Mark::Info, &line);
    }
    if home.default_resources() != home.own_resources() {
        let theirs = home.default_resources();
        context.talk.say(
            Mark::Warning,
            &format!(
                "Apps that name no resources use those in {}, since it has some",
                theirs.display()
            ),
        );
    }
    context.talk.say(
        Mark::Success,
        "Success! Dapr is up and running. Nothing had to be installed.",
    );
    Ok(ExitCode::SUCCESS)
}
