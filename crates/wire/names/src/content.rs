//! Content types.

/// Any JSON value.
pub const JSON: &str = "application/json";
/// A CloudEvent as JSON; such a payload is passed through rather than wrapped.
pub const CLOUD_EVENT: &str = "application/cloudevents+json";
/// A CloudEvent as protobuf.
pub const CLOUD_EVENT_PROTOBUF: &str = "application/cloudevents+protobuf";
/// Bytes of no known kind.
pub const OCTET_STREAM: &str = "application/octet-stream";
/// gRPC over HTTP/2.
pub const GRPC: &str = "application/grpc";
/// Plain text.
pub const TEXT: &str = "text/plain; charset=utf-8";
/// Begins the content types that are text.
pub const TEXT_PREFIX: &str = "text/";
/// XML, which travels as text.
pub const XML: &str = "application/xml";
/// A protobuf message.
pub const PROTOBUF: &str = "application/x-protobuf";
