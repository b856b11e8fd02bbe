//! What a node is made from.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use outrigger_base_clock::{Clock, Entropy};
use outrigger_runtime_channel::{AppChannel, Settings, health};
use outrigger_runtime_host::{Identity, Registry};
use tokio::runtime::Handle;

use crate::Loaded;

/// Everything that a node is made from.
#[derive(Debug)]
pub struct Options {
    /// Who it is.
    pub identity: Identity,
    /// How each type of component is opened.
    pub registry: Registry,
    /// The configuration and the resources.
    pub loaded: Loaded,
    /// The app, where there is one.
    pub app: Option<AppOptions>,
    /// Where the internal port is bound. Port 0 takes a free one.
    pub internal: SocketAddr,
    /// Runtimes that connections are served on, in turn; empty for the current one.
    pub workers: Vec<Handle>,
    /// Where components of ours keep files.
    pub data_dir: PathBuf,
    /// The folder of the machine-local registry; `None` for none.
    pub registry_dir: Option<PathBuf>,
    /// Whether peers are looked for, and told of this node, by multicast.
    pub multicast: bool,
    /// Bytes that a request's body may have; `None` for no limit.
    pub max_body: Option<u64>,
    /// Bytes that the head of a request or an answer may have.
    pub max_head: usize,
    /// How it comes to an end.
    pub drain: DrainOptions,
    /// Wall time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
}

/// How the app is reached and watched.
#[derive(Debug)]
pub enum AppOptions {
    /// Over a socket.
    Socket {
        /// Where it is and what it speaks.
        settings: Settings,
        /// The most calls at a time.
        max_concurrency: Option<usize>,
        /// How its health is watched, where it is.
        health: Option<health::Options>,
    },
    /// In this process.
    InProcess(Arc<dyn AppChannel>),
}

/// How a node comes to an end.
#[derive(Debug, Clone, Copy)]
pub struct DrainOptions {
    /// Time that requests in flight and components have (`--dapr-graceful-shutdown-seconds`).
    pub graceful: Duration,
    /// Time that the node goes on answering after it took no more messages (`--dapr-block-shutdown-duration`).
    pub block: Option<Duration>,
}

impl Default for DrainOptions {
    fn default() -> Self {
        // Dapr's default.
        Self {
            graceful: Duration::from_secs(5),
            block: None,
        }
    }
}
