//! Header and gRPC metadata names (dapr-runtime.md §1, §2.7, §3.8).

use http::HeaderName;

/// Names the app that a request is for.
pub const APP_ID: HeaderName = HeaderName::from_static("dapr-app-id");
/// Token that a caller of the API shows.
pub const API_TOKEN: HeaderName = HeaderName::from_static("dapr-api-token");
/// App that called; set by sidecars, never taken from an app.
pub const CALLER_APP_ID: HeaderName = HeaderName::from_static("dapr-caller-app-id");
/// Namespace of the app that called.
pub const CALLER_NAMESPACE: HeaderName = HeaderName::from_static("dapr-caller-namespace");
/// App that is called.
pub const CALLEE_APP_ID: HeaderName = HeaderName::from_static("dapr-callee-app-id");
/// App that is called, as sidecars name it to apps.
pub const DESTINATION_APP_ID: HeaderName = HeaderName::from_static("destination-app-id");
/// Marks a proxied gRPC call as a stream.
pub const STREAM: HeaderName = HeaderName::from_static("dapr-stream");
/// Status of an HTTP app in the answer to a gRPC invocation.
pub const HTTP_STATUS: HeaderName = HeaderName::from_static("dapr-http-status");
/// Asks that the shutdown API exits at once.
pub const FORCE_SHUTDOWN: HeaderName = HeaderName::from_static("dapr-force-shutdown");

/// Where a forwarded request came from.
pub const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Host that a forwarded request came from.
pub const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// W3C trace context.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// W3C trace context, vendor part.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// W3C baggage.
pub const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
/// Binary trace context in gRPC metadata.
pub const GRPC_TRACE_BIN: HeaderName = HeaderName::from_static("grpc-trace-bin");

/// gRPC status code in trailers.
pub const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
/// gRPC status message in trailers, percent-encoded.
pub const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// gRPC status details in trailers: a `google.rpc.Status`.
pub const GRPC_STATUS_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// Ours: asks whether the peer on a new connection is Outrigger, and answers it; the value is the protocol's version.
pub const PEER: HeaderName = HeaderName::from_static("outrigger-peer");
/// Ours: the peer's sidecar answers, not its app; the value says why.
pub const PEER_ERROR: HeaderName = HeaderName::from_static("outrigger-peer-error");

/// Ours: the type URL of an invocation's data, where a gRPC caller or a gRPC app gave one.
pub const DATA_TYPE: HeaderName = HeaderName::from_static("outrigger-data-type");
/// Ours: between sidecars, the status of a gRPC app, as base64 of a `google.rpc.Status`.
pub const APP_STATUS: HeaderName = HeaderName::from_static("outrigger-app-status");

/// Prefix of response headers that carry component metadata, and of query parameters that set it.
pub const METADATA_PREFIX: &str = "metadata.";
/// Prefix that standard HTTP header names get on their way to a gRPC app.
pub const DAPR_PREFIX: &str = "dapr-";
