//! Names of spans and their attributes (dapr-runtime.md §3.9).

/// Begins the name of the span of an invocation; the app's id and the method follow.
pub const CALL_LOCAL: &str = "CallLocal/";

/// Begins the name of the span of an operation that is asked for in-process; the name of its gRPC method follows.
pub const METHOD_PREFIX: &str = "/dapr.proto.runtime.v1.Dapr/";

/// The operation: method and path, or the gRPC method.
pub const API: &str = "dapr.api";
/// The status that was answered.
pub const STATUS_CODE: &str = "dapr.status_code";
/// Which API.
pub const PROTOCOL: &str = "dapr.protocol";
/// The HTTP API.
pub const PROTOCOL_HTTP: &str = "http";
/// The gRPC API, or gRPC between sidecars.
pub const PROTOCOL_GRPC: &str = "grpc";
/// The method of an invocation.
pub const INVOKE_METHOD: &str = "dapr.invoke_method";
/// Begins the names of headers that become attributes.
pub const HEADER_PREFIX: &str = "dapr-";

/// The method of the request.
pub const HTTP_METHOD: &str = "http.request.method";
/// The request's URI.
pub const URL: &str = "url.full";

/// The building block that stores.
pub const DB_SYSTEM: &str = "db.system";
/// The same.
pub const DB_CONNECTION: &str = "db.connection_string";
/// The operation.
pub const DB_STATEMENT: &str = "db.statement";
/// The component.
pub const DB_NAME: &str = "db.name";
/// [`DB_SYSTEM`] of state.
pub const STATE: &str = "state";
/// [`DB_SYSTEM`] of secrets.
pub const SECRETS: &str = "secrets";

/// The gRPC service.
pub const RPC_SERVICE: &str = "rpc.service";
/// [`RPC_SERVICE`] of invocations.
pub const SERVICE_INVOCATION: &str = "ServiceInvocation";
/// [`RPC_SERVICE`] of the API.
pub const SERVICE_DAPR: &str = "Dapr";
/// The app that is called.
pub const PEER_NAME: &str = "net.peer.name";
