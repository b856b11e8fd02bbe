//! The app: its channel, and waiting for it.

use std::{sync::Arc, time::Duration};

use outrigger_base_std::BoxError;
use outrigger_base_task::TaskSet;
use outrigger_runtime_api::{AppConnection, Telemetry};
use outrigger_runtime_channel::{
    AppChannel, GrpcChannel, HttpChannel, Limited, Settings,
    health::{self, Health},
};
use tokio::net::TcpStream;

use crate::AppOptions;

/// Time between two looks whether the app listens.
const PROBE_INTERVAL: Duration = Duration::from_millis(100);

/// The app as a node sees it.
pub(crate) struct App {
    pub(crate) channel: Option<Arc<dyn AppChannel>>,
    pub(crate) health: Health,
    pub(crate) connection: AppConnection,
    /// Where the app must listen before it counts as there.
    socket: Option<Settings>,
}

/// Told where the app is not asked for its configuration, in the words that users look for.
const CONFIG_SKIPPED: &str =
    "Skipping programmatic dapr configuration loading (see 'disable-init-endpoints' flag/annotation)";

impl App {
    /// The way to the app; its health is watched by a task of `tasks`.
    pub(crate) fn new(
        options: Option<AppOptions>,
        telemetry: &Arc<Telemetry>,
        tasks: &TaskSet,
    ) -> Result<Self, BoxError> {
        match options {
            None => {
                let connection = AppConnection {
                    protocol: "http".to_owned(),
                    ..AppConnection::default()
                };
                Ok(Self {
                    channel: None,
                    health: Health::unwatched(),
                    connection,
                    socket: None,
                })
            }
            Some(AppOptions::InProcess(channel)) => {
                let connection = AppConnection {
                    protocol: channel.protocol().to_string(),
                    ..AppConnection::default()
                };
                Ok(Self {
                    channel: Some(channel),
                    health: Health::unwatched(),
                    connection,
                    socket: None,
                })
            }
            Some(AppOptions::Socket {
                settings,
                max_concurrency,
                health,
            }) => {
                let counted = Counted { telemetry, tasks };
                Self::on_socket(settings, max_concurrency, health, counted)
            }
        }
    }

    fn on_socket(
        settings: Settings,
        max_concurrency: Option<usize>,
        options: Option<health::Options>,
        Counted { telemetry, tasks }: Counted<'_>,
    ) -> Result<Self, BoxError> {
        let connections = tasks.child("app-channel");
        let channel: Arc<dyn AppChannel> = if settings.protocol.is_grpc() {
            let channel = GrpcChannel::new(&settings, connections)?;
            limited(channel.counted(telemetry.clone()), max_concurrency)
        } else {
            let channel = HttpChannel::new(&settings, connections)?;
            limited(channel.counted(telemetry.clone()), max_concurrency)
        };
        let connection = AppConnection {
            port: settings.port,
            protocol: settings.protocol.to_string(),
            channel_address: settings.address.clone(),
            max_concurrency: max_concurrency
                .and_then(|limit| i32::try_from(limit).ok())
                .unwrap_or(0),
            health: options.clone(),
        };
        let health = options.map_or_else(Health::unwatched, |options| {
            let (health, watch) = health::watch_app(channel.clone(), options, tasks.signal().clone());
            tasks.spawn("app-health", watch);
            health
        });
        Ok(Self {
            channel: Some(channel),
            health,
            connection,
            socket: Some(settings),
        })
    }

    /// Waits until the app listens, and asks it for its configuration, so that it sees the call: at once, or where its
    /// health is watched once it is well, which nobody waits for.
    pub(crate) fn arrival(
        &self,
        ask_config: bool,
        tasks: TaskSet,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (socket, channel, mut health) = (self.socket.clone(), self.channel.clone(), self.health.clone());
        let stop = tasks.signal().clone();
        async move {
            let (Some(settings), Some(channel)) = (socket, channel) else {
                return;
            };
            let there = stop.run_until(listening(&settings)).await.is_some();
            if !ask_config {
                tracing::warn!("{CONFIG_SKIPPED}");
            } else if there && health.is_watched() {
                tasks.spawn("app-config", async move {
                    if stop.run_until(health.until(true)).await.is_some() {
                        let _ = stop.run_until(ask(&*channel)).await;
                    }
                });
            } else if there {
                ask(&*channel).await;
            }
        }
    }
}

/// What an app on a socket is counted with and owned by.
struct Counted<'a> {
    telemetry: &'a Arc<Telemetry>,
    tasks: &'a TaskSet,
}

async fn ask(channel: &dyn AppChannel) {
    if let Err(error) = channel.app_config().await {
        tracing::warn!(
            "failed to load app configuration: {}",
            outrigger_base_std::chain(&error)
        );
    }
}

fn limited<C: AppChannel + 'static>(channel: C, limit: Option<usize>) -> Arc<dyn AppChannel> {
    match limit {
        Some(limit) => Arc::new(Limited::new(channel, limit)),
        None => Arc::new(channel),
    }
}

/// Returns when the app accepts connections. The texts are those that Dapr's users wait for.
async fn listening(settings: &Settings) {
    let (protocol, port) = (settings.protocol, settings.port);
    tracing::info!(
        "application protocol: {protocol}. waiting on port {port}.  This will block until the app is listening on that port."
    );
    while TcpStream::connect((settings.address.as_str(), port))
        .await
        .is_err()
    {
        tokio::time::sleep(PROBE_INTERVAL).await;
    }
    tracing::info!("application discovered on port {port}");
}
