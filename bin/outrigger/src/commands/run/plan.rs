//! From what is said of apps to what will be started: everything checked, every port and path settled.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use outrigger_base_clock::Entropy;
use outrigger_base_std::quantity::{self, QuantityError};

use super::{
    Request, RunFile,
    ports::{PortError, Ports},
    random_id::random_id,
    settings::{App, Destination, Shared},
};
use crate::commands::home::{Home, has_resources, write_missing};

/// What an app may speak.
const PROTOCOLS: [&str; 5] = ["http", "https", "h2c", "grpc", "grpcs"];
/// What apps speak by default, and where they listen.
const PROTOCOL: &str = "http";
pub(super) const CHANNEL_ADDRESS: &str = "127.0.0.1";
/// Ports of control services that an address without a port means.
const PLACEMENT_PORT: u16 = 50005;
const SCHEDULER_PORT: u16 = 50006;

/// Everything that will be started.
#[derive(Debug)]
pub(super) struct Plan {
    /// The apps, in the order in which they are started.
    pub(super) apps: Vec<AppPlan>,
    /// The run file, if there is one.
    pub(super) file: Option<RunFile>,
}

/// One app and its sidecar.
#[derive(Debug)]
pub(super) struct AppPlan {
    pub(super) app_id: String,
    /// The folder it runs in, if not that of the command.
    pub(super) dir: Option<PathBuf>,
    /// The program and its arguments; empty for a sidecar alone.
    pub(super) command: Vec<OsString>,
    pub(super) app_port: Option<u16>,
    pub(super) app_protocol: String,
    pub(super) channel_address: String,
    pub(super) http_port: u16,
    pub(super) grpc_port: u16,
    pub(super) metrics_port: u16,
    /// A free one is taken by the sidecar itself.
    pub(super) internal_port: Option<u16>,
    pub(super) profile_port: Option<u16>,
    pub(super) unix_domain_socket: Option<PathBuf>,
    pub(super) resources: Vec<PathBuf>,
    pub(super) config: Option<PathBuf>,
    /// The folder of the data of components that name none.
    pub(super) data: PathBuf,
    pub(super) env: BTreeMap<String, String>,
    pub(super) daprd_log: Destination,
    pub(super) app_log: Destination,
    /// The rest, which the sidecar is told as it is.
    pub(super) shared: Shared,
}

/// Why nothing can be started.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlanError {
    #[error("the app id {0:?} cannot be used: it must not be empty or have a dot, a slash or a space")]
    AppId(String),
    #[error("app {app_id}: cannot speak {protocol:?} to it; expected one of {}", PROTOCOLS.join(", "))]
    Protocol { app_id: String, protocol: String },
    #[error("app {app_id}: invalid {what}")]
    Size {
        app_id: String,
        what: &'static str,
        source: QuantityError,
    },
    #[error("app {app_id}: exec: no command")]
    NoCommand { app_id: String },
    #[error("invalid configuration")]
    Port(#[from] PortError),
    #[error("could not make the default resources")]
    Defaults(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("could not find the current folder")]
    Folder(#[source] io::Error),
}

impl Plan {
    /// Settles everything. Default resources are written if an app needs them and there are none.
    pub(super) fn new(request: Request, home: &Home, entropy: &dyn Entropy) -> Result<Self, PlanError> {
        let mut planner = Planner {
            home,
            entropy,
            ports: Ports::new(entropy),
            several: request.file.is_some(),
        };
        // Ports of apps first: a free port for a sidecar must be none of them.
        for app in &request.apps {
            if let Some(port) = app.app_port {
                let whose = format!("port of app {}", app.app_id.as_deref().unwrap_or_default());
                planner.ports.reserve(port, whose)?;
            }
        }
        let apps: Result<_, _> = request.apps.into_iter().map(|app| planner.app(app)).collect();
        Ok(Self {
            apps: apps?,
            file: request.file,
        })
    }

    /// What can be started, and may not be meant: apps that are called at the same place.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut places: BTreeMap<_, Vec<&str>> = BTreeMap::new();
        for app in &self.apps {
            if let Some(port) = app.app_port {
                let place = (app.channel_address.as_str(), port);
                places.entry(place).or_default().push(&app.app_id);
            }
        }
        places.retain(|_, apps| apps.len() > 1);
        places
            .iter()
            .map(|((host, port), apps)| {
                let apps = apps.join(", ");
                format!(
                    "The apps {apps} share the port {port} of {host}: where one of them listens, calls of the others arrive as well"
                )
            })
            .collect()
    }
}

struct Planner<'a> {
    home: &'a Home,
    entropy: &'a dyn Entropy,
    ports: Ports,
    /// Whether there may be several apps.
    several: bool,
}

impl Planner<'_> {
    fn app(&mut self, app: App) -> Result<AppPlan, PlanError> {
        let app_id = app.app_id.unwrap_or_else(|| random_id(self.entropy));
        check_id(&app_id)?;
        check_sizes(&app_id, &app.shared)?;
        check_command(&app_id, &app.command)?;
        let app_protocol = protocol(&app_id, &app.shared)?;
        let mut port = |wanted, what: &str| self.ports.take(wanted, format!("{what} of app {app_id}"));
        let (http_port, grpc_port, metrics_port) = (
            port(app.http_port, "HTTP port")?,
            port(app.grpc_port, "gRPC port")?,
            port(app.metrics_port, "metrics port")?,
        );
        let internal_port = app
            .internal_port
            .map(|wanted| port(Some(wanted), "internal gRPC port"))
            .transpose()?;
        let profiles = app.profile_port.is_some() || app.shared.enable_profiling == Some(true);
        let profile_port = profiles
            .then(|| port(app.profile_port, "profile port"))
            .transpose()?;
        let home = self.home_of(&app.shared);
        let (daprd_log, app_log) = self.destinations(&app.shared);
        Ok(AppPlan {
            resources: resources(&app.shared, &home)?,
            config: app
                .shared
                .config_file
                .clone()
                .or_else(|| home.default_config())
                .map(absolute)
                .transpose()?,
            data: absolute(home.data().to_owned())?,
            env: app.shared.env.clone(),
            channel_address: app.channel_address.unwrap_or_else(|| CHANNEL_ADDRESS.to_owned()),
            unix_domain_socket: app.unix_domain_socket.map(absolute).transpose()?,
            shared: settled(app.shared),
            dir: app.dir,
            command: app.command,
            app_port: app.app_port,
            app_id,
            app_protocol,
            http_port,
            grpc_port,
            metrics_port,
            internal_port,
            profile_port,
            daprd_log,
            app_log,
        })
    }

    /// The folders of an app that names a runtime path of its own, or the user's.
    fn home_of(&self, shared: &Shared) -> Home {
        shared
            .runtime_path
            .as_deref()
            .and_then(|path| Home::find(Some(path), &|_: &str| None).ok())
            .unwrap_or_else(|| self.home.clone())
    }

    /// Where output goes. One app has the console for itself.
    fn destinations(&self, shared: &Shared) -> (Destination, Destination) {
        if !self.several {
            return (Destination::Console, Destination::Console);
        }
        (
            shared.daprd_log.unwrap_or(Destination::File),
            shared.app_log.unwrap_or(Destination::FileAndConsole),
        )
    }
}

/// The id becomes part of file names and of routes, and Dapr's names in the mesh are split at dots.
fn check_id(app_id: &str) -> Result<(), PlanError> {
    let bad = |c: char| matches!(c, '.' | '/' | '\\') || c.is_whitespace() || c.is_control();
    if app_id.is_empty() || app_id.contains(bad) {
        return Err(PlanError::AppId(app_id.to_owned()));
    }
    Ok(())
}

fn check_sizes(app_id: &str, shared: &Shared) -> Result<(), PlanError> {
    let sizes = [
        ("max request body size", &shared.max_body_size),
        ("http read buffer size", &shared.read_buffer_size),
    ];
    for (what, size) in sizes {
        if let Some(text) = size {
            quantity::parse_bytes(text).map_err(|source| PlanError::Size {
                app_id: app_id.to_owned(),
                what,
                source,
            })?;
        }
    }
    Ok(())
}

fn check_command(app_id: &str, command: &[OsString]) -> Result<(), PlanError> {
    match command.first() {
        Some(program) if program.to_string_lossy().trim().is_empty() => Err(PlanError::NoCommand {
            app_id: app_id.to_owned(),
        }),
        _ => Ok(()),
    }
}

fn protocol(app_id: &str, shared: &Shared) -> Result<String, PlanError> {
    let given = shared.app_protocol.as_deref().unwrap_or(PROTOCOL);
    let protocol = given.to_ascii_lowercase();
    if PROTOCOLS.contains(&protocol.as_str()) {
        return Ok(protocol);
    }
    Err(PlanError::Protocol {
        app_id: app_id.to_owned(),
        protocol: given.to_owned(),
    })
}

/// Folders of resources: those that are named, or the default ones, which are made if there is nothing in them.
fn resources(shared: &Shared, home: &Home) -> Result<Vec<PathBuf>, PlanError> {
    if !shared.resources.is_empty() {
        return shared.resources.iter().cloned().map(absolute).collect();
    }
    let folder = home.default_resources();
    if folder == home.own_resources() && !has_resources(&folder) {
        write_missing(home).map_err(|error| PlanError::Defaults(error.into()))?;
    }
    Ok(vec![absolute(folder)?])
}

/// The sidecar runs in the app's folder, so that paths must not depend on where they are read.
fn absolute(path: PathBuf) -> Result<PathBuf, PlanError> {
    std::path::absolute(Path::new(&path)).map_err(PlanError::Folder)
}

/// Addresses of control services with their ports; empty ones are none.
fn settled(shared: Shared) -> Shared {
    let address = |text: Option<String>, port: u16| {
        let text = text?.trim().to_owned();
        match text.as_str() {
            "" => None,
            _ if text.contains(':') => Some(text),
            _ => Some(format!("{text}:{port}")),
        }
    };
    Shared {
        placement: address(shared.placement, PLACEMENT_PORT),
        scheduler: address(shared.scheduler, SCHEDULER_PORT),
        ..shared
    }
}

#[cfg(test)]
mod tests;
