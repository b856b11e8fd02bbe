//! The redis components (internal, no promise).
