//! What is told once everything runs: to the sidecar, and to people and scripts.

use std::path::Path;

use outrigger_wire_names::extended;

use super::{begin::Stage, voice::Voice};
use crate::commands::{
    api::Client,
    run::{logs, plan::AppPlan},
    talk::Mark,
};

/// Tells the sidecar who started it and what is beside it; `list` and `stop` read it.
pub(super) async fn tell(
    plan: &AppPlan,
    stage: &Stage,
    voice: &Voice,
    client: &Client,
    app_pid: Option<i32>,
) {
    let mut facts = vec![(extended::CLI_PID, std::process::id().to_string())];
    if let Some(file) = &stage.file {
        facts.push((extended::RUN_TEMPLATE_PATH, file.path.display().to_string()));
        facts.push((extended::RUN_TEMPLATE_NAME, file.name.clone()));
    }
    let log = |key, path: Option<&Path>| path.map(|path| (key, path.display().to_string()));
    facts.extend(log(extended::DAPRD_LOG_PATH, voice.with_sidecar.file()));
    if let Some(pid) = app_pid {
        facts.extend(log(extended::APP_LOG_PATH, voice.with_app.file()));
        let pid = pid.to_string();
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
pub(super) async fn welcome(plan: &AppPlan, voice: &Voice, has_app: bool) {
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
