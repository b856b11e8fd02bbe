//! The stage: a folder, free ports, and every process of the shop, from the curtain's rise to its fall.

mod actor;
mod folder;
mod ready;
mod recipe;

use std::{collections::BTreeMap, io, path::PathBuf, time::Duration};

use futures_util::future::join_all;
use outrigger::{Client, Endpoint};
use outrigger_base_task::TaskSet;
use tokio::sync::watch;

use super::cast::{CAST, DOOR, Form, Member};
use crate::commands::{Ended, Guard, Orders, PortError, Ports as FreePorts};
pub(crate) use actor::Fallen;
use actor::{Actor, Crew};
pub(crate) use folder::Folder;
pub(crate) use recipe::Ports;
use recipe::{Recipe, sidecar_of};

/// Time for all processes to be ready: they need less than a second, unless the machine is busy with something else.
const READY: Duration = Duration::from_secs(60);
/// Time for a process to end after it was told to: twice what it gives itself.
const GRACE: Duration = Duration::from_secs(10);

/// Everything that runs.
#[derive(Debug)]
pub(crate) struct Stage {
    folder: Folder,
    program: PathBuf,
    crew: Crew,
    tasks: TaskSet,
    actors: Vec<Actor>,
    ports: BTreeMap<&'static str, Ports>,
}

/// Why the shop does not open, or does not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StageError {
    /// Ports.
    #[error("cannot find free ports")]
    Ports(#[from] PortError),
    /// A process could not be started.
    #[error("cannot start {process}")]
    Start { process: String, source: io::Error },
    /// A sidecar cannot be asked.
    #[error("cannot speak to the sidecar of {name}")]
    Speak {
        name: &'static str,
        source: outrigger::Error,
    },
    /// A member was not ready in time.
    #[error("{name} was not ready within {limit} s", name = .0, limit = READY.as_secs())]
    NotReady(&'static str),
}

impl StageError {
    /// The member whose logs may say why.
    pub(crate) fn suspect(&self) -> Option<&str> {
        match self {
            Self::Ports(_) => None,
            Self::Start { process, .. } => Some(process),
            Self::Speak { name, .. } | Self::NotReady(name) => Some(name),
        }
    }
}

impl Stage {
    /// An empty stage.
    pub(crate) fn new(folder: Folder, orders: Orders) -> io::Result<Self> {
        let program = std::env::current_exe()?;
        let crew = Crew {
            guard: Guard::start(&program)?,
            orders,
            fallen: watch::Sender::new(None),
        };
        let (tasks, actors, ports) = (TaskSet::new("demo"), Vec::new(), BTreeMap::new());
        Ok(Self {
            folder,
            program,
            crew,
            tasks,
            actors,
            ports,
        })
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Tasks that end with the stage.
    pub(crate) fn tasks(&self) -> &TaskSet {
        &self.tasks
    }

    /// Where a member's sidecar listens, where it has one.
    pub(crate) fn ports(&self, name: &str) -> Option<Ports> {
        self.ports.get(name).copied()
    }

    /// Completes when a process ends without being told to.
    pub(crate) fn fallen(&self) -> impl Future<Output = Fallen> + use<> {
        let mut fallen = self.crew.fallen.subscribe();
        async move {
            match fallen
                .wait_for(Option::is_some)
                .await
                .ok()
                .and_then(|fallen| fallen.clone())
            {
                Some(fallen) => fallen,
                // The stage is gone, and nobody falls any more.
                None => std::future::pending().await,
            }
        }
    }

    /// Starts everybody, and returns when all are ready to be called.
    pub(crate) async fn raise(&mut self) -> Result<(), StageError> {
        self.give_ports()?;
        for member in &CAST {
            self.start(member)?;
        }
        let door = self.client(DOOR)?;
        for answer in join_all(CAST.iter().map(|member| self.ready(member, &door))).await {
            answer?;
        }
        Ok(())
    }

    /// Finds a port for each that needs one. All are held until all are found, so that no two are the same.
    fn give_ports(&mut self) -> Result<(), StageError> {
        let mut free = FreePorts::default();
        for member in CAST.iter().filter(|member| member.form.has_sidecar()) {
            let mut take = |what: &str| free.take(None, format!("{what} of {}", member.name));
            let app = member.form.service().map(|_| take("port")).transpose()?;
            let ports = Ports {
                http: take("HTTP port of the sidecar")?,
                grpc: take("gRPC port of the sidecar")?,
                app,
            };
            self.ports.insert(member.name, ports);
        }
        Ok(())
    }

    fn start(&mut self, member: &Member) -> Result<(), StageError> {
        let (name, ports) = (member.name, self.ports(member.name));
        if let Some(ports) = ports {
            let recipe = Recipe::sidecar(&self.program, name, ports, &self.folder);
            self.enter(sidecar_of(name), recipe)?;
        }
        if let Some(service) = member.form.service() {
            let recipe = Recipe::service(&self.program, name, service, ports, &self.folder);
            self.enter(name.to_owned(), recipe)?;
        }
        Ok(())
    }

    fn enter(&mut self, process: String, recipe: Recipe) -> Result<(), StageError> {
        let actor = Actor::start(process.clone(), recipe, &self.crew, &self.tasks);
        self.actors
            .push(actor.map_err(|source| StageError::Start { process, source })?);
        Ok(())
    }

    /// A client of a member's sidecar.
    pub(crate) fn client(&self, name: &'static str) -> Result<Client, StageError> {
        let port = self.ports(name).ok_or(StageError::NotReady(name))?.http;
        Client::new(&Endpoint::local(port), None).map_err(|source| StageError::Speak { name, source })
    }

    /// Kills a process in the middle of its work.
    pub(crate) async fn kill(&self, process: &str) {
        if let Some(actor) = self.actor(process) {
            actor.kill().await;
        }
    }

    /// Starts a process again that was killed.
    pub(crate) async fn restart(&self, process: &str) -> Result<(), StageError> {
        let failed = |source| StageError::Start {
            process: process.to_owned(),
            source,
        };
        match self.actor(process) {
            Some(actor) => actor.restart().await.map_err(failed),
            None => Err(failed(io::ErrorKind::NotFound.into())),
        }
    }

    fn actor(&self, process: &str) -> Option<&Actor> {
        self.actors.iter().find(|actor| actor.name() == process)
    }

    /// Ends everybody in good order: first those without a sidecar, who call the others; then the sidecars, which finish
    /// what their apps have in hand; then the apps. Returns who did not end as told, and how.
    pub(crate) async fn strike(&self) -> Vec<Fallen> {
        let sidecars: Vec<String> = self.ports.keys().map(|name| sidecar_of(name)).collect();
        let is_embedded = |actor: &&Actor| {
            CAST.iter()
                .any(|member| member.name == actor.name() && matches!(member.form, Form::Embedded(_)))
        };
        let is_sidecar = |actor: &&Actor| sidecars.iter().any(|name| name == actor.name());
        let first = self.actors.iter().filter(is_embedded).collect();
        let second = self.actors.iter().filter(is_sidecar).collect();
        let third = self
            .actors
            .iter()
            .filter(|actor| !is_embedded(actor) && !is_sidecar(actor))
            .collect();
        let mut late = Vec::new();
        for group in [first, second, third] {
            late.extend(stop_all(group).await);
        }
        self.tasks.stop();
        late
    }
}

async fn stop_all(actors: Vec<&Actor>) -> Vec<Fallen> {
    let ends = join_all(actors.iter().map(|actor| actor.stop(GRACE))).await;
    let disobedient = |(actor, ended): (&&Actor, Option<Ended>)| {
        let ended = ended.filter(|ended| !ended.is_obedient())?;
        Some(Fallen {
            process: actor.name().to_owned(),
            how: ended.to_string(),
        })
    };
    actors.iter().zip(ends).filter_map(disobedient).collect()
}

/// The other log of the same member: a sidecar's for an app, an app's for a sidecar.
pub(crate) fn other_log(process: &str) -> Option<String> {
    CAST.iter().find_map(|member| {
        let sidecar = sidecar_of(member.name);
        if process == member.name {
            Some(sidecar)
        } else {
            (process == sidecar).then(|| member.name.to_owned())
        }
    })
}
