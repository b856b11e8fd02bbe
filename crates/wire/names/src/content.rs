//! Content types.

/// Any JSON value.
pub const JSON: &str = "application/json";
/// A CloudEvent as JSON.
pub const CLOUD_EVENT: &str = "application/cloudevents+json";
/// Bytes of no known kind.
pub const OCTET_STREAM: &str = "application/octet-stream";
/// gRPC over HTTP/2.
pub const GRPC: &str = "application/grpc";
/// Plain text.
pub const TEXT: &str = "text/plain; charset=utf-8";
/// XML, which travels as text.
pub const XML: &str = "application/xml";
/// A protobuf message.
pub const PROTOBUF: &str = "application/x-protobuf";
