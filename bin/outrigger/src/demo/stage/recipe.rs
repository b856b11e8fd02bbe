//! How each process is started: its command line, and an environment that has nothing of the user's but the plainest.

use std::{
    ffi::OsString,
    fs::File,
    io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Stdio,
};

use outrigger_wire_names::{app, environment, flags};
use tokio::process::Command;

use super::Folder;
use crate::{
    demo::{SERVICE, services::Service},
    program::SIDECAR,
};

/// What a process keeps of the environment. Whatever else is set for other sidecars, apps or tracers is not meant for it.
const KEPT: [&str; 6] = ["PATH", "HOME", "TMPDIR", "LANG", "TZ", "RUST_BACKTRACE"];

/// A process that can be started, and started again.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(&'static str, OsString)>,
    dir: PathBuf,
    log: PathBuf,
}

/// Where a sidecar listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) http: u16,
    pub(crate) grpc: u16,
    /// Of its app, where there is one.
    pub(crate) app: Option<u16>,
}

impl Recipe {
    /// A sidecar, on loopback only.
    pub(crate) fn sidecar(program: &Path, name: &str, ports: Ports, folder: &Folder) -> Self {
        let loopback = Ipv4Addr::LOCALHOST.to_string();
        let mut args: Vec<OsString> = vec![SIDECAR.into()];
        let mut flag = |name: &str, value: OsString| {
            args.push(format!("--{name}").into());
            args.push(value);
        };
        flag(flags::APP_ID, name.into());
        flag(flags::RESOURCES_PATH, folder.resources().into());
        flag(flags::DAPR_LISTEN_ADDRESSES, loopback.clone().into());
        flag(flags::DAPR_INTERNAL_GRPC_LISTEN_ADDRESS, loopback.into());
        flag(flags::DAPR_HTTP_PORT, ports.http.to_string().into());
        flag(flags::DAPR_GRPC_PORT, ports.grpc.to_string().into());
        flag(flags::DAPR_INTERNAL_GRPC_PORT, "0".into());
        if let Some(port) = ports.app {
            flag(flags::APP_PORT, port.to_string().into());
        }
        // Metrics would take a port that nobody looks at.
        args.push(format!("--{}=false", flags::ENABLE_METRICS).into());
        let log = folder.log(&sidecar_of(name));
        Self {
            program: program.to_owned(),
            args,
            env: world(folder),
            dir: folder.path().to_owned(),
            log,
        }
    }

    /// A service. With `ports` it runs beside the sidecar there, without them by itself.
    pub(crate) fn service(
        program: &Path,
        name: &str,
        service: Service,
        ports: Option<Ports>,
        folder: &Folder,
    ) -> Self {
        let mut args: Vec<OsString> = vec![SERVICE.into(), service.name().into()];
        let mut env = world(folder);
        match ports {
            // It is told where to listen, and nothing of sidecars.
            Some(Ports { app: Some(app), .. }) if service == Service::Courier => {
                args.extend(["--port".into(), app.to_string().into()]);
            }
            Some(ports) => {
                env.push((environment::APP_ID, name.into()));
                env.push((environment::DAPR_HTTP_PORT, ports.http.to_string().into()));
                env.push((environment::DAPR_GRPC_PORT, ports.grpc.to_string().into()));
                env.extend(
                    ports
                        .app
                        .map(|app| (environment::APP_PORT, app.to_string().into())),
                );
            }
            None => env.push((app::OUTRIGGER_RESOURCES_PATH, folder.resources().into())),
        }
        let log = folder.log(name);
        Self {
            program: program.to_owned(),
            args,
            env,
            dir: folder.path().to_owned(),
            log,
        }
    }

    /// The command, whose output is added to the log.
    pub(crate) fn command(&self) -> io::Result<Command> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.program);
        command.args(&self.args).env_clear().current_dir(&self.dir);
        let kept = KEPT
            .iter()
            .filter_map(|name| Some((*name, std::env::var_os(name)?)));
        command
            .envs(kept)
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(command)
    }
}

/// What every process is told, so that this demo meets nobody else: neither another demo nor the user's own apps.
fn world(folder: &Folder) -> Vec<(&'static str, OsString)> {
    vec![
        (environment::OUTRIGGER_HOME, folder.data().into()),
        (environment::OUTRIGGER_RUN_DIR, folder.run().into()),
        (environment::OUTRIGGER_MULTICAST, "off".into()),
        (environment::DAPR_HOST_IP, Ipv4Addr::LOCALHOST.to_string().into()),
    ]
}

/// The name of a member's sidecar among processes and logs.
pub(crate) fn sidecar_of(name: &str) -> String {
    format!("{name}-sidecar")
}
