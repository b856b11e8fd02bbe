//! The app: its channel, and waiting for it.

use std::{sync::Arc, time::Duration};

use outrigger_base_std::BoxError;
use outrigger_base_task::{StopSignal, TaskSet};
use outrigger_runtime_api::AppConnection;
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

impl App {
    /// The way to the app; its health is watched by a task of `tasks`.
    pub(crate) fn new(options: Option<AppOptions>, tasks: &TaskSet) -> Result<Self, BoxError> {
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
            }) => Self::on_socket(settings, max_concurrency, health, tasks),
        }
    }

    fn on_socket(
        settings: Settings,
        max_concurrency: Option<usize>,
        options: Option<health::Options>,
        tasks: &TaskSet,
    ) -> Result<Self, BoxError> {
        let connections = tasks.child("app-channel");
        let channel: Arc<dyn AppChannel> = if settings.protocol.is_grpc() {
            limited(GrpcChannel::new(&settings, connections)?, max_concurrency)
        } else {
            limited(HttpChannel::new(&settings, connections)?, max_concurrency)
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

    /// Waits until the app listens, and asks it for its configuration, so that it sees the call.
    pub(crate) fn arrival(
        &self,
        ask_config: bool,
        stop: StopSignal,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (socket, channel) = (self.socket.clone(), self.channel.clone());
        async move {
            if let Some(settings) = socket {
                let _ = stop.run_until(listening(&settings)).await;
            }
            if let Some(channel) = channel.filter(|_| ask_config && !stop.is_stopped())
                && let Err(error) = channel.app_config().await
            {
                tracing::warn!(
                    "failed to load app configuration: {}",
                    outrigger_base_std::chain(&error)
                );
            }
        }
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
