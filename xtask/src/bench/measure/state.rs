//! State: get and set of small values, in memory and in SQLite.

use std::process::Command;

use super::{
    Subject, Values,
    chain::{unfit, values},
    invoke::latencies,
};
use crate::bench::{
    failure::{Failure, Result},
    http,
    lab::Lab,
    load::{self, FULL_SPEED, Load, Loaded},
    proc,
    sidecar::{Component, Maker, Setup, Sidecar, component_folder},
};

/// Bytes of a stored value without its quotes: 100 with them, which is the echo app's page.
const VALUE_BYTES: usize = 98;
/// Keys that are read.
const KEYS: usize = 1_000;
/// How long a writer waits for another: with the default of 2 s the peer answers 500 now and then on a slow disk, and a
/// run with errors is void. Both sides get it; nobody gets `synchronous`, so both have SQLite's own default.
const BUSY: &str = "10s";
/// The store's name.
const STORE: &str = "store";

/// Reads one of a thousand values; the echo app answers with as many bytes.
pub(super) fn get(lab: &Lab, subject: Subject) -> Result<Values> {
    let load = Load {
        get: true,
        connections: FULL_SPEED,
        ..Load::default()
    };
    match subject {
        Subject::Direct => echo(lab, load),
        Subject::Sidecar(maker) => {
            let sidecar = start(lab, maker, (STORE, "state.in-memory", &[]))?;
            fill(&sidecar)?;
            let url = format!("http://{}/v1.0/state/{STORE}/key-{{n:{KEYS}}}", sidecar.http);
            measured(lab, &sidecar, &Load { url, ..load })
        }
        _ => Err(unfit(subject)),
    }
}

/// Writes one value; the echo app is sent the same bodies.
pub(super) fn set(lab: &Lab, subject: Subject) -> Result<Values> {
    match subject {
        Subject::Direct => echo(lab, set_load(String::new())),
        Subject::Sidecar(maker) => {
            let sidecar = start(lab, maker, (STORE, "state.in-memory", &[]))?;
            measured(lab, &sidecar, &set_load(state_url(&sidecar)))
        }
        _ => Err(unfit(subject)),
    }
}

/// Writes one value durably; the bare grouped writer has as many callers.
pub(super) fn sqlite_set(lab: &Lab, subject: Subject) -> Result<Values> {
    let file = lab.fresh("state.db");
    match subject {
        Subject::Writer => {
            let mut command = Command::new(&lab.programs.limit);
            command.arg("group-writer").arg("--file").arg(&file);
            command.args([
                "--producers",
                &FULL_SPEED.to_string(),
                "--value-bytes",
                &VALUE_BYTES.to_string(),
            ]);
            command.args([
                "--warmup",
                &lab.warmup().to_string(),
                "--duration",
                &lab.seconds.to_string(),
            ]);
            Ok(latencies(&Loaded::read(&load::line(load::spawn(
                &mut command,
            )?)?)?))
        }
        Subject::Sidecar(maker) => {
            let file = file.to_string_lossy();
            let metadata = [("connectionString", &*file), ("busyTimeout", BUSY)];
            let sidecar = start(lab, maker, (STORE, "state.sqlite", &metadata))?;
            measured(lab, &sidecar, &set_load(state_url(&sidecar)))
        }
        _ => Err(unfit(subject)),
    }
}

fn state_url(sidecar: &Sidecar) -> String {
    format!("http://{}/v1.0/state/{STORE}", sidecar.http)
}

fn set_load(url: String) -> Load {
    let body = format!(r#"[{{"key":"key-{{n:10000}}","value":"{{fill:{VALUE_BYTES}}}"}}]"#);
    let headers = vec!["content-type: application/json".to_owned()];
    Load {
        url,
        body: Some(body),
        headers,
        connections: FULL_SPEED,
        ..Load::default()
    }
}

fn echo(lab: &Lab, load: Load) -> Result<Values> {
    let app = lab.bare("echo", &[])?;
    let url = format!("http://{}/state", app.address);
    Ok(latencies(&Load { url, ..load }.run(lab)?))
}

fn start(lab: &Lab, maker: Maker, component: Component<'_>) -> Result<Sidecar> {
    let folder = component_folder(lab, &[component])?;
    Sidecar::start(
        lab,
        maker,
        &Setup {
            app_id: "bench",
            resources: Some(&folder),
            ..Setup::default()
        },
    )
}

/// Writes the values that will be read.
fn fill(sidecar: &Sidecar) -> Result<()> {
    let value = "x".repeat(VALUE_BYTES);
    let items: Vec<String> = (0..KEYS)
        .map(|number| format!(r#"{{"key":"key-{number}","value":"{value}"}}"#))
        .collect();
    let body = format!("[{}]", items.join(","));
    let answer = http::request(&sidecar.http, "POST", &format!("/v1.0/state/{STORE}"), &body)?;
    if answer.status == 204 {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "setting the values answered {} {}",
            answer.status, answer.body
        )))
    }
}

fn measured(lab: &Lab, sidecar: &Sidecar, load: &Load) -> Result<Values> {
    let pid = sidecar.process.pid();
    let before = proc::cpu_seconds(pid)?;
    let loaded = load.run(lab)?;
    let cpu = proc::cpu_seconds(pid)? - before;
    Ok(values(
        &loaded,
        &[cpu],
        lab.warmup() + lab.seconds,
        &[proc::memory(pid)?],
    ))
}
