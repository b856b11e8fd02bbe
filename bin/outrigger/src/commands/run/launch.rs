//! From a plan to its end: everything is started in order, runs, and ends together.

use std::process::ExitCode;

use outrigger_base_std::{BoxError, chain};
use outrigger_base_task::TaskSet;
use tokio::sync::mpsc;

use super::{
    guard::Guard,
    member::{Stage, StartError, start},
    orders::{Commander, Order, Orders},
    output::{Output, Sink},
    plan::{AppPlan, Plan},
};
use crate::commands::talk::{Mark, Talk};

/// Exit code if something could not be started.
const NOT_STARTED: i32 = 1;

/// Starts everything, waits for the end of everything, and gives the exit code: that of the app that first ended with
/// one other than 0.
pub(super) async fn launch(plan: Plan, talk: Talk) -> Result<ExitCode, BoxError> {
    let (commander, orders) = Commander::new();
    let tasks = TaskSet::new("run");
    commander.listen(&tasks)?;
    let program = std::env::current_exe()?;
    let stage = Stage {
        guard: Guard::start(&program)?,
        output: Output::start(commander.clone())?,
        program,
        talk,
        tasks: tasks.clone(),
        file: plan.file,
    };
    let code = run(&plan.apps, &stage, commander, orders).await;
    // Signals are heard to the last: they end the wait for a slow reader.
    stage.output.finish().await;
    tasks.stop();
    // Only the lowest byte of an exit code reaches the parent; a code is never made a success by that.
    let byte = u8::try_from(code & 0xff).unwrap_or(u8::MAX);
    Ok(ExitCode::from(if byte == 0 && code != 0 {
        u8::MAX
    } else {
        byte
    }))
}

async fn run(apps: &[AppPlan], stage: &Stage, commander: Commander, orders: Orders) -> i32 {
    let terminal = stage.output.sink(stage.talk, true, None);
    let (tell, ended) = mpsc::channel(apps.len().max(1));
    let started = start_all(apps, stage, &terminal, &orders, tell).await;
    if started.is_err() {
        commander.give(Order::Stop);
    }
    let code = wait_all(ended, stage.file.is_some() && started.is_ok(), &terminal, orders).await;
    started.err().unwrap_or(code)
}

/// Starts one app after the other; each is watched over as soon as it runs. The error is the exit code.
async fn start_all(
    apps: &[AppPlan],
    stage: &Stage,
    terminal: &Sink,
    orders: &Orders,
    tell: mpsc::Sender<i32>,
) -> Result<(), i32> {
    for (index, app) in apps.iter().enumerate() {
        announce(app, stage, terminal).await;
        match start(app, index, stage, orders.clone()).await {
            Ok(member) => {
                let (tell, orders) = (tell.clone(), orders.clone());
                stage.tasks.spawn(format!("app {}", app.app_id), async move {
                    let code = member.run(orders).await;
                    // The receiver waits for every sender.
                    let _ = tell.send(code).await;
                });
            }
            Err(StartError::Stopped) => return Ok(()),
            Err(error) => {
                let text = match &stage.file {
                    Some(_) => format!(
                        "Error starting Dapr and app ({:?}): {}",
                        app.app_id,
                        chain(&error)
                    ),
                    None => chain(&error),
                };
                terminal.say(Mark::Failure, &text).await;
                return Err(NOT_STARTED);
            }
        }
    }
    Ok(())
}

async fn announce(app: &AppPlan, stage: &Stage, terminal: &Sink) {
    match &stage.file {
        Some(file) => {
            let text = format!("Validating config and starting app {:?}", app.app_id);
            terminal.say(Mark::Info, &text).await;
            if app.command.is_empty() {
                let text = format!(
                    "No application command found for app {:?} present in {}",
                    app.app_id,
                    file.path.display()
                );
                terminal.say(Mark::Warning, &text).await;
            }
        }
        None if app.command.is_empty() => {
            terminal
                .say(Mark::Warning, "WARNING: no application command found.")
                .await;
        }
        None => {}
    }
}

/// Waits for the end of every app. The result is the first exit code that is not 0.
async fn wait_all(mut ended: mpsc::Receiver<i32>, several: bool, terminal: &Sink, mut orders: Orders) -> i32 {
    let (mut code, mut told) = (0, !several);
    loop {
        tokio::select! {
            next = ended.recv() => match next {
                Some(next) if code == 0 => code = next,
                Some(_) => {}
                None => return code,
            },
            () = orders.stop(), if !told => {
                told = true;
                let text = "Received signal to stop Dapr and app processes. Shutting down Dapr and app processes.";
                terminal.say(Mark::Info, text).await;
            }
        }
    }
}
