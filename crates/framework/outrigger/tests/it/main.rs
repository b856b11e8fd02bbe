//! The framework in both its modes: each test of [`both`] runs with the runtime embedded, and beside a real sidecar.
//!
//! The sidecar is the program that `OUTRIGGER_BIN` names: `cargo build -p outrigger-cli`, then
//! `OUTRIGGER_BIN=target/debug/outrigger cargo test -p outrigger`. Without it the tests beside a sidecar fail.

/// Runs each named function of the module in both modes.
macro_rules! both {
    ($($name:ident)*) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::world::World::embedded()).await;
            })*
        }

        mod beside_a_sidecar {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::world::World::beside_sidecars()).await;
            })*
        }
    };
}

mod bulk;
mod calls;
mod collector;
mod configuration;
mod defaults;
mod events;
mod hello;
mod mesh;
mod names;
mod secrets;
mod spans;
mod start;
mod state;
mod streams;
mod world;
