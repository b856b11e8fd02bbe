//! A sidecar's life: started, ready, drained.

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use outrigger_base_clock::{BufferedEntropy, Clock, Entropy, SystemClock};
use outrigger_base_std::{BoxError, chain};
use outrigger_base_task::StopSignal;
use outrigger_resource_manifest::{Env, ProcessEnv, configuration::ApiLogging};
use outrigger_runtime_api_http::CallLog;
use outrigger_runtime_delivery::{Settings as DeliverySettings, Subscriptions};
use outrigger_runtime_host::Identity;
use outrigger_runtime_node::{
    AppOptions, DrainOptions, Loaded, Node, Options, host_address, load, multicast, registry_dir,
};
use outrigger_wire_names::{environment, flags as names, version};
use tokio::{runtime::Builder, time::Instant};

use super::{
    faces::Listeners,
    flags::Flags,
    logging,
    settings::Settings,
    signals::{self, End, Signals},
    workers::Workers,
};

/// Pause before a forced exit, in which the answer to the request for it goes out.
const FORCE_PAUSE: Duration = Duration::from_millis(100);
/// Time beyond the graceful one after which the process ends whatever happens.
const LAST_RESORT: Duration = Duration::from_secs(5);

/// Runs a sidecar until it is told to end.
pub(crate) fn run(settings: Settings, flags: &Flags) -> ExitCode {
    let host_name = hostname::get()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    if let Err(error) = logging::install(flags, &settings.app_id, &host_name) {
        super::complain(&format!("Failed to parse flags: {}\n", chain(&*error)));
        return ExitCode::FAILURE;
    }
    tracing::info!(
        "Starting Dapr Runtime -- version {} -- outrigger {}",
        version::DAPR,
        version::OUTRIGGER
    );
    tracing::info!("Log level set to: {}", flags.text(names::LOG_LEVEL));
    for (flag, block) in flags.without_room() {
        tracing::warn!(
            "--{flag} has no effect: the {block} building block is not built into this version of Outrigger"
        );
    }
    // The control part runs on this thread, connections on the workers'.
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fatal(&error.into()),
    };
    let code = runtime.block_on(lives(settings, flags, &host_name));
    runtime.shutdown_timeout(FORCE_PAUSE);
    code
}

fn fatal(error: &BoxError) -> ExitCode {
    tracing::error!(fatal = true, "Fatal error from runtime: {}", chain(&**error));
    ExitCode::FAILURE
}

/// One life after another, in the same process and with the same flags: a hangup ends one and begins the next, which
/// reads its files anew.
async fn lives(mut settings: Settings, flags: &Flags, host_name: &str) -> ExitCode {
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => return fatal(&error.into()),
    };
    loop {
        if let After::Exit(code) = live(settings, host_name, &mut signals).await {
            return code;
        }
        signals.forget_hangup();
        settings = match Settings::new(flags, &ProcessEnv) {
            Ok(settings) => settings,
            Err(error) => return fatal(&error.into()),
        };
    }
}

/// One life. Its workers end with it, and what it left behind on them.
async fn live(settings: Settings, host_name: &str, signals: &mut Signals) -> After {
    let workers = match Workers::start() {
        Ok(workers) => workers,
        Err(error) => return After::Exit(fatal(&error.into())),
    };
    match start(settings, host_name, &workers).await {
        Ok(sidecar) => sidecar.live(signals).await,
        Err(error) => After::Exit(fatal(&error)),
    }
}

/// What comes after a life.
enum After {
    /// The end of the process.
    Exit(ExitCode),
    /// The next life.
    Restart,
}

/// A started sidecar.
struct Sidecar {
    node: Node,
    subscriptions: Subscriptions,
    sockets: Vec<PathBuf>,
    graceful: Duration,
    start: Instant,
}

async fn start(mut settings: Settings, host_name: &str, workers: &Workers) -> Result<Sidecar, BoxError> {
    let start = Instant::now();
    let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) =
        (Arc::new(SystemClock), Arc::new(BufferedEntropy::default()));
    let listeners = Listeners::bind(&settings)?;
    let namespace = Some(settings.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    let mut loaded = load(
        &settings.configs,
        &settings.resources,
        &settings.app_id,
        namespace,
        &ProcessEnv,
    )?;
    loaded.skip_app_config = settings.skip_config;
    loaded.skip_app_subscriptions = settings.skip_subscribe;
    let log_calls = call_log(settings.log_calls, &loaded.configuration.api_logging);
    let skip_subscriptions = loaded.skip_app_subscriptions;
    let options = options(&mut settings, host_name, workers, loaded, clock, entropy);
    let node = Node::start(options, &ProcessEnv).await?;
    tracing::info!("HTTP server is running on port {}", listeners.http_port);
    tracing::info!("gRPC server is running on port {}", listeners.grpc_port);
    tracing::info!(
        "Internal gRPC server is running on port {}",
        node.internal_address().port()
    );
    let graceful = settings.graceful;
    let delivery = DeliverySettings {
        ask_app: !skip_subscriptions,
        ..DeliverySettings::default()
    };
    let subscriptions = Subscriptions::with_settings(
        node.api().clone(),
        node.tasks().child("delivery"),
        node.metrics(),
        delivery,
    )?;
    let sockets = listeners.serve(&node, &settings, log_calls, &subscriptions);
    Ok(Sidecar {
        node,
        subscriptions,
        sockets,
        graceful,
        start,
    })
}

/// How calls of the API are logged: the flag has the last word on whether they are.
fn call_log(flag: Option<bool>, configured: &ApiLogging) -> Option<CallLog> {
    flag.unwrap_or(configured.enabled).then_some(CallLog {
        obfuscate_urls: configured.obfuscate_urls,
        omit_health_checks: configured.omit_health_checks,
    })
}

fn options(
    settings: &mut Settings,
    host_name: &str,
    workers: &Workers,
    loaded: Loaded,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Options {
    let env = ProcessEnv;
    let app = settings.app.take().map(|app| AppOptions::Socket {
        settings: app,
        max_concurrency: settings.app_max_concurrency,
        health: settings.app_health.take(),
    });
    Options {
        identity: Identity {
            app_id: settings.app_id.as_str().into(),
            namespace: settings.namespace.as_str().into(),
            host_name: host_name.into(),
            host_address: host_address(&env, settings.internal.ip()),
        },
        registry: outrigger_catalog::registry(),
        loaded,
        app,
        internal: settings.internal,
        workers: workers.handles(),
        data_dir: data_dir(&env),
        registry_dir: Some(registry_dir(&env)),
        multicast: multicast(&env),
        max_body: settings.max_body,
        max_head: settings.max_head,
        drain: DrainOptions {
            graceful: settings.graceful,
            block: settings.block,
        },
        clock,
        entropy,
    }
}

/// Where components of ours keep files: `OUTRIGGER_HOME`, or `.outrigger` in the user's home.
fn data_dir(env: &dyn Env) -> PathBuf {
    let set = |name| env.var(name).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    set(environment::OUTRIGGER_HOME)
        .or_else(|| set("HOME").map(|home| home.join(".outrigger")))
        .unwrap_or_else(|| std::env::temp_dir().join("outrigger"))
        .join("data")
}

impl Sidecar {
    /// Waits for the app, then for the end.
    async fn live(mut self, signals: &mut Signals) -> After {
        let (shutdown, force) = (
            self.node.api().parts().shutdown.clone(),
            self.node.api().parts().force_shutdown.clone(),
        );
        let subscriptions = self.subscriptions.clone();
        let start = self.start;
        let watched = self.node.api().parts().app_connection.health.is_some();
        let ready = self.node.arrive(async move {
            if watched {
                subscriptions.follow_health();
            } else {
                subscriptions.start().await;
            }
            tracing::info!(
                "dapr initialized. Status: Running. Init Elapsed {}ms",
                start.elapsed().as_millis()
            );
        });
        let end = told_while(signals, &shutdown, &force, ready).await;
        if end == End::Force {
            tokio::time::sleep(FORCE_PAUSE).await;
            return After::Exit(ExitCode::FAILURE);
        }
        let restarts = self.end(signals, &shutdown, &force, end == End::Restart).await;
        match restarts {
            Ok(true) => After::Restart,
            Ok(false) => {
                tracing::info!("Daprd shutdown gracefully");
                After::Exit(ExitCode::SUCCESS)
            }
            Err(Cut) => After::Exit(ExitCode::FAILURE),
        }
    }

    /// Drains. Returns whether a restart is still wanted then: whoever asks for the end meanwhile gets it.
    async fn end(
        self,
        signals: &mut Signals,
        shutdown: &StopSignal,
        force: &StopSignal,
        mut restarts: bool,
    ) -> Result<bool, Cut> {
        let Self {
            node,
            subscriptions,
            sockets,
            graceful,
            ..
        } = self;
        let drain = node.drain(async move { subscriptions.stop().await });
        let limit = tokio::time::sleep(graceful + LAST_RESORT);
        tokio::pin!(drain, limit);
        let ended = loop {
            tokio::select! {
                late = &mut drain => {
                    for name in late {
                        tracing::warn!("shutdown: {name} ran out of time");
                    }
                    break Ok(restarts && !shutdown.is_stopped());
                }
                () = &mut limit => {
                    tracing::warn!("Graceful shutdown timeout exceeded, forcing shutdown");
                    break Err(Cut);
                }
                // The first one asks that no other life comes, a second one that this one ends at once.
                signal = signals.end() => {
                    if !restarts {
                        tracing::error!("Received signal '{signal}' during shutdown; exiting immediately");
                        break Err(Cut);
                    }
                    signals::begin(signal);
                    restarts = false;
                }
                () = force.stopped() => break Err(Cut),
            }
        };
        for socket in sockets {
            let _ = std::fs::remove_file(socket);
        }
        ended
    }
}

/// The drain did not come to its end.
struct Cut;

/// Drives `ready` and waits for the end, whichever comes first.
async fn told_while(
    signals: &mut Signals,
    shutdown: &StopSignal,
    force: &StopSignal,
    ready: impl Future<Output = ()>,
) -> End {
    let told = signals.told(shutdown, force);
    tokio::pin!(told);
    tokio::select! {
        biased;
        end = &mut told => end,
        () = ready => told.await,
    }
}
