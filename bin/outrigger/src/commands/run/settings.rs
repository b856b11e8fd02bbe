//! What can be said of an app, on the command line or in a run file. Nothing is checked or filled in here.

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

/// One app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct App {
    /// Its id; made up if missing.
    pub(crate) app_id: Option<String>,
    /// The folder it runs in; that of the command if missing.
    pub(crate) dir: Option<PathBuf>,
    /// The host it listens on.
    pub(crate) channel_address: Option<String>,
    /// The port it listens on.
    pub(crate) app_port: Option<u16>,
    /// The ports of its sidecar; free ones where missing.
    pub(crate) http_port: Option<u16>,
    pub(crate) grpc_port: Option<u16>,
    pub(crate) internal_port: Option<u16>,
    pub(crate) metrics_port: Option<u16>,
    pub(crate) profile_port: Option<u16>,
    /// The folder of its sidecar's Unix sockets, in place of ports.
    pub(crate) unix_domain_socket: Option<PathBuf>,
    /// The program and its arguments; a sidecar alone if empty.
    pub(crate) command: Vec<OsString>,
    /// What may be said once for several apps.
    pub(crate) shared: Shared,
}

/// What may be said once for several apps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shared {
    /// The sidecar's configuration file.
    pub(crate) config_file: Option<PathBuf>,
    /// Folders of resources.
    pub(crate) resources: Vec<PathBuf>,
    /// What the app speaks.
    pub(crate) app_protocol: Option<String>,
    /// The addresses that the sidecar's APIs listen on, with commas.
    pub(crate) listen_addresses: Option<String>,
    pub(crate) enable_profiling: Option<bool>,
    pub(crate) log_level: Option<String>,
    pub(crate) max_concurrency: Option<i64>,
    /// Addresses of control services; an empty text wants none.
    pub(crate) placement: Option<String>,
    pub(crate) scheduler: Option<String>,
    pub(crate) app_ssl: Option<bool>,
    pub(crate) max_body_size: Option<String>,
    pub(crate) read_buffer_size: Option<String>,
    pub(crate) enable_app_health: Option<bool>,
    pub(crate) app_health_path: Option<String>,
    /// In seconds.
    pub(crate) app_health_interval: Option<i64>,
    /// In milliseconds.
    pub(crate) app_health_timeout: Option<i64>,
    pub(crate) app_health_threshold: Option<i64>,
    pub(crate) enable_api_logging: Option<bool>,
    /// The folder that holds `.dapr`.
    pub(crate) runtime_path: Option<PathBuf>,
    /// Environment of the app.
    pub(crate) env: BTreeMap<String, String>,
    /// Where the sidecar's log and the app's output go.
    pub(crate) daprd_log: Option<Destination>,
    pub(crate) app_log: Option<Destination>,
}

/// Where output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Into a file.
    File,
    /// To the output of `run`.
    Console,
    /// Both.
    FileAndConsole,
}

impl Destination {
    /// The names in run files.
    pub(crate) const NAMES: [(&str, Self); 3] = [
        ("file", Self::File),
        ("console", Self::Console),
        ("fileAndConsole", Self::FileAndConsole),
    ];

    /// Whether output goes into a file.
    pub(crate) fn is_file(self) -> bool {
        matches!(self, Self::File | Self::FileAndConsole)
    }

    /// Whether output goes to the output of `run`.
    pub(crate) fn is_console(self) -> bool {
        matches!(self, Self::Console | Self::FileAndConsole)
    }
}

impl Shared {
    /// What is said here, and what is said in `common` where nothing is said here. Of the environment, each variable
    /// is taken by itself; folders of resources are not taken over, because an app's own folder comes between.
    pub(crate) fn or(self, common: &Self) -> Self {
        let mut env = common.env.clone();
        env.extend(self.env);
        Self {
            config_file: self.config_file,
            resources: self.resources,
            app_protocol: self.app_protocol.or_else(|| common.app_protocol.clone()),
            listen_addresses: self.listen_addresses.or_else(|| common.listen_addresses.clone()),
            enable_profiling: self.enable_profiling.or(common.enable_profiling),
            log_level: self.log_level.or_else(|| common.log_level.clone()),
            max_concurrency: self.max_concurrency.or(common.max_concurrency),
            placement: self.placement.or_else(|| common.placement.clone()),
            scheduler: self.scheduler.or_else(|| common.scheduler.clone()),
            app_ssl: self.app_ssl.or(common.app_ssl),
            max_body_size: self.max_body_size.or_else(|| common.max_body_size.clone()),
            read_buffer_size: self.read_buffer_size.or_else(|| common.read_buffer_size.clone()),
            enable_app_health: self.enable_app_health.or(common.enable_app_health),
            app_health_path: self.app_health_path.or_else(|| common.app_health_path.clone()),
            app_health_interval: self.app_health_interval.or(common.app_health_interval),
            app_health_timeout: self.app_health_timeout.or(common.app_health_timeout),
            app_health_threshold: self.app_health_threshold.or(common.app_health_threshold),
            enable_api_logging: self.enable_api_logging.or(common.enable_api_logging),
            runtime_path: self.runtime_path.or_else(|| common.runtime_path.clone()),
            env,
            daprd_log: self.daprd_log.or(common.daprd_log),
            app_log: self.app_log.or(common.app_log),
        }
    }
}
