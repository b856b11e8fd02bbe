//! The processes of an app: its sidecar, which is this same program, and the app itself.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use outrigger_wire_names::environment;
use tokio::{net::unix::pipe::Receiver, process::Command};

use super::{
    begin::{FACES, Stage, StartError},
    voice::Voice,
};
use crate::{
    commands::{
        run::{environment::of_app, input, plan::AppPlan, process::Process, sidecar},
        talk::Mark,
    },
    program::SIDECAR,
};

/// Starts the sidecar.
pub(super) async fn start_sidecar(
    plan: &AppPlan,
    stage: &Stage,
    voice: &Voice,
) -> Result<Process, StartError> {
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
        .stdin(Stdio::null())
        // Its lines go the same way as the app's: a reader who takes nothing would keep it, too, from ending.
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(dir) = &plan.dir {
        command.current_dir(dir);
    }
    let mut process = Process::start(&mut command, &stage.guard).map_err(StartError::Sidecar)?;
    process.copy_output(None, &voice.with_sidecar);
    Ok(process)
}

/// Starts the app, if there is one.
pub(super) fn start_app(
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
    let terminal = take_input(&mut command, stage);
    let started = Process::start(&mut command, &stage.guard);
    let mut process = started.map_err(|source| StartError::App {
        command: program.to_string_lossy().into_owned(),
        source,
    })?;
    let named = stage.file.is_some().then_some(plan.app_id.as_str());
    process.copy_output(Some(&stage.output.tag(index, named)), &voice.with_app);
    if let Some(terminal) = terminal {
        process.copy_input(terminal);
    }
    Ok(Some(process))
}

/// Settles where an app's input comes from: it can be one app's only. A terminal is read for the app.
fn take_input(command: &mut Command, stage: &Stage) -> Option<Receiver> {
    if stage.file.is_some() {
        command.stdin(Stdio::null());
        return None;
    }
    let terminal = input::terminal()?;
    command.stdin(Stdio::piped());
    Some(terminal)
}

/// A program that is named by a path is looked for from the app's folder, one that is a bare name in `PATH`.
fn in_folder(program: &Path, dir: Option<&Path>) -> PathBuf {
    match dir {
        Some(dir) if program.components().count() > 1 => dir.join(program),
        _ => program.to_owned(),
    }
}
