//! The broker components (internal, no promise).
