//! The api-grpc room of the runtime (internal, no promise).
