//! The api-http room of the runtime (internal, no promise).
