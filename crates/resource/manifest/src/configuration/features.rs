//! `spec.features`: what is switched on or off by name.

use outrigger_wire_names::features as wire;

/// Features that are on unless a file switches them off.
pub const DEFAULT_FEATURES: [&str; 2] = [wire::HOT_RELOAD, "WorkflowsRemoteActivityReminder"];

/// One entry of `spec.features`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Feature {
    /// The feature's name.
    pub name: String,
    /// Whether it is on.
    pub enabled: bool,
}

/// Appends the features that are on by default and that `features` does not name.
pub(crate) fn with_defaults(mut features: Vec<Feature>) -> Vec<Feature> {
    for name in DEFAULT_FEATURES {
        if !features.iter().any(|feature| feature.name == name) {
            features.push(Feature {
                name: name.to_owned(),
                enabled: true,
            });
        }
    }
    features
}

/// The features that are on, in order and once each; of several entries for one feature the last decides.
pub(crate) fn enabled(features: &[Feature]) -> Vec<&str> {
    let mut on: Vec<&str> = Vec::with_capacity(features.len());
    for feature in features.iter().filter(|feature| !feature.name.is_empty()) {
        on.retain(|name| *name != feature.name);
        if feature.enabled {
            on.push(&feature.name);
        }
    }
    on
}
