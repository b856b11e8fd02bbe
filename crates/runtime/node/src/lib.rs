//! The node room of the runtime (internal, no promise).
