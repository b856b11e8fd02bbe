//! What the tests are made of: sidecars, apps, clients, load.

pub(crate) mod app;
pub(crate) mod broken;
pub(crate) mod grpc;
pub(crate) mod http;
pub(crate) mod load;
pub(crate) mod memory;
pub(crate) mod network;
pub(crate) mod raw;
pub(crate) mod sidecar;
pub(crate) mod subscriber;

use std::time::Duration;

pub(crate) use app::App;
pub(crate) use http::{Answer, Client, call, get, post};
pub(crate) use network::Place;
pub(crate) use raw::Raw;
pub(crate) use sidecar::{Kind, Plan, Sidecar};

/// Longer than anything here takes on a busy machine; reaching it is a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A component's manifest. The value of each entry is written as a YAML string.
pub(crate) fn component(name: &str, kind: &str, metadata: &[(&str, &str)]) -> String {
    let entries: String = metadata
        .iter()
        .map(|(key, value)| format!("    - {{name: {key}, value: {value:?}}}\n"))
        .collect();
    format!(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  type: {kind}\n  version: v1\n  \
         metadata:\n{entries}"
    )
}

/// A declarative subscription of every app to a topic.
pub(crate) fn subscription(pubsub: &str, topic: &str, route: &str) -> String {
    format!(
        "apiVersion: dapr.io/v1alpha1\nkind: Subscription\nmetadata:\n  name: {topic}\nspec:\n  pubsubname: {pubsub}\n  \
         topic: {topic}\n  route: {route}\n"
    )
}
