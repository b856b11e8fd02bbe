//! The app beside a sidecar: a plain HTTP app whose handles speak to it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use outrigger_base_std::Secret;
use outrigger_base_task::{Drain, Leftover, Phase, StopSignal, TaskSet};
use outrigger_client::Client;
use outrigger_transport::server::{self, Listener, Peer};
use outrigger_wire_names::environment;

use super::{Running, settings::Settings, start_error};
use crate::{Error, Handle, face::Face, handle::Backend, program::Program};

/// Time for the sidecar to be there: it may be started after the app, and opens its components first.
const SIDECAR_TIMEOUT: Duration = Duration::from_secs(60);
/// Time for connections to end that were told to: those at rest, and the others after their calls had theirs.
const CUT_TIMEOUT: Duration = Duration::from_millis(100);

/// An app on a port of its own.
pub(super) struct Beside {
    address: Option<SocketAddr>,
    intake: StopSignal,
    tasks: TaskSet,
    graceful: Duration,
}

/// Cuts connections when it is dropped. An app that has ended in order does not notice.
struct Cut(TaskSet);

impl Drop for Cut {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Listens for the sidecar, then waits for it.
pub(super) async fn start(settings: Settings, program: Arc<Program>) -> Result<Running, Error> {
    let client = Client::from_lookup(|name| settings.env.var(name))
        .map_err(|error| start_error("find the sidecar", error))?;
    let handle = Handle::new(Backend::Sidecar(client.clone(), settings.entropy.clone()));
    program.shared().connect(&handle);
    let mut beside = Beside {
        address: None,
        intake: StopSignal::default(),
        tasks: TaskSet::new("app"),
        graceful: settings.graceful,
    };
    // Before the sidecar is waited for: it may wait for the app.
    match settings.listen_address()? {
        Some(address) => beside.serve(address, &settings, program)?,
        None if program.is_empty() => {}
        None => {
            let name = environment::APP_PORT;
            return Err(start_error(
                "listen for the sidecar",
                format!(
                    "the app has handlers, and {name} is not set: start it with --app-port, or use App::listen"
                ),
            ));
        }
    }
    match there(&client, &settings).await {
        Ok(()) => Ok(Running::beside(handle, beside)),
        Err(error) => {
            beside.end().await;
            Err(error)
        }
    }
}

/// Waits for the sidecar and says where it is not what the app expects.
async fn there(client: &Client, settings: &Settings) -> Result<(), Error> {
    let ready = client.wait_until_ready(SIDECAR_TIMEOUT).await;
    ready.map_err(|error| start_error("wait for the sidecar", error))?;
    let metadata = client.metadata().await;
    let metadata = metadata.map_err(|error| start_error("ask the sidecar about itself", error))?;
    if metadata.id != settings.app_id {
        tracing::warn!(
            "the app calls itself {:?}; its sidecar says {:?}, which counts",
            settings.app_id,
            metadata.id
        );
    }
    for component in &settings.components {
        if !metadata.components.iter().any(|open| open.name == component.name) {
            tracing::warn!(
                "the app brings the component {:?} ({}) in code; beside a sidecar that has no effect, and the sidecar has \
                 no component of that name",
                component.name,
                component.type_
            );
        }
    }
    tracing::info!(app_id = metadata.id, "the app runs beside a sidecar");
    Ok(())
}

impl Beside {
    fn serve(
        &mut self,
        address: SocketAddr,
        settings: &Settings,
        program: Arc<Program>,
    ) -> Result<(), Error> {
        let attempted = || format!("listen on {address}");
        let socket = server::bind(address, false).map_err(|error| start_error(attempted(), error))?;
        self.address = socket.local_addr().ok();
        let listener = Listener::tcp(socket).map_err(|error| start_error(attempted(), error))?;
        let token = settings.var(environment::APP_API_TOKEN).map(Secret::from);
        let face = Face::new(program, token);
        let serving = server::serve(
            listener,
            move |_: Peer| face.clone(),
            server::Options::default(),
            Vec::new(),
            self.tasks.child("calls"),
            self.intake.clone(),
        );
        self.tasks.spawn("app-port", serving);
        Ok(())
    }

    /// Where the sidecar reaches the app.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Takes no more calls and finishes those in hand. Returns what ran out of time. Dropped before it is done, it cuts what
    /// is in hand.
    pub(super) async fn end(self) -> Vec<String> {
        let _cut = Cut(self.tasks.clone());
        self.intake.stop();
        // Connections end with their calls; what is left after the time is cut.
        let (mut drain, all) = (Drain::new(), self.tasks.clone());
        let deadline = self.graceful.max(CUT_TIMEOUT);
        drain.on(Phase::InFlight, "requests in flight", deadline, async move {
            all.wait().await;
        });
        let mut late = drain.run().await;
        let left = self.tasks.close(CUT_TIMEOUT).await;
        let name = |leftover: Leftover| format!("{}: {}", leftover.owner, leftover.task);
        late.extend(left.into_iter().map(name));
        late
    }

    /// Tells every task to end, without waiting.
    pub(super) fn abandon(&self) {
        self.intake.stop();
        self.tasks.stop();
    }
}
