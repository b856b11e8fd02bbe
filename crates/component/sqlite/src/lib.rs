//! The sqlite components (internal, no promise).
