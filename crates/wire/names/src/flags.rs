//! Flags of the sidecar, without dashes, that other programs write and read: `run` starts it with them, `list` reads
//! them from the process table (dapr-runtime.md §5.1, §9).

/// Id of the app.
pub const APP_ID: &str = "app-id";
/// Port of the app.
pub const APP_PORT: &str = "app-port";
/// What the app speaks.
pub const APP_PROTOCOL: &str = "app-protocol";
/// Host of the app.
pub const APP_CHANNEL_ADDRESS: &str = "app-channel-address";
/// Whether the app speaks TLS; deprecated.
pub const APP_SSL: &str = "app-ssl";
/// Most calls of the app at a time.
pub const APP_MAX_CONCURRENCY: &str = "app-max-concurrency";
/// Port of the HTTP API.
pub const DAPR_HTTP_PORT: &str = "dapr-http-port";
/// Port of the gRPC API.
pub const DAPR_GRPC_PORT: &str = "dapr-grpc-port";
/// Port for other sidecars.
pub const DAPR_INTERNAL_GRPC_PORT: &str = "dapr-internal-grpc-port";
/// Address for other sidecars.
pub const DAPR_INTERNAL_GRPC_LISTEN_ADDRESS: &str = "dapr-internal-grpc-listen-address";
/// Addresses of the APIs.
pub const DAPR_LISTEN_ADDRESSES: &str = "dapr-listen-addresses";
/// Folder for Unix sockets instead of ports.
pub const UNIX_DOMAIN_SOCKET: &str = "unix-domain-socket";
/// Port of the profiler.
pub const PROFILE_PORT: &str = "profile-port";
/// Whether the profiler is on.
pub const ENABLE_PROFILING: &str = "enable-profiling";
/// Folder of resources.
pub const RESOURCES_PATH: &str = "resources-path";
/// Configuration file.
pub const CONFIG: &str = "config";
/// Address of the placement service.
pub const PLACEMENT_HOST_ADDRESS: &str = "placement-host-address";
/// Address of the scheduler.
pub const SCHEDULER_HOST_ADDRESS: &str = "scheduler-host-address";
/// Most bytes of a request's body.
pub const MAX_BODY_SIZE: &str = "max-body-size";
/// Most bytes of a request's head.
pub const READ_BUFFER_SIZE: &str = "read-buffer-size";
/// Whether every call is logged.
pub const ENABLE_API_LOGGING: &str = "enable-api-logging";
/// Whether the app's health is watched.
pub const ENABLE_APP_HEALTH_CHECK: &str = "enable-app-health-check";
/// Where an HTTP app tells its health.
pub const APP_HEALTH_CHECK_PATH: &str = "app-health-check-path";
/// Seconds between two probes.
pub const APP_HEALTH_PROBE_INTERVAL: &str = "app-health-probe-interval";
/// Milliseconds for an answer to a probe.
pub const APP_HEALTH_PROBE_TIMEOUT: &str = "app-health-probe-timeout";
/// Failures in a row that make the app unwell.
pub const APP_HEALTH_THRESHOLD: &str = "app-health-threshold";
/// How much is logged.
pub const LOG_LEVEL: &str = "log-level";
/// Whether log lines are JSON.
pub const LOG_AS_JSON: &str = "log-as-json";
/// Whether metrics are served.
pub const ENABLE_METRICS: &str = "enable-metrics";
/// Port of the metrics.
pub const METRICS_PORT: &str = "metrics-port";
