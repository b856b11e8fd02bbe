//! The start of an app: its sidecar, the wait for it, the app, and what the sidecar is told.

use std::{io, path::PathBuf, time::Duration};

use outrigger_base_clock::{Clock, SystemClock};
use outrigger_base_task::TaskSet;
use outrigger_wire_names::environment;
use tokio::time::sleep;

use super::{
    Member, SIDECAR_GRACE,
    spawn::{start_app, start_sidecar},
    tell::{tell, welcome},
    voice::Voice,
};
use crate::commands::{
    api::{ApiError, Client, Endpoint},
    run::{
        RunFile,
        guard::Guard,
        logs::{self, LogError, Whose},
        orders::Orders,
        output::Output,
        plan::AppPlan,
        process::{Ended, Process},
        settings::Destination,
    },
    talk::{Mark, Talk},
};

/// How long a sidecar may take to become ready before its app is started all the same, as by Dapr's CLI.
const READY: Duration = Duration::from_secs(60);
/// Between two questions whether a sidecar is ready. It is ready within some ten milliseconds.
const ASK: Duration = Duration::from_millis(10);
/// How long what is told at the start may take once the sidecar or the app has ended: lines that scripts wait for come
/// first, and a reader who takes none does not keep the end from being seen.
const TELLING: Duration = Duration::from_secs(2);
/// Faces of a sidecar that have a Unix socket.
pub(super) const FACES: [&str; 2] = ["http", "grpc"];

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
        None => Endpoint::port(plan.shared.listen_addresses.as_deref(), plan.http_port),
    };
    let client = Client::new(endpoint, stage.tasks.clone()).map_err(StartError::Client)?;
    await_sidecar(plan, voice, &client, sidecar, orders).await?;
    let mut app = start_app(plan, index, stage, voice)?;
    let pid = app.as_ref().map(Process::id);
    let told = async {
        tell(plan, stage, voice, &client, pid).await;
        welcome(plan, voice, pid.is_some()).await;
    };
    tokio::select! {
        biased;
        () = told => {}
        () = either_ended(sidecar, app.as_mut()) => {}
    }
    Ok(app)
}

/// Waits until the sidecar or the app has ended, and then for as long as what is told at the start may take still.
async fn either_ended(sidecar: &mut Process, app: Option<&mut Process>) {
    let app = async {
        match app {
            Some(app) => app.wait().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = app => {}
        _ = sidecar.wait() => {}
    }
    sleep(TELLING).await;
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

fn sockets(plan: &AppPlan) -> Vec<PathBuf> {
    plan.unix_domain_socket.as_ref().map_or_else(Vec::new, |folder| {
        FACES
            .map(|face| folder.join(environment::socket_name(&plan.app_id, face)))
            .to_vec()
    })
}
