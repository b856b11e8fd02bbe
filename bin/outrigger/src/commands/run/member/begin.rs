//! The start of an app: its sidecar, the wait for it, the app, and what the sidecar is told.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use outrigger_base_clock::{Clock, SystemClock};
use outrigger_base_task::TaskSet;
use outrigger_wire_names::{environment, extended};
use tokio::{process::Command, time::sleep};

use super::{Member, SIDECAR_GRACE, voice::Voice};
use crate::{
    commands::{
        api::{ApiError, Client, Endpoint},
        run::{
            RunFile,
            environment::of_app,
            guard::Guard,
            logs::{self, LogError, Whose},
            orders::Orders,
            output::Output,
            plan::AppPlan,
            process::{Ended, Process},
            settings::Destination,
            sidecar,
        },
        talk::{Mark, Talk},
    },
    program::SIDECAR,
};

/// How long a sidecar may take to become ready before its app is started all the same, as by Dapr's CLI.
const READY: Duration = Duration::from_secs(60);
/// Between two questions whether a sidecar is ready. It is ready within some ten milliseconds.
const ASK: Duration = Duration::from_millis(10);
/// Faces of a sidecar that have a Unix socket.
const FACES: [&str; 2] = ["http", "grpc"];

/// What all apps of one `run` share.
#[derive(Debug)]
pub(in crate::commands::run) struct Stage {
    /// This program's file: a sidecar is the same one.
    pub(in crate::commands::run) program: PathBuf,
    pub(in crate::commands::run) guard: Guard,
    pub(in crate::commands::run) output: Output,
    pub(in crate::commands::run) talk: Talk,
    pub(in crate::commands::run) tasks: TaskSet,
    pub(in crate::commands::run) file: Option<RunFile>,
}

/// Why an app was not started. Nothing of it runs.
#[derive(Debug, thiserror::Error)]
pub(in crate::commands::run) enum StartError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("Error starting daprd process")]
    Sidecar(#[source] io::Error),
    #[error("The daprd process exited with error code: {0}{1}")]
    SidecarEnded(Ended, String),
    #[error("Error starting app process: Failed to find command {command}")]
    App { command: String, source: io::Error },
    #[error("cannot speak to the sidecar")]
    Client(#[source] ApiError),
    #[error("stopped while it was being started")]
    Stopped,
}

/// Starts an app and its sidecar.
pub(in crate::commands::run) async fn start(
    plan: &AppPlan,
    index: usize,
    stage: &Stage,
    mut orders: Orders,
) -> Result<Member, StartError> {
    let voice = voice(plan, stage)?;
    let mut sidecar = start_sidecar(plan, stage, &voice).await?;
    let begun = begin(plan, index, stage, &voice, &mut sidecar, &mut orders).await;
    match begun {
        Ok(app) => Ok(Member {
            sidecar,
            app,
            sockets: sockets(plan),
            voice,
        }),
        Err(error) => {
            sidecar.stop(SIDECAR_GRACE, &mut orders).await;
            Err(error)
        }
    }
}

/// What comes after the sidecar's start: the wait for it, the app, and what the sidecar is told.
async fn begin(
    plan: &AppPlan,
    index: usize,
    stage: &Stage,
    voice: &Voice,
    sidecar: &mut Process,
    orders: &mut Orders,
) -> Result<Option<Process>, StartError> {
    let endpoint = match &plan.unix_domain_socket {
        Some(folder) => Endpoint::socket(folder, &plan.app_id),
        None => Endpoint::Port(reachable(plan), plan.http_port),
    };
    let client = Client::new(endpoint, stage.tasks.clone()).map_err(StartError::Client)?;
    await_sidecar(plan, voice, &client, sidecar, orders).await?;
    let app = start_app(plan, index, stage, voice)?;
    tell(plan, stage, voice, &client, app.as_ref()).await;
    welcome(plan, voice, app.is_some()).await;
    Ok(app)
}

/// The address of this machine that the sidecar's API listens on.
fn reachable(plan: &AppPlan) -> String {
    const LOOPBACK: &str = "127.0.0.1";
    let first = plan
        .shared
        .listen_addresses
        .as_deref()
        .map(|addresses| addresses.split(',').map(str::trim).collect::<Vec<_>>())
        .filter(|all| {
            !all.iter()
                .any(|one| matches!(*one, LOOPBACK | "0.0.0.0" | "::" | "localhost"))
        })
        .and_then(|all| all.first().map(|one| (*one).to_owned()));
    first.unwrap_or_else(|| LOOPBACK.to_owned())
}

fn voice(plan: &AppPlan, stage: &Stage) -> Result<Voice, LogError> {
    let now = SystemClock.now();
    let sink = |destination: Destination, whose| {
        let file = match &plan.dir {
            Some(dir) if destination.is_file() => Some(logs::open(dir, &plan.app_id, whose, now)?),
            _ => None,
        };
        Ok(stage.output.sink(stage.talk, destination.is_console(), file))
    };
    let with_sidecar = sink(plan.daprd_log, Whose::Daprd)?;
    let with_app = if plan.command.is_empty() {
        with_sidecar.clone()
    } else {
        sink(plan.app_log, Whose::App)?
    };
    Ok(Voice {
        app_id: plan.app_id.clone(),
        several: stage.file.is_some(),
        with_sidecar,
        with_app,
        terminal: stage.output.sink(stage.talk, true, None),
    })
}

async fn start_sidecar(plan: &AppPlan, stage: &Stage, voice: &Voice) -> Result<Process, StartError> {
    let several = stage.file.is_some();
    let place = match &plan.unix_domain_socket {
        Some(folder) => {
            let [http, grpc] = FACES.map(|face| {
                let name = environment::socket_name(&plan.app_id, face);
                folder.join(name).display().to_string()
            });
            format!("HTTP Socket: {http}. gRPC Socket: {grpc}.")
        }
        None => format!("HTTP Port: {}. gRPC Port: {}", plan.http_port, plan.grpc_port),
    };
    let text = format!("Starting Dapr with id {}. {place}", plan.app_id);
    voice.sidecar(Mark::Info, &text).await;
    let mut command = Command::new(&stage.program);
    command
        .arg(SIDECAR)
        .args(sidecar::args(plan, stage.talk.is_json()))
        .envs(sidecar::environment(&plan.data, several))
        .stdin(Stdio::null());
    if let Some(dir) = &plan.dir {
        command.current_dir(dir);
    }
    if several {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
    }
    let mut process = Process::start(&mut command, &stage.guard).map_err(StartError::Sidecar)?;
    process.copy_output(None, &voice.with_sidecar);
    Ok(process)
}

/// Waits until the sidecar is ready for calls of its app. It is so before the app is there.
async fn await_sidecar(
    plan: &AppPlan,
    voice: &Voice,
    client: &Client,
    sidecar: &mut Process,
    orders: &mut Orders,
) -> Result<(), StartError> {
    if plan.unix_domain_socket.is_none() {
        for (face, port) in [("HTTP", plan.http_port), ("GRPC", plan.grpc_port)] {
            let text = format!("Checking if Dapr sidecar is listening on {face} port {port}");
            voice.sidecar(Mark::Info, &text).await;
        }
    }
    let ready = async {
        while !client.is_ready().await {
            sleep(ASK).await;
        }
    };
    tokio::select! {
        biased;
        ended = sidecar.wait() => return Err(StartError::SidecarEnded(ended, see_log(voice))),
        () = orders.stop() => return Err(StartError::Stopped),
        () = ready => voice.sidecar(Mark::Info, "Dapr sidecar is up and running.").await,
        () = sleep(READY) => {
            voice.sidecar(Mark::Warning, "Dapr sidecar might not be responding.").await;
        }
    }
    Ok(())
}

/// Where to look for the reason, if it is not on the terminal.
fn see_log(voice: &Voice) -> String {
    match voice.with_sidecar.file() {
        Some(path) if !voice.with_sidecar.is_seen() => format!("; its log is {}", path.display()),
        _ => String::new(),
    }
}

fn start_app(
    plan: &AppPlan,
    index: usize,
    stage: &Stage,
    voice: &Voice,
) -> Result<Option<Process>, StartError> {
    let Some((program, args)) = plan.command.split_first() else {
        return Ok(None);
    };
    let program_path = in_folder(Path::new(program), plan.dir.as_deref());
    let mut command = Command::new(&program_path);
    command
        .args(args)
        .envs(of_app(plan))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(dir) = &plan.dir {
        command.current_dir(dir);
    }
    // The terminal's input can be one app's only.
    if stage.file.is_some() {
        command.stdin(Stdio::null());
    }
    let started = Process::start(&mut command, &stage.guard);
    let mut process = started.map_err(|source| StartError::App {
        command: program.to_string_lossy().into_owned(),
        source,
    })?;
    let named = stage.file.is_some().then_some(plan.app_id.as_str());
    process.copy_output(Some(&stage.output.tag(index, named)), &voice.with_app);
    Ok(Some(process))
}

/// A program that is named by a path is looked for from the app's folder, one that is a bare name in `PATH`.
fn in_folder(program: &Path, dir: Option<&Path>) -> PathBuf {
    match dir {
        Some(dir) if program.components().count() > 1 => dir.join(program),
        _ => program.to_owned(),
    }
}

/// Tells the sidecar who started it and what is beside it; `list` and `stop` read it.
async fn tell(plan: &AppPlan, stage: &Stage, voice: &Voice, client: &Client, app: Option<&Process>) {
    let mut facts = vec![(extended::CLI_PID, std::process::id().to_string())];
    if let Some(file) = &stage.file {
        facts.push((extended::RUN_TEMPLATE_PATH, file.path.display().to_string()));
        facts.push((extended::RUN_TEMPLATE_NAME, file.name.clone()));
    }
    let log = |key, path: Option<&Path>| path.map(|path| (key, path.display().to_string()));
    facts.extend(log(extended::DAPRD_LOG_PATH, voice.with_sidecar.file()));
    if let Some(app) = app {
        facts.extend(log(extended::APP_LOG_PATH, voice.with_app.file()));
        let pid = app.id().to_string();
        let text = format!("Updating metadata for appPID: {pid}");
        voice.sidecar(Mark::Info, &text).await;
        facts.push((extended::APP_PID, pid));
        let words: Vec<_> = plan.command.iter().map(|word| word.to_string_lossy()).collect();
        let words = words.join(" ");
        let text = format!("Updating metadata for app command: {words}");
        voice.sidecar(Mark::Info, &text).await;
        facts.push((extended::APP_COMMAND, words));
    }
    for (key, value) in facts {
        if let Err(error) = client.set_metadata(key, &value).await {
            let reason = outrigger_base_std::chain(&error);
            let text = format!("Could not update sidecar metadata for {key}: {reason}");
            voice.sidecar(Mark::Warning, &text).await;
        }
    }
}

/// The lines that tell people and scripts that everything runs.
async fn welcome(plan: &AppPlan, voice: &Voice, has_app: bool) {
    let what = if has_app && !voice.several {
        "Both Dapr and your app logs will appear here."
    } else {
        "Dapr logs will appear here."
    };
    let text = format!("You're up and running! {what}\n");
    voice.sidecar(Mark::Success, &text).await;
    if !voice.several {
        return;
    }
    let text = format!(
        "Started Dapr with app id {:?}. HTTP Port: {}. gRPC Port: {}",
        plan.app_id, plan.http_port, plan.grpc_port
    );
    voice.terminal.say(Mark::Info, &text).await;
    if let Some(dir) = &plan.dir {
        let text = format!("Writing log files to directory : {}", logs::folder(dir).display());
        voice.terminal.say(Mark::Info, &text).await;
    }
}

fn sockets(plan: &AppPlan) -> Vec<PathBuf> {
    plan.unix_domain_socket.as_ref().map_or_else(Vec::new, |folder| {
        FACES
            .map(|face| folder.join(environment::socket_name(&plan.app_id, face)))
            .to_vec()
    })
}
