//! The channel room of the runtime (internal, no promise).
