//! The peer room of the runtime (internal, no promise).
