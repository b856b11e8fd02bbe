//! Flags of the sidecar, without dashes: users write them, `run` starts it with them, `list` reads them from the process
//! table (dapr-runtime.md §5.1, §9; dapr-1.19.md §3.11).

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
/// Standalone or Kubernetes.
pub const MODE: &str = "mode";
/// Port for health and metadata without a token.
pub const DAPR_PUBLIC_PORT: &str = "dapr-public-port";
/// Address for health and metadata without a token.
pub const DAPR_PUBLIC_LISTEN_ADDRESS: &str = "dapr-public-listen-address";
/// Origins that may call the HTTP API, with commas; * for all.
pub const ALLOWED_ORIGINS: &str = "allowed-origins";
/// Deprecated: use --resources-path.
pub const COMPONENTS_PATH: &str = "components-path";
/// Where actors are placed, as a kind and its addresses.
pub const ACTORS_SERVICE: &str = "actors-service";
/// Where reminders are kept, as a kind and its addresses.
pub const REMINDERS_SERVICE: &str = "reminders-service";
/// Longest that a change of where actors are may take.
pub const ACTORS_DISSEMINATE_TIMEOUT: &str = "actors-disseminate-timeout";
/// Streams to each scheduler.
pub const SCHEDULER_JOB_STREAMS: &str = "scheduler-job-streams";
/// Address of the operator.
pub const CONTROL_PLANE_ADDRESS: &str = "control-plane-address";
/// Address of the certificate authority.
pub const SENTRY_ADDRESS: &str = "sentry-address";
/// Trust domain of the control plane.
pub const CONTROL_PLANE_TRUST_DOMAIN: &str = "control-plane-trust-domain";
/// Namespace of the control plane.
pub const CONTROL_PLANE_NAMESPACE: &str = "control-plane-namespace";
/// Audiences of the tokens that the certificate authority is asked for.
pub const SENTRY_REQUEST_JWT_AUDIENCES: &str = "sentry-request-jwt-audiences";
/// Whether sidecars speak TLS among themselves.
pub const ENABLE_MTLS: &str = "enable-mtls";
/// Deprecated: use --max-body-size.
pub const DAPR_HTTP_MAX_REQUEST_SIZE: &str = "dapr-http-max-request-size";
/// Deprecated: use --read-buffer-size.
pub const DAPR_HTTP_READ_BUFFER_SIZE: &str = "dapr-http-read-buffer-size";
/// Time for an orderly end.
pub const DAPR_GRACEFUL_SHUTDOWN_SECONDS: &str = "dapr-graceful-shutdown-seconds";
/// Time to go on answering before the end begins.
pub const DAPR_BLOCK_SHUTDOWN_DURATION: &str = "dapr-block-shutdown-duration";
/// Whether the secret store of Kubernetes is left out.
pub const DISABLE_BUILTIN_K8S_SECRET_STORE: &str = "disable-builtin-k8s-secret-store";
/// Longest that the app may take to say whether it has a binding's route.
pub const APP_BINDING_OPTIONS_TIMEOUT: &str = "app-binding-options-timeout";
/// Initial calls to leave out: config, subscribe.
pub const DISABLE_INIT_ENDPOINTS: &str = "disable-init-endpoints";
/// Time between two looks at all resources.
pub const HOT_RELOAD_RECONCILE_INTERVAL: &str = "hot-reload-reconcile-interval";
/// Wait until the sidecar at the given HTTP port is ready for outbound calls, then exit.
pub const WAIT: &str = "wait";
/// Print the version and exit.
pub const VERSION: &str = "version";
/// Print the build and exit.
pub const BUILD_INFO: &str = "build-info";
/// Log into this file.
pub const LOG_FILE: &str = "log-file";
/// Where to log: stdout, stderr, files, with commas.
pub const LOG_OUTPUTS: &str = "log-outputs";
/// Megabytes after which a log file is set aside.
pub const LOG_FILE_MAX_SIZE: &str = "log-file-max-size";
/// Old log files that are kept.
pub const LOG_FILE_MAX_BACKUPS: &str = "log-file-max-backups";
/// Days that old log files are kept.
pub const LOG_FILE_MAX_AGE: &str = "log-file-max-age";
/// Whether old log files are compressed.
pub const LOG_FILE_COMPRESS: &str = "log-file-compress";
/// Go layout of the time in log lines.
pub const LOG_TIMESTAMP_FORMAT: &str = "log-timestamp-format";
/// Address of the metrics.
pub const METRICS_LISTEN_ADDRESS: &str = "metrics-listen-address";
