//! The protobuf contracts (internal, no promise): messages, clients and servers, generated from `/proto`.
//!
//! | module | protobuf package | what |
//! |---|---|---|
//! | [`runtime`] | `dapr.proto.runtime.v1` | the API a sidecar serves, and what apps serve to it |
//! | [`common`] | `dapr.proto.common.v1` | types that several contracts share |
//! | [`internals`] | `dapr.proto.internals.v1` | between sidecars |
//! | [`rpc`] | `google.rpc` | rich errors |
//!
//! `bytes` fields are [`bytes::Bytes`], so that a payload is cut out of the frame it came in and never copied;
//! for the same reason [`Any`] is our own. Other well-known types are those of `prost_types`. Server methods
//! that nobody implements answer UNIMPLEMENTED. Messages with secrets or payloads show neither in `Debug`.
//!
//! Change a `.proto` file, run `cargo xtask gen`, commit both.

mod any;
mod debug;
mod generated;

pub use any::UnpackError;
pub use generated::dapr::proto::common::v1 as common;
pub use generated::dapr::proto::internals::v1 as internals;
pub use generated::dapr::proto::runtime::v1 as runtime;
pub use generated::google::protobuf::Any;
pub use generated::google::rpc;

/// The encoded `FileDescriptorSet` of all contracts and what they import, for gRPC reflection. It has no
/// comments and no positions.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("gen/descriptor.bin");
