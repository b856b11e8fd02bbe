//! The flags of `run`: those of Dapr's CLI.

use std::{ffi::OsString, path::PathBuf};

use outrigger_wire_names::environment;

use super::settings::{App, Shared};
use crate::commands::flag::{self, some_path, some_text};

/// Run an app with its sidecar, or several from a run file
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Id of the app; made up if it is not given
    #[arg(short, long, value_name = "ID")]
    pub(super) app_id: Option<String>,
    /// Port that the app listens on
    #[arg(short = 'p', long, value_name = "PORT", allow_negative_numbers = true, value_parser = ports())]
    pub(super) app_port: Option<i64>,
    /// What the app speaks: http, https, h2c, grpc or grpcs
    #[arg(short = 'P', long, value_name = "PROTOCOL")]
    pub(super) app_protocol: Option<String>,
    /// Host that the app listens on
    #[arg(long, value_name = "HOST")]
    pub(super) app_channel_address: Option<String>,
    /// Most calls of the app at a time; no limit by default
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub(super) app_max_concurrency: Option<i64>,
    /// Port of the HTTP API; a free one by default
    #[arg(short = 'H', long, value_name = "PORT", allow_negative_numbers = true, value_parser = ports())]
    pub(super) dapr_http_port: Option<i64>,
    /// Port of the gRPC API; a free one by default
    #[arg(short = 'G', long, value_name = "PORT", allow_negative_numbers = true, value_parser = ports())]
    pub(super) dapr_grpc_port: Option<i64>,
    /// Port for other sidecars; a free one by default
    #[arg(short = 'I', long, value_name = "PORT", allow_negative_numbers = true, value_parser = ports())]
    pub(super) dapr_internal_grpc_port: Option<i64>,
    /// Port of the metrics; a free one by default
    #[arg(short = 'M', long, value_name = "PORT", allow_negative_numbers = true, value_parser = ports())]
    pub(super) metrics_port: Option<i64>,
    /// Addresses that the APIs listen on, with commas
    #[arg(long, value_name = "ADDRESSES")]
    pub(super) dapr_listen_addresses: Option<String>,
    /// Folder for Unix sockets of the APIs, instead of ports
    #[arg(short = 'u', long, value_name = "FOLDER", value_parser = flag::path())]
    pub(super) unix_domain_socket: Option<PathBuf>,
    /// Configuration file of the sidecar
    #[arg(short, long, value_name = "FILE", value_parser = flag::path())]
    pub(super) config: Option<PathBuf>,
    /// Folder of resources; may be repeated. By default a state store "statestore" and a broker "pubsub" are there
    #[arg(long, value_name = "FOLDER", value_delimiter = ',', value_parser = flag::path())]
    pub(super) resources_path: Vec<PathBuf>,
    #[arg(short = 'd', long, hide = true, value_parser = flag::path())]
    pub(super) components_path: Option<PathBuf>,
    /// Most bytes of a request's body, such as 4Mi
    #[arg(long, value_name = "SIZE", allow_negative_numbers = true)]
    pub(super) max_body_size: Option<String>,
    /// Most bytes of a request's head, such as 4Ki
    #[arg(long, value_name = "SIZE", allow_negative_numbers = true)]
    pub(super) read_buffer_size: Option<String>,
    /// How much the sidecar logs: debug, info, warn, error or fatal
    #[arg(long, value_name = "LEVEL")]
    pub(super) log_level: Option<String>,
    /// Log every call of the APIs
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = flag::boolean())]
    pub(super) enable_api_logging: Option<bool>,
    /// Watch the app's health
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = flag::boolean())]
    pub(super) enable_app_health_check: Option<bool>,
    /// Where an HTTP app tells its health
    #[arg(long, value_name = "PATH")]
    pub(super) app_health_check_path: Option<String>,
    /// Seconds between two probes of the app's health
    #[arg(long, value_name = "SECONDS")]
    pub(super) app_health_probe_interval: Option<i64>,
    /// Milliseconds for an answer to a probe
    #[arg(long, value_name = "MILLISECONDS")]
    pub(super) app_health_probe_timeout: Option<i64>,
    /// Failed probes in a row that make the app unwell
    #[arg(long, value_name = "NUMBER")]
    pub(super) app_health_threshold: Option<i64>,
    /// Address of a placement service; none by default, or if empty
    #[arg(long, value_name = "ADDRESS", env = environment::DAPR_PLACEMENT_HOST_ADDRESS, hide_env_values = true)]
    pub(super) placement_host_address: Option<String>,
    /// Address of a scheduler; none by default, or if empty
    #[arg(long, value_name = "ADDRESS")]
    pub(super) scheduler_host_address: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = flag::boolean())]
    pub(super) app_ssl: Option<bool>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = flag::boolean())]
    pub(super) enable_profiling: Option<bool>,
    #[arg(long, hide = true, allow_negative_numbers = true, value_parser = ports())]
    pub(super) profile_port: Option<i64>,
    /// Run file, or a folder with a dapr.yaml, or - for the standard input; most other flags belong into it
    #[arg(short = 'f', long, value_name = "PATH", value_parser = flag::path())]
    pub(super) run_file: Option<PathBuf>,
    #[arg(short, long, hide = true)]
    pub(super) kubernetes: bool,
    /// The app's program and its arguments; the sidecar alone if there is none
    #[arg(value_name = "COMMAND")]
    pub(super) command: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  outrigger run --app-id orders --app-port 3000 -- node app.js
  outrigger run --app-id worker -- python3 worker.py
  outrigger run -f dapr.yaml";

impl Args {
    /// What the flags say of the app. An empty text says nothing, except of control services: there it wants none.
    pub(super) fn into_app(self) -> App {
        let resources = self.resources_path.into_iter();
        let mut resources: Vec<_> = resources.filter_map(|path| some_path(Some(path))).collect();
        if resources.is_empty() {
            resources.extend(some_path(self.components_path));
        }
        App {
            app_id: some_text(self.app_id),
            dir: None,
            channel_address: some_text(self.app_channel_address),
            app_port: port(self.app_port),
            http_port: port(self.dapr_http_port),
            grpc_port: port(self.dapr_grpc_port),
            internal_port: port(self.dapr_internal_grpc_port),
            metrics_port: port(self.metrics_port),
            profile_port: port(self.profile_port),
            unix_domain_socket: some_path(self.unix_domain_socket),
            command: self.command,
            shared: Shared {
                config_file: some_path(self.config),
                resources,
                app_protocol: some_text(self.app_protocol),
                listen_addresses: some_text(self.dapr_listen_addresses),
                enable_profiling: self.enable_profiling,
                log_level: some_text(self.log_level),
                max_concurrency: self.app_max_concurrency,
                placement: self.placement_host_address,
                scheduler: self.scheduler_host_address,
                app_ssl: self.app_ssl,
                max_body_size: some_text(self.max_body_size),
                read_buffer_size: some_text(self.read_buffer_size),
                enable_app_health: self.enable_app_health_check,
                app_health_path: some_text(self.app_health_check_path),
                app_health_interval: self.app_health_probe_interval,
                app_health_timeout: self.app_health_probe_timeout,
                app_health_threshold: self.app_health_threshold,
                enable_api_logging: self.enable_api_logging,
                ..Shared::default()
            },
        }
    }
}

/// Ports as Dapr's CLI takes them: 0 and less for none, or for a free one.
fn ports() -> clap::builder::RangedI64ValueParser<i64> {
    clap::value_parser!(i64).range(-1..=i64::from(u16::MAX))
}

/// A port of the flags; nothing for "none" and "any".
fn port(number: Option<i64>) -> Option<u16> {
    number
        .and_then(|number| u16::try_from(number).ok())
        .filter(|port| *port != 0)
}
