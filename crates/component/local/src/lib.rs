//! The local components (internal, no promise).
