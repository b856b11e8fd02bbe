//! Reads `Configuration`: the document and its smaller parts. The larger ones are next door.

use super::{
    common, configuration_access as access, configuration_observe as observe,
    configuration_workflow as workflow,
    field::{DURATION, Field},
};
use crate::{
    Configuration,
    configuration::{Feature, Handler, Mtls, NameResolution, TokenValidator, with_default_features},
};

/// What the document should say that it is. Dapr reads any other as well.
const KIND: &str = "Configuration";

/// Every field of `spec`.
const SPEC_FIELDS: [&str; 15] = [
    "appHttpPipeline",
    "httpPipeline",
    "tracing",
    "metric",
    "metrics",
    "mtls",
    "secrets",
    "accessControl",
    "nameResolution",
    "features",
    "api",
    "components",
    "logging",
    "wasm",
    "workflow",
];

/// Reads a configuration. What a field leaves out has its default, as if it were the only file.
pub(crate) fn configuration(root: &Field<'_>) -> Configuration {
    let document = root.object(&["apiVersion", "kind", "metadata", "spec", "status"]);
    let kind = document.get("kind");
    if kind.some_text().is_some_and(|kind| kind != KIND) {
        kind.use_anyway(KIND);
    }
    let metadata = document.get("metadata");
    let meta = if metadata.is_present() {
        common::meta(&document)
    } else {
        common::Meta::default()
    };
    let spec = document.get("spec").object(&SPEC_FIELDS);
    let secrets = spec.get("secrets").object(&["scopes"]);
    let components = spec.get("components").object(&["deny"]);
    let logging = spec.get("logging").object(&["apiLogging"]);
    let wasm = spec.get("wasm").object(&["strictSandbox"]);
    Configuration {
        name: meta.name,
        namespace: meta.namespace,
        http_pipeline: pipeline(&spec.get("httpPipeline")),
        app_http_pipeline: pipeline(&spec.get("appHttpPipeline")),
        tracing: observe::tracing(&spec.get("tracing")),
        metrics: observe::metrics(&spec.get("metric"), &spec.get("metrics")),
        mtls: mtls(&spec.get("mtls")),
        secret_scopes: access::secret_scopes(&secrets.get("scopes")),
        access_control: access::access_control(&spec.get("accessControl")),
        name_resolution: name_resolution(&spec.get("nameResolution")),
        features: with_default_features(features(&spec.get("features"))),
        api: access::api(&spec.get("api")),
        denied_components: components.get("deny").string_list(),
        api_logging: observe::api_logging(&logging.get("apiLogging")),
        wasm_strict_sandbox: wasm.get("strictSandbox").flag(),
        workflow: workflow::workflow(&spec.get("workflow")),
        origin: root.origin(),
    }
}

fn pipeline(field: &Field<'_>) -> Vec<Handler> {
    let object = field.object(&["handlers"]);
    object.get("handlers").list().iter().map(handler).collect()
}

fn handler(field: &Field<'_>) -> Handler {
    let object = field.object(&["name", "type", "version", "selector"]);
    // Dapr takes selectors and never looks at them.
    let selector = object.get("selector");
    if selector.is_present() {
        selector.warn(crate::problem::Issue::NotBuilt);
    }
    Handler {
        name: object.get("name").text_or_empty(),
        type_: object.get("type").text_or_empty(),
        version: object.get("version").text_or_empty(),
    }
}

fn features(field: &Field<'_>) -> Vec<Feature> {
    let read = |field: &Field<'_>| {
        let object = field.object(&["name", "enabled"]);
        Feature {
            name: object.get("name").text_or_empty(),
            enabled: object.get("enabled").flag(),
        }
    };
    field.list().iter().map(read).collect()
}

fn mtls(field: &Field<'_>) -> Mtls {
    let object = field.object(&[
        "enabled",
        "workloadCertTTL",
        "allowedClockSkew",
        "sentryAddress",
        "controlPlaneTrustDomain",
        "tokenValidators",
    ]);
    let duration = |name| {
        let field = object.get(name);
        let text = field.some_text()?;
        if outrigger_base_std::go::parse_duration(&text).is_err() {
            field.fail(DURATION);
        }
        Some(text)
    };
    let validator = |field: &Field<'_>| {
        let object = field.object(&["name", "options"]);
        TokenValidator {
            name: object.get("name").text_or_empty(),
            options: object.get("options").json(),
        }
    };
    Mtls {
        enabled: object.get("enabled").bool(),
        workload_cert_ttl: duration("workloadCertTTL"),
        allowed_clock_skew: duration("allowedClockSkew"),
        sentry_address: object.get("sentryAddress").some_text(),
        control_plane_trust_domain: object.get("controlPlaneTrustDomain").some_text(),
        token_validators: object
            .get("tokenValidators")
            .list()
            .iter()
            .map(validator)
            .collect(),
    }
}

fn name_resolution(field: &Field<'_>) -> Option<NameResolution> {
    if !field.is_present() {
        return None;
    }
    let object = field.object(&["component", "version", "configuration"]);
    Some(NameResolution {
        component: object.get("component").text_or_empty(),
        version: object.get("version").text_or_empty(),
        configuration: object.get("configuration").json(),
    })
}
