//! One conformance suite, every component: see `tests/it`.
//!
//! To add a component: a module `tests/it/<component>.rs` with one `#[tokio::test]` for each block it has, a `mod` line in
//! `tests/it/main.rs`, and its crate under `[dev-dependencies]`. A test opens the component and calls
//! `outrigger_block_<block>::conformance::run` with the traits that say what applies; the report names broken rules.
