//! Configuration and resources, read from disk and reported on.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use outrigger_resource_manifest::{
    Configuration, ConfigurationError, DuplicateError, Env, Kind, LoadReport, PathError, Resource,
    load as load_resources, load_configuration,
};

use crate::{
    resolution::{ResolutionError, static_peers},
    unbuilt::{self, Unbuilt},
};

/// The settings and the resources of one node.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The merged settings.
    pub configuration: Configuration,
    /// Resources of the app, of every kind.
    pub resources: Vec<Resource>,
    /// Peers that are written down, by id or by `namespace/id`: those of the configuration, and what the program adds.
    pub static_peers: BTreeMap<String, Vec<SocketAddr>>,
    /// Whether the app is not asked for its configuration (`--disable-init-endpoints config`).
    pub skip_app_config: bool,
    /// Whether the app is not asked for its subscriptions (`--disable-init-endpoints subscribe`).
    pub skip_app_subscriptions: bool,
}

/// Why a node cannot start with what is on disk.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A configuration file.
    #[error("failed to load configuration")]
    Configuration(#[from] ConfigurationError),
    /// A folder of resources.
    #[error("failed to load resources")]
    Path(#[from] PathError),
    /// Two components of one name.
    #[error("failed to load components")]
    Duplicate(#[from] DuplicateError),
    /// A setting that must not be ignored.
    #[error(transparent)]
    Unbuilt(#[from] Unbuilt),
    /// How peers are found.
    #[error(transparent)]
    Resolution(#[from] ResolutionError),
}

/// Reads `configs` and the folders `resources`. What Dapr skips with a warning is skipped with a warning.
pub fn load(
    configs: &[PathBuf],
    resources: &[PathBuf],
    app_id: &str,
    namespace: Option<&str>,
    env: &dyn Env,
) -> Result<Loaded, LoadError> {
    let loaded = load_configuration(configs, env)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    unbuilt::check(&loaded.configuration)?;
    let static_peers = static_peers(loaded.configuration.name_resolution.as_ref())?;
    let report = load_resources(resources, app_id, namespace)?;
    tell(&report);
    report.unique(Kind::Component)?;
    Ok(Loaded {
        configuration: loaded.configuration,
        resources: without_duplicates(report),
        static_peers,
        ..Loaded::default()
    })
}

/// Logs everything that has no effect.
fn tell(report: &LoadReport) {
    for skipped in &report.skipped {
        if skipped.reason.is_expected() {
            tracing::debug!(
                "{}: {}",
                skipped.origin,
                outrigger_base_std::chain(&skipped.reason)
            );
        } else {
            tracing::warn!(
                "{}: {}",
                skipped.origin,
                outrigger_base_std::chain(&skipped.reason)
            );
        }
    }
    for warning in &report.warnings {
        tracing::warn!("{warning}");
    }
    for resource in &report.resources {
        if let Resource::Other(other) = resource {
            let block = other.kind;
            tracing::warn!(
                "{}: {} {} has no effect: its building block is not built",
                other.origin,
                block,
                other.name
            );
        }
        if let Resource::Configuration(configuration) = resource {
            tracing::warn!(
                "{}: Configuration {} has no effect among resources: its file is named by itself",
                configuration.origin,
                configuration.name
            );
        }
        if let Resource::Resiliency(resiliency) = resource {
            let name = &resiliency.name;
            tracing::warn!(
                "{}: Resiliency {name} has no effect yet: only the built-in policies apply",
                resiliency.origin
            );
        }
    }
}

/// Resources of other kinds that are doubled load none of their kind, as with Dapr.
fn without_duplicates(report: LoadReport) -> Vec<Resource> {
    let mut doubled = Vec::new();
    for duplicate in &report.duplicates {
        tracing::error!("failed to load resources: {duplicate} ({})", duplicate.origin);
        doubled.push(duplicate.kind);
    }
    report
        .resources
        .into_iter()
        .filter(|resource| !doubled.contains(&resource.kind()))
        .collect()
}
