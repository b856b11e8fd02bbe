//! The memory components (internal, no promise).
