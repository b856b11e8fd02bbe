//! The Outrigger framework: the runtime embedded in a Rust service.
