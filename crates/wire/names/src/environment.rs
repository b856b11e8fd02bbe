//! Environment variables (dapr-runtime.md §5.6, §9).

/// What the names of the runtime's own variables begin with; they hold tokens and addresses.
pub const RESERVED_PREFIX: &str = "DAPR_";
/// Token that callers of the API must show.
pub const DAPR_API_TOKEN: &str = "DAPR_API_TOKEN";
/// Token that the sidecar shows to its app.
pub const APP_API_TOKEN: &str = "APP_API_TOKEN";
/// Namespace of the app.
pub const NAMESPACE: &str = "NAMESPACE";
/// The namespace of an app where [`NAMESPACE`] is not set, as its peers are told.
pub const NAMESPACE_DEFAULT: &str = "default";
/// Pod of the app.
pub const POD_NAME: &str = "POD_NAME";
/// Address that peers reach this sidecar at.
pub const DAPR_HOST_IP: &str = "DAPR_HOST_IP";
/// Names that `envRef` may read.
pub const DAPR_ENV_KEYS: &str = "DAPR_ENV_KEYS";
/// Switches HTTP/2 off at the HTTP API.
pub const DAPR_HTTP_DISABLE_H2C: &str = "DAPR_HTTP_DISABLE_H2C";
/// HTTP port of the sidecar, told to the app.
pub const DAPR_HTTP_PORT: &str = "DAPR_HTTP_PORT";
/// gRPC port of the sidecar, told to the app.
pub const DAPR_GRPC_PORT: &str = "DAPR_GRPC_PORT";
/// HTTP endpoint of the sidecar, as SDKs read it.
pub const DAPR_HTTP_ENDPOINT: &str = "DAPR_HTTP_ENDPOINT";
/// gRPC endpoint of the sidecar, as SDKs read it.
pub const DAPR_GRPC_ENDPOINT: &str = "DAPR_GRPC_ENDPOINT";
/// Metrics port of the sidecar, told to the app.
pub const DAPR_METRICS_PORT: &str = "DAPR_METRICS_PORT";
/// App id, told to the app.
pub const APP_ID: &str = "APP_ID";
/// App port, told to the app.
pub const APP_PORT: &str = "APP_PORT";
/// App protocol, told to the app.
pub const APP_PROTOCOL: &str = "APP_PROTOCOL";
/// Address of the app channel, told to the app.
pub const APP_CHANNEL_ADDRESS: &str = "APP_CHANNEL_ADDRESS";
/// Where the CLI keeps its folder.
pub const DAPR_RUNTIME_PATH: &str = "DAPR_RUNTIME_PATH";
/// Default of the placement address of `run`.
pub const DAPR_PLACEMENT_HOST_ADDRESS: &str = "DAPR_PLACEMENT_HOST_ADDRESS";
/// Idle time after which a connection to a peer is closed.
pub const DAPR_GRPC_MAX_CONN_IDLE: &str = "DAPR_GRPC_MAX_CONN_IDLE";
/// Time between two looks for idle connections.
pub const DAPR_GRPC_CONN_COLLECTOR_INTERVAL: &str = "DAPR_GRPC_CONN_COLLECTOR_INTERVAL";
/// Ours: the user's data folder.
pub const OUTRIGGER_HOME: &str = "OUTRIGGER_HOME";
/// Ours: `off` keeps a runtime from looking for peers, and telling of itself, by multicast.
pub const OUTRIGGER_MULTICAST: &str = "OUTRIGGER_MULTICAST";
/// Ours: the folder of the machine-local registry.
pub const OUTRIGGER_RUN_DIR: &str = "OUTRIGGER_RUN_DIR";

/// Name of the Unix socket of an API in the folder that `--unix-domain-socket` names.
pub fn socket_name(app_id: &str, face: &str) -> String {
    format!("dapr-{app_id}-{face}.socket")
}
