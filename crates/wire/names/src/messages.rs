//! Texts that clients match on (process-contract.md §2.3).

/// Body of an answer to a call with a wrong token.
pub const INVALID_API_TOKEN: &str = "invalid api token";
/// No target could be found in an HTTP request.
pub const NO_APP_ID: &str = "failed getting app id either from the URL path or the header dapr-app-id";
/// The runtime is not ready.
pub const NOT_READY: &str = "dapr is not ready";
/// The runtime is not ready for outbound calls.
pub const OUTBOUND_NOT_READY: &str = "dapr outbound is not ready";
/// The caller asked for another app.
pub const APP_ID_MISMATCH: &str = "dapr app-id does not match";
/// Begins the message of a failed invocation.
pub const INVOKE_FAILED: &str = "failed to invoke, id: ";
/// A method that hides path separators.
pub const INVALID_METHOD: &str = "invalid method";
/// Logged for each call of the gRPC API.
pub const GRPC_CALLED: &str = "gRPC API Called";
/// Logged for each call of the HTTP API.
pub const HTTP_CALLED: &str = "HTTP API Called";
/// Begins the answer to a request whose baggage is malformed.
pub const INVALID_BAGGAGE: &str = "invalid baggage header: ";
/// The app is watched and unwell, and is not called.
pub const APP_UNHEALTHY: &str = "app is not in a healthy state";
/// What the metadata API says of the placement where there is none.
pub const PLACEMENT_DISCONNECTED: &str = "placement: disconnected";
