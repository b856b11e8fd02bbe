//! Path segments of the HTTP API (dapr-runtime.md §1).

/// First segment of stable routes.
pub const V1: &str = "v1.0";
/// First segment of alpha routes.
pub const V1_ALPHA1: &str = "v1.0-alpha1";
/// First segment of second alphas.
pub const V1_ALPHA2: &str = "v1.0-alpha2";
/// First segment of beta routes.
pub const V1_BETA1: &str = "v1.0-beta1";

/// Service invocation.
pub const INVOKE: &str = "invoke";
/// Between the app id and the method; its last slash belongs to the method.
pub const METHOD_MARKER: &str = "/method/";
/// State.
pub const STATE: &str = "state";
/// Publish.
pub const PUBLISH: &str = "publish";
/// Bulk forms.
pub const BULK: &str = "bulk";
/// State transactions.
pub const TRANSACTION: &str = "transaction";
/// State queries.
pub const QUERY: &str = "query";
/// Secrets.
pub const SECRETS: &str = "secrets";
/// Metadata.
pub const METADATA: &str = "metadata";
/// Health.
pub const HEALTHZ: &str = "healthz";
/// Health towards the outside.
pub const OUTBOUND: &str = "outbound";
/// Shutdown.
pub const SHUTDOWN: &str = "shutdown";

/// Where an HTTP app tells its actor configuration.
pub const APP_CONFIG: &str = "/dapr/config";
/// Where an HTTP app tells its subscriptions.
pub const APP_SUBSCRIBE: &str = "/dapr/subscribe";
/// Where an app commonly tells its health.
pub const APP_HEALTHZ: &str = "/healthz";
/// Actors: the segment in the API and in calls of the app.
pub const ACTORS: &str = "actors";
/// Workflows.
pub const WORKFLOWS: &str = "workflows";
/// Starts a workflow.
pub const WORKFLOW_START: &str = "start";
/// Sends a workflow an event.
pub const WORKFLOW_RAISE_EVENT: &str = "raiseEvent";
/// Path prefix of service invocation.
pub const INVOKE_PREFIX: &str = "/v1.0/invoke/";
/// What metrics name service invocation of any app.
pub const INVOKE_PATTERN: &str = "/v1.0/invoke/{app_id}/method";

/// Building blocks whose HTTP routes are known and whose rooms are not built yet: first path segment after the
/// version, and the block's name.
pub const UNBUILT: [(&str, &str); 12] = [
    ("bindings", "bindings"),
    ("configuration", "configuration"),
    ("actors", "actors"),
    ("workflows", "workflow"),
    ("jobs", "jobs"),
    ("lock", "distributed lock"),
    ("unlock", "distributed lock"),
    ("crypto", "cryptography"),
    ("subtlecrypto", "cryptography"),
    ("conversation", "conversation"),
    ("search", "search"),
    ("vector", "vector"),
];
/// Binary store: as [`UNBUILT`], a list of its own for its length.
pub const BINARY_STORE: (&str, &str) = ("binarystore", "binary store");

/// gRPC: path prefix of the API service.
pub const GRPC_DAPR: &str = "/dapr.proto.runtime.v1.Dapr/";
/// gRPC: path prefix of the internal service.
pub const GRPC_INTERNAL: &str = "/dapr.proto.internals.v1.ServiceInvocation/";
/// Path of the health towards the outside.
pub const HEALTHZ_OUTBOUND: &str = "/v1.0/healthz/outbound";
