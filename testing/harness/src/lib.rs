//! Real servers and processes for tests (internal, no promise).
