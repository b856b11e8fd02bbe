//! Sidecars, ours and the peer's: started with the same flags, ready by the same sign.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use super::{
    failure::{Failure, Result, Tried},
    http,
    lab::Lab,
    process::{Process, free_ports},
};

/// How long a sidecar may take to be ready.
const READY: Duration = Duration::from_secs(20);
/// Between two looks: well below the time that a start takes.
const LOOK: Duration = Duration::from_millis(1);

/// Whose sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    Ours,
    Peer,
}

/// What a sidecar is started with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup<'a> {
    pub(crate) app_id: &'a str,
    /// `ip:port` of its app.
    pub(crate) app: Option<&'a str>,
    /// Whether the app speaks gRPC.
    pub(crate) grpc_app: bool,
    /// Folder of component files; none is an empty one.
    pub(crate) resources: Option<&'a Path>,
    /// Configuration file.
    pub(crate) config: Option<&'a Path>,
    /// Body limit, a Kubernetes quantity.
    pub(crate) max_body: Option<&'a str>,
}

/// A running sidecar.
#[derive(Debug)]
pub(crate) struct Sidecar {
    pub(crate) process: Process,
    /// `ip:port` of its HTTP API.
    pub(crate) http: String,
    /// `ip:port` of its gRPC API.
    pub(crate) grpc: String,
    /// From before it was started until it was ready.
    pub(crate) ready_after: Duration,
}

impl Sidecar {
    /// Starts a sidecar and waits until `/v1.0/healthz` says that it is ready.
    pub(crate) fn start(lab: &Lab, maker: Maker, setup: &Setup<'_>) -> Result<Self> {
        let [http, grpc, internal, metrics] = free_ports()?;
        let mut command = program(lab, maker)?;
        let empty;
        let resources = match setup.resources {
            Some(folder) => folder,
            None => {
                empty = component_folder(lab, &[])?;
                &empty
            }
        };
        command.args([
            "--app-id",
            setup.app_id,
            "--log-level",
            "error",
            "--dapr-listen-addresses",
            "127.0.0.1",
        ]);
        command.arg("--resources-path").arg(resources);
        let ports = [
            ("--dapr-http-port", http),
            ("--dapr-grpc-port", grpc),
            ("--dapr-internal-grpc-port", internal),
            ("--metrics-port", metrics),
        ];
        for (flag, port) in ports {
            command.arg(flag).arg(port.to_string());
        }
        optional_flags(&mut command, setup)?;
        // What a sidecar tells others to call it by: there is loopback only.
        command.env("DAPR_HOST_IP", "127.0.0.1");
        let log = lab.fresh(&format!("{}.log", setup.app_id));
        let begun = Instant::now();
        let mut process = Process::start(&format!("{} ({})", name(maker), setup.app_id), &mut command, &log)?;
        let http = format!("127.0.0.1:{http}");
        wait_ready(&mut process, &http, begun)?;
        Ok(Self {
            process,
            http,
            grpc: format!("127.0.0.1:{grpc}"),
            ready_after: begun.elapsed(),
        })
    }
}

/// The short name in file names and errors.
fn name(maker: Maker) -> &'static str {
    match maker {
        Maker::Ours => "outrigger",
        Maker::Peer => "daprd",
    }
}

fn program(lab: &Lab, maker: Maker) -> Result<Command> {
    match maker {
        Maker::Ours => {
            let mut command = Command::new(lab.programs.ours.as_ref().map_err(Clone::clone)?);
            command.arg("sidecar");
            Ok(command)
        }
        Maker::Peer => Ok(Command::new(lab.programs.peer.as_ref().map_err(Clone::clone)?)),
    }
}

fn optional_flags(command: &mut Command, setup: &Setup<'_>) -> Result<()> {
    if let Some(app) = setup.app {
        let port = app.rsplit_once(':').map(|(_, port)| port);
        let port = port.ok_or_else(|| Failure::new(format!("{app} has no port")))?;
        command.args([
            "--app-port",
            port,
            "--app-protocol",
            if setup.grpc_app { "grpc" } else { "http" },
        ]);
    }
    if let Some(config) = setup.config {
        command.arg("--config").arg(config);
    }
    if let Some(max_body) = setup.max_body {
        command.args(["--max-body-size", max_body]);
    }
    Ok(())
}

fn wait_ready(process: &mut Process, http: &str, begun: Instant) -> Result<()> {
    let mut last = String::from("nothing answered");
    while begun.elapsed() < READY {
        match http::request(http, "GET", "/v1.0/healthz", "") {
            Ok(answer) if answer.status == 204 => return Ok(()),
            Ok(answer) => last = format!("{} {}", answer.status, answer.body),
            Err(error) => last = error.to_string(),
        }
        process.check()?;
        thread::sleep(LOOK);
    }
    Err(process.failure(&format!("was not ready within {} s ({last})", READY.as_secs())))
}

/// A component: name, type, and its metadata.
pub(crate) type Component<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

/// Makes a folder with one file a component.
pub(crate) fn component_folder(lab: &Lab, components: &[Component<'_>]) -> Result<PathBuf> {
    let folder = lab.fresh("resources");
    fs::create_dir_all(&folder).tried(|| format!("making {}", folder.display()))?;
    for (name, kind, metadata) in components {
        let mut text = format!(
            "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  type: {kind}\n  version: v1\n  metadata:\n"
        );
        for (key, value) in *metadata {
            text.push_str(&format!("  - name: {key}\n    value: \"{value}\"\n"));
        }
        if metadata.is_empty() {
            text.truncate(text.len() - "  metadata:\n".len());
        }
        let file = folder.join(format!("{name}.yaml"));
        fs::write(&file, text).tried(|| format!("writing {}", file.display()))?;
    }
    Ok(folder)
}
