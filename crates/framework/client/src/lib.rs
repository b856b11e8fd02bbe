//! The client of a sidecar (internal, no promise).
