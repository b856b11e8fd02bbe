//! The host room of the runtime (internal, no promise).
