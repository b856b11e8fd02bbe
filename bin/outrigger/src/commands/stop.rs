//! `stop`: ends apps with their sidecars.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use outrigger_base_std::{BoxError, chain};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use super::{
    Context, KubernetesUnbuilt, block_on, flag,
    list::{Row, rows},
    process_table::is_running,
    run::run_file_path,
    talk::Mark,
};

/// How long a process may take to end. A sidecar takes five seconds at most, by default, and so does an app.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks at a process that was told to end. The kernel tells only parents.
const LOOK: Duration = Duration::from_millis(20);

/// Stop apps with their sidecars
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The app to stop
    #[arg(short, long)]
    app_id: Option<String>,
    /// Stop all apps that were started from this run file, or from dapr.yaml in this folder
    #[arg(short = 'f', long, value_name = "PATH", value_parser = flag::path())]
    run_file: Option<PathBuf>,
    /// More apps to stop
    apps: Vec<String>,
    #[arg(short, long, hide = true)]
    kubernetes: bool,
}

/// Why something was not stopped. The texts are those of Dapr's CLI.
#[derive(Debug, thiserror::Error)]
enum StopError {
    #[error("couldn't find app id {0}")]
    NoApp(String),
    #[error("couldn't find apps with run file {0:?}")]
    NoRunFile(String),
    #[error("nothing to stop: give --app-id or --run-file")]
    Nothing,
    #[error("could not signal the process {pid}")]
    Signal { pid: u32, source: std::io::Error },
    #[error("the process {0} was told to end and has not ended within {seconds} s", seconds = PATIENCE.as_secs())]
    Slow(u32),
}

pub(crate) fn apply(args: Args, context: &Context) -> Result<ExitCode, BoxError> {
    if args.kubernetes {
        return Err(KubernetesUnbuilt.into());
    }
    let run_file = flag::some_path(args.run_file);
    let ids: Vec<_> = flag::some_text(args.app_id)
        .into_iter()
        .chain(args.apps)
        .collect();
    if ids.is_empty() && run_file.is_none() {
        return Err(StopError::Nothing.into());
    }
    let stopped: Result<bool, BoxError> = block_on(async {
        let file = match &run_file {
            Some(path) => stop_file(path, context).await?,
            None => true,
        };
        let apps = ids.is_empty() || stop_apps(&ids, context).await?;
        Ok(file && apps)
    })?;
    Ok(if stopped? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Stops everything that was started from one run file; whether it worked. What does not run needs no stopping: that is
/// told, and is no failure of the command, because scripts clean up with it.
async fn stop_file(path: &std::path::Path, context: &Context) -> Result<bool, BoxError> {
    let file = run_file_path(path).map_err(|error| format!("Failed to get run file path: {error}"))?;
    let found: Vec<_> = rows()
        .await?
        .into_iter()
        .filter(|row| !row.run_template_path.is_empty())
        .filter(|row| same_file(&row.run_template_path, &file))
        .collect();
    if found.is_empty() {
        say_failed(context, &StopError::NoRunFile(file.display().to_string()));
        return Ok(true);
    }
    let pids: BTreeSet<_> = found
        .iter()
        .map(|row| alive_cli(row).unwrap_or(row.daprd_pid))
        .collect();
    match end_all(&pids).await {
        Ok(()) => {
            let text = "Dapr and app processes stopped successfully";
            context.talk.say(Mark::Success, text);
            Ok(true)
        }
        Err(error) => {
            say_failed(context, &error);
            Ok(false)
        }
    }
}

fn say_failed(context: &Context, error: &StopError) {
    let text = format!("Failed to stop Dapr and app processes: {}", chain(error));
    context.talk.say(Mark::Failure, &text);
}

/// Whether a path that a sidecar tells is that of the file, which is free of links.
fn same_file(told: &str, file: &std::path::Path) -> bool {
    std::path::Path::new(told) == file || std::fs::canonicalize(told).is_ok_and(|told| told == file)
}

/// Stops apps by their ids; whether it worked.
async fn stop_apps(ids: &[String], context: &Context) -> Result<bool, BoxError> {
    let rows = rows().await?;
    let mut alone = apps_by_cli(&rows);
    let mut all_stopped = true;
    for id in ids {
        match stop_app(id, &rows, &mut alone).await {
            Ok(()) => context
                .talk
                .say(Mark::Success, &format!("app stopped successfully: {id}")),
            Err(error) => {
                // An app that does not run needs no stopping: see `stop_file`.
                all_stopped &= matches!(error, StopError::NoApp(_));
                let text = format!("failed to stop app id {id}: {}", chain(&error));
                context.talk.say(Mark::Failure, &text);
            }
        }
    }
    Ok(all_stopped)
}

/// How many apps each running command has started.
fn apps_by_cli(rows: &[Row]) -> BTreeMap<u32, usize> {
    let mut counts = BTreeMap::new();
    for pid in rows.iter().filter_map(alive_cli) {
        *counts.entry(pid).or_default() += 1;
    }
    counts
}

/// The command that started an app, if it still runs.
fn alive_cli(row: &Row) -> Option<u32> {
    Some(row.cli_pid).filter(|pid| *pid != 0 && is_running(*pid))
}

/// Stops one app: by its command where that has no other, by its sidecar otherwise, which takes the app with it.
async fn stop_app(id: &str, rows: &[Row], apps: &mut BTreeMap<u32, usize>) -> Result<(), StopError> {
    let row = rows
        .iter()
        .find(|row| row.app_id == id)
        .ok_or_else(|| StopError::NoApp(id.to_owned()))?;
    let pid = match alive_cli(row).and_then(|pid| Some((pid, apps.get_mut(&pid)?))) {
        Some((pid, 1)) => pid,
        Some((_, count)) => {
            *count -= 1;
            row.daprd_pid
        }
        None => row.daprd_pid,
    };
    end_all(&BTreeSet::from([pid])).await
}

/// Tells processes to end, and waits until they have.
async fn end_all(pids: &BTreeSet<u32>) -> Result<(), StopError> {
    for pid in pids {
        signal(*pid)?;
    }
    let deadline = Instant::now() + PATIENCE;
    while let Some(pid) = pids.iter().find(|pid| is_running(**pid)) {
        if Instant::now() >= deadline {
            return Err(StopError::Slow(*pid));
        }
        sleep(LOOK).await;
    }
    Ok(())
}

/// Tells a process to end. One that has ended already is as good.
fn signal(pid: u32) -> Result<(), StopError> {
    let Some(target) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return Ok(());
    };
    match kill_process(target, Signal::TERM) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(errno) => Err(StopError::Signal {
            pid,
            source: errno.into(),
        }),
    }
}
