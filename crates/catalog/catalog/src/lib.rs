//! The only place that names concrete components (internal, no promise).
