//! `Configuration`: the settings of one runtime.

mod access;
mod features;
mod observe;
mod workflow;

pub use access::{AccessControl, ApiAccess, ApiProtocol, ApiRule, AppOperation, AppPolicy, SecretScope};
pub(crate) use features::with_defaults as with_default_features;
pub use features::{DEFAULT_FEATURES, Feature};
pub use observe::{
    ApiLogging, DEFAULT_SAMPLING_RATE, MetricLabel, MetricRule, Metrics, MetricsHttp, Otel, OtelProtocol,
    Tracing, WorkflowMetrics,
};
pub use workflow::{ConcurrencyLimit, StateRetention, Workflow};

use crate::Origin;

/// The merged settings of one runtime. [`Configuration::default`] is what applies when no file is given.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    /// `metadata.name` of the last file that has one; empty when none has.
    pub name: String,
    /// `metadata.namespace`, if a file gives one that is not empty.
    pub namespace: Option<String>,
    /// `spec.httpPipeline`: middleware around the public API, outermost first.
    pub http_pipeline: Vec<Handler>,
    /// `spec.appHttpPipeline`: middleware around calls to the app, outermost first.
    pub app_http_pipeline: Vec<Handler>,
    /// `spec.tracing`
    pub tracing: Tracing,
    /// `spec.metric` with `spec.metrics` laid over it.
    pub metrics: Metrics,
    /// `spec.mtls`
    pub mtls: Mtls,
    /// `spec.secrets.scopes`
    pub secret_scopes: Vec<SecretScope>,
    /// `spec.accessControl`
    pub access_control: AccessControl,
    /// `spec.nameResolution`, if given.
    pub name_resolution: Option<NameResolution>,
    /// `spec.features`, with the features appended that are on by default and not named.
    pub features: Vec<Feature>,
    /// `spec.api`
    pub api: ApiAccess,
    /// `spec.components.deny`: component types that are refused.
    pub denied_components: Vec<String>,
    /// `spec.logging.apiLogging`
    pub api_logging: ApiLogging,
    /// `spec.wasm.strictSandbox`
    pub wasm_strict_sandbox: bool,
    /// `spec.workflow`
    pub workflow: Workflow,
    /// The last file that was merged; the path is empty when none was given.
    pub origin: Origin,
}

/// One middleware of a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handler {
    /// The name of the middleware component.
    pub name: String,
    /// Its type, with its category: `middleware.http.uppercase`.
    pub type_: String,
    /// Its version, empty when the default is wanted.
    pub version: String,
}

/// `spec.mtls`, read by the certificate authority as well.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mtls {
    /// Whether calls between runtimes are encrypted; `None` when no file says.
    pub enabled: Option<bool>,
    /// How long a workload's certificate is valid, a duration as text.
    pub workload_cert_ttl: Option<String>,
    /// How far clocks may differ, a duration as text.
    pub allowed_clock_skew: Option<String>,
    /// Where the certificate authority is.
    pub sentry_address: Option<String>,
    /// The trust domain of the control plane.
    pub control_plane_trust_domain: Option<String>,
    /// Further validators of workload tokens.
    pub token_validators: Vec<TokenValidator>,
}

/// A validator of workload tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenValidator {
    /// Its name, such as `jwks`.
    pub name: String,
    /// Its options, free in form.
    pub options: serde_json::Value,
}

/// `spec.nameResolution`
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NameResolution {
    /// The resolver's name without its category, such as `mdns`; empty is the platform's default.
    pub component: String,
    /// Its version, empty when the default is wanted.
    pub version: String,
    /// Its settings, free in form; `Null` when none are given.
    pub configuration: serde_json::Value,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            name: String::new(),
            namespace: None,
            http_pipeline: Vec::new(),
            app_http_pipeline: Vec::new(),
            tracing: Tracing::default(),
            metrics: Metrics::default(),
            mtls: Mtls::default(),
            secret_scopes: Vec::new(),
            access_control: AccessControl::default(),
            name_resolution: None,
            features: with_default_features(Vec::new()),
            api: ApiAccess::default(),
            denied_components: Vec::new(),
            api_logging: ApiLogging::default(),
            wasm_strict_sandbox: false,
            workflow: Workflow::default(),
            origin: Origin::of_file(std::path::Path::new("")),
        }
    }
}

impl Configuration {
    /// Whether the feature `name` is on.
    pub fn feature_enabled(&self, name: &str) -> bool {
        self.enabled_features().contains(&name)
    }

    /// The features that are on, in order and once each; of several entries for one feature the last decides.
    pub fn enabled_features(&self) -> Vec<&str> {
        features::enabled(&self.features)
    }

    /// The scope that rules what may be read from the secret store `store`, if there is one.
    pub fn secret_scope(&self, store: &str) -> Option<&SecretScope> {
        self.secret_scopes.iter().find(|scope| scope.store_name == store)
    }

    /// Whether the secret `name` of `store` may be read; a store without a scope is open.
    pub fn secret_allowed(&self, store: &str, name: &str) -> bool {
        self.secret_scope(store).is_none_or(|scope| scope.allows(name))
    }

    /// Whether components of this type and version are refused by `spec.components.deny`.
    ///
    /// Where there is a list, a component that leaves its version out is refused as well, as daprd does.
    pub fn component_denied(&self, type_: &str, version: &str) -> bool {
        access::component_denied(&self.denied_components, type_, version)
    }
}
