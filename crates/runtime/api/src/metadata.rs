//! What a runtime tells of itself.

use std::collections::BTreeMap;

use outrigger_resource_manifest::Routes;
use outrigger_runtime_channel::{Protocol, health};
use outrigger_runtime_host::ComponentInfo;
use outrigger_wire_names::version;

use crate::Api;

/// Key under which the version stands in the extended metadata.
const RUNTIME_VERSION_KEY: &str = "daprRuntimeVersion";

/// How a subscription came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionKind {
    /// From a resource.
    Declarative,
    /// Asked for by the app.
    Programmatic,
    /// A stream that the app opened.
    Streaming,
}

/// A subscription as the metadata API shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionInfo {
    /// The broker component.
    pub pubsub_name: String,
    /// The topic.
    pub topic: String,
    /// Component metadata.
    pub metadata: BTreeMap<String, String>,
    /// Its routes.
    pub routes: Routes,
    /// Where undeliverable events go.
    pub dead_letter_topic: Option<String>,
    /// How it came to be.
    pub kind: SubscriptionKind,
}

/// How the app is reached, as the metadata API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AppConnection {
    /// Its port; 0 when there is no app channel.
    pub port: u16,
    /// What it speaks.
    pub protocol: String,
    /// Its host.
    pub channel_address: String,
    /// The most calls at a time; 0 without a bound.
    pub max_concurrency: i32,
    /// How its health is watched, where it is.
    pub health: Option<health::Options>,
}

impl AppConnection {
    /// Whether the app speaks gRPC, and is asked for its health by a call that has no path.
    pub fn is_grpc(&self) -> bool {
        self.protocol.parse().is_ok_and(Protocol::is_grpc)
    }
}

/// What a runtime tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The app's id.
    pub id: String,
    /// The version whose contract is kept.
    pub runtime_version: &'static str,
    /// Active features.
    pub enabled_features: Vec<String>,
    /// Open components.
    pub components: Vec<ComponentInfo>,
    /// What was set from outside, and the version.
    pub extended: BTreeMap<String, String>,
    /// Standing subscriptions.
    pub subscriptions: Vec<SubscriptionInfo>,
    /// Names of services outside the mesh.
    pub http_endpoints: Vec<String>,
    /// How the app is reached.
    pub app_connection: AppConnection,
}

impl Api {
    /// What this runtime tells of itself.
    pub fn metadata(&self) -> Metadata {
        let snapshot = self.host().snapshot();
        let mut extended = self.extended().clone();
        extended
            .entry(RUNTIME_VERSION_KEY.to_owned())
            .or_insert_with(|| version::DAPR.to_owned());
        Metadata {
            id: self.host().identity.app_id.to_string(),
            runtime_version: version::DAPR,
            enabled_features: self.parts().features.clone(),
            components: snapshot.components.clone(),
            extended,
            subscriptions: self.subscriptions(),
            http_endpoints: snapshot
                .http_endpoints
                .iter()
                .map(|endpoint| endpoint.name.clone())
                .collect(),
            app_connection: self.parts().app_connection.clone(),
        }
    }

    /// Sets an entry of the extended metadata. An empty key sets nothing, and is no error (Dapr's rule).
    pub fn set_metadata(&self, key: &str, value: String) {
        if key.is_empty() {
            return;
        }
        self.extended_mut(|extended| {
            extended.insert(key.to_owned(), value);
        });
    }
}
