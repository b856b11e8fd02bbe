//! The only place that names concrete components: one line and one feature for each.

mod defaults;

use outrigger_runtime_host::Registry;

pub use defaults::{DefaultComponent, defaults};

/// A registry with every component that this build has.
pub fn registry() -> Registry {
    let registry = Registry::new();
    #[cfg(feature = "memory")]
    let registry = registry
        .state(&["in-memory"], outrigger_component_memory::store)
        .broker(&["in-memory"], outrigger_component_memory::broker);
    #[cfg(feature = "sqlite")]
    let registry = registry.state(&["sqlite", "sqlite3"], outrigger_component_sqlite::open);
    #[cfg(feature = "redis")]
    let registry = registry
        .state(&["redis"], outrigger_component_redis::store)
        .broker(&["redis"], outrigger_component_redis::broker);
    #[cfg(feature = "local")]
    let registry = registry
        .secrets(&["local.file"], outrigger_component_local::file)
        .secrets(&["local.env"], outrigger_component_local::env);
    #[cfg(feature = "broker")]
    let registry = registry.broker(&["outrigger"], outrigger_component_broker::open);
    registry
}
