//! The api room of the runtime (internal, no promise).
