//! Configuration and resources, read from disk and reported on.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use outrigger_engine_routing::{CompileError, Router, Rule};
use outrigger_resource_manifest::{
    Configuration, ConfigurationError, DuplicateError, Env, Kind, LoadReport, Origin, PathError, Resource,
    Subscription, load as load_resources, load_configuration,
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
    /// A declared subscription whose events nobody could route.
    #[error("failed to load declarative subscriptions: {name} ({origin})")]
    Rule {
        /// The subscription's name.
        name: String,
        /// Where it was written.
        origin: Box<Origin>,
        /// What is wrong with which of its rules.
        #[source]
        reason: CompileError,
    },
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
    let resources = without_duplicates(report);
    check_rules(&resources)?;
    Ok(Loaded {
        configuration: loaded.configuration,
        resources,
        static_peers,
        ..Loaded::default()
    })
}

/// Refuses declared subscriptions with a rule that is none, as Dapr does: their events would be lost without a trace.
/// Whether the broker is there and the app listens does not matter. What the app itself asks for is tried later.
fn check_rules(resources: &[Resource]) -> Result<(), LoadError> {
    let subscriptions = resources.iter().filter_map(|resource| match resource {
        Resource::Subscription(subscription) => Some(subscription),
        _ => None,
    });
    for subscription in subscriptions {
        compile(subscription).map_err(|reason| LoadError::Rule {
            name: subscription.name.clone(),
            origin: Box::new(subscription.origin.clone()),
            reason,
        })?;
    }
    Ok(())
}

fn compile(subscription: &Subscription) -> Result<Router, CompileError> {
    let rules = subscription.routes.rules.iter().map(|rule| Rule {
        expression: &rule.match_,
        path: &rule.path,
    });
    Router::compile(&rules.collect::<Vec<_>>())
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

#[cfg(test)]
mod tests {
    use outrigger_base_std::chain;

    use super::*;

    /// A subscription to a broker that is not there, for one app or for all.
    fn loaded(expression: &str, scopes: &str) -> Result<Loaded, LoadError> {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata: {{name: orders}}\nscopes: {scopes}\nspec:\n  pubsubname: none\n  \
             topic: t\n  routes:\n    rules:\n    - {{match: '{expression}', path: /x}}\n    default: /d\n"
        );
        std::fs::write(dir.path().join("sub.yaml"), text).unwrap();
        load(&[], &[dir.path().to_owned()], "app", None, &|_: &str| None)
    }

    #[test]
    fn a_declared_rule_that_is_none_keeps_the_node_from_starting() {
        let text = chain(&loaded("event.type ==", "[]").unwrap_err());
        assert!(
            text.starts_with("failed to load declarative subscriptions: orders (")
                && text.contains("sub.yaml"),
            "{text}"
        );
        assert!(
            text.contains(r#"rule 1 is not usable: the match expression "event.type ==""#),
            "{text}"
        );
    }

    #[test]
    fn rules_that_are_some_and_those_of_other_apps_do_not() {
        assert_eq!(loaded("event.type == \"a\"", "[]").unwrap().resources.len(), 1);
        assert_eq!(loaded("", "[app]").unwrap().resources.len(), 1);
        assert!(loaded("event.type ==", "[other]").unwrap().resources.is_empty());
    }
}
