//! Configuration files: fields, defaults, merging, variables, messages.

use std::{fs, path::PathBuf, time::Duration};

use outrigger_resource_manifest::{
    Configuration, ConfigurationError, LoadedConfiguration, NameValue, ValueSource,
    configuration::{ApiProtocol, OtelProtocol},
    load_configuration,
};
use proptest::prelude::*;
use serde_json::json;

fn env(name: &str) -> Option<String> {
    match name {
        "COLLECTOR" => Some("otel:4317".to_owned()),
        "RATE" => Some("0.5".to_owned()),
        _ => None,
    }
}

fn try_read(files: &[&str]) -> Result<LoadedConfiguration, ConfigurationError> {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = files
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let path = folder.path().join(format!("{index}.yaml"));
            fs::write(&path, text).unwrap();
            path
        })
        .collect();
    load_configuration(&paths, &env)
}

fn read(files: &[&str]) -> Configuration {
    let loaded = try_read(files).unwrap();
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    loaded.configuration
}

/// Messages with the folder taken off.
fn short(text: &str) -> String {
    text.lines()
        .map(|line| {
            line.find("0.yaml")
                .or_else(|| line.find("1.yaml"))
                .map_or(line, |at| &line[at..])
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn refusal(files: &[&str]) -> String {
    match try_read(files).unwrap_err() {
        ConfigurationError::Invalid(fields) => short(&fields.to_string()),
        other => panic!("{other}"),
    }
}

fn warnings(text: &str) -> Vec<String> {
    let loaded = try_read(&[text]).unwrap();
    loaded
        .warnings
        .iter()
        .map(|warning| short(&warning.to_string()))
        .collect()
}

const FULL: &str = "
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: cfg
spec:
  httpPipeline:
    handlers:
    - {name: up, type: middleware.http.uppercase}
  appHttpPipeline:
    handlers:
    - {name: alias, type: middleware.http.routeralias, version: v1}
  tracing:
    samplingRate: ${RATE}
    stdout: yes
    zipkin: {endpointAddress: http://zipkin:9411/api/v2/spans}
    otel:
      protocol: grpc
      endpointAddress: $COLLECTOR
      isSecure: false
      timeout: 5s
      headers:
      - a=b=c
      - {name: token, secretKeyRef: {name: t, key: k}}
  metric:
    enabled: true
    rules: [{name: m, labels: [{name: path, regex: {'/orders/{id}': '/orders/.+'}}]}]
  metrics:
    enabled: false
    recordErrorCodes: true
    http: {increasedCardinality: false, pathMatching: [/orders], excludeVerbs: true}
    latencyDistributionBuckets: [1, 5, 10]
    workflow: {latencyDistributionBuckets: [1, 2], latencyDistributionUnits: 1s}
  mtls: {enabled: true, workloadCertTTL: 24h, allowedClockSkew: 15m, sentryAddress: s:1, controlPlaneTrustDomain: cp, tokenValidators: [{name: jwks, options: {source: x}}]}
  secrets:
    scopes:
    - {storeName: vault, defaultAccess: DENY, allowedSecrets: [a]}
    - {storeName: file, deniedSecrets: [b]}
  accessControl:
    trustDomain: td
    policies:
    - appId: caller
      defaultAction: deny
      trustDomain: public
      namespace: default
      operations: [{name: /op, httpVerb: [POST, GET], action: allow}]
  nameResolution: {component: sqlite, version: v1, configuration: {connectionString: x, on: yes}}
  features: [{name: ActorStateTTL, enabled: true}, {name: HotReload, enabled: false}]
  api:
    allowed: [{name: state, version: v1.0, protocol: HTTP}]
    denied: [{name: invoke, version: v1, protocol: grpc}]
  components: {deny: [bindings.smtp, state.redis/v1]}
  logging: {apiLogging: {enabled: true, obfuscateURLs: true, omitHealthChecks: true}}
  wasm: {strictSandbox: true}
  workflow:
    maxConcurrentWorkflowInvocations: 5
    maxConcurrentActivityInvocations: 0
    globalMaxConcurrentActivityInvocations: 7
    workflowConcurrencyLimits: [{name: w, maxConcurrent: 3}]
    stateRetentionPolicy: {anyTerminal: 1h, failed: 0s}
";

#[test]
fn what_the_runtime_tells_of_itself_is_read() {
    let it = read(&[FULL]);
    assert_eq!(it.name, "cfg");
    assert_eq!(it.tracing.sampling_rate, "0.5");
    assert!((it.tracing.rate() - 0.5).abs() < f64::EPSILON);
    assert!(it.tracing.stdout);
    assert_eq!(
        it.tracing.zipkin_endpoint.as_deref(),
        Some("http://zipkin:9411/api/v2/spans")
    );
    let otel = &it.tracing.otel;
    assert_eq!(
        (otel.protocol, otel.endpoint_address.as_str()),
        (Some(OtelProtocol::Grpc), "otel:4317")
    );
    assert!(!otel.is_secure);
    assert_eq!(otel.timeout, Some(Duration::from_secs(5)));
    let plain = NameValue {
        name: "a".to_owned(),
        value: ValueSource::Plain("b=c".to_owned()),
    };
    assert_eq!(otel.headers[0], plain);
    assert!(matches!(&otel.headers[1].value, ValueSource::SecretKeyRef(it) if it.key == "k"));

    assert!(!it.metrics.enabled && it.metrics.record_error_codes);
    assert_eq!(it.metrics.rules[0].labels[0].regex["/orders/{id}"], "/orders/.+");
    assert_eq!(it.metrics.http.increased_cardinality, Some(false));
    assert_eq!(it.metrics.http.path_matching, ["/orders"]);
    assert!(it.metrics.http.exclude_verbs);
    assert_eq!(it.metrics.latency_distribution_buckets, [1, 5, 10]);
    assert_eq!(
        it.metrics.workflow.latency_distribution_units,
        Some(Duration::from_secs(1))
    );
    assert!(it.api_logging.enabled && it.api_logging.obfuscate_urls && it.api_logging.omit_health_checks);
}

#[test]
fn who_may_do_what_is_read() {
    let it = read(&[FULL]);
    assert_eq!(it.mtls.workload_cert_ttl.as_deref(), Some("24h"));
    assert_eq!(it.mtls.token_validators[0].options, json!({"source": "x"}));
    assert!(it.secret_allowed("vault", "a") && !it.secret_allowed("vault", "b"));
    assert!(it.secret_allowed("file", "a") && !it.secret_allowed("file", "b"));
    assert!(it.secret_allowed("unknown", "b"));
    assert_eq!(it.access_control.default_action, "allow");
    let policy = &it.access_control.policies.as_ref().unwrap()[0];
    assert_eq!(
        (policy.app_id.as_str(), policy.default_action.as_str()),
        ("caller", "deny")
    );
    assert_eq!(policy.operations[0].http_verbs, ["POST", "GET"]);
    assert_eq!(it.api.allowed[0].key(), "v1.0/state");
    assert_eq!(it.api.allowed[0].protocol, Some(ApiProtocol::Http));
    assert_eq!(it.api.denied[0].protocol, Some(ApiProtocol::Grpc));
    assert!(it.component_denied("bindings.smtp", "v1"));
    assert!(it.component_denied("State.Redis", "v0") && !it.component_denied("state.redis", "v2"));
    assert!(
        it.component_denied("state.other", ""),
        "a list refuses what has no version"
    );
    assert!(!Configuration::default().component_denied("state.other", ""));
}

#[test]
fn the_rest_is_read() {
    let it = read(&[FULL]);
    assert_eq!(it.http_pipeline[0].type_, "middleware.http.uppercase");
    assert_eq!(it.app_http_pipeline[0].version, "v1");
    let resolution = it.name_resolution.clone().unwrap();
    assert_eq!(resolution.component, "sqlite");
    // Words of free-form settings are not made booleans.
    assert_eq!(
        resolution.configuration,
        json!({"connectionString": "x", "on": "yes"})
    );
    assert_eq!(
        it.enabled_features(),
        ["ActorStateTTL", "WorkflowsRemoteActivityReminder"]
    );
    assert!(!it.feature_enabled("HotReload"));
    assert!(it.wasm_strict_sandbox);
    assert_eq!(it.workflow.max_concurrent_workflows, Some(5));
    assert_eq!(it.workflow.max_concurrent_activities, None);
    assert_eq!(it.workflow.global_max_concurrent_activities, Some(7));
    assert_eq!(it.workflow.workflow_limits[0].max_concurrent, 3);
    let retention = it.workflow.state_retention.unwrap();
    assert_eq!(
        (retention.any_terminal, retention.failed),
        (Some(Duration::from_secs(3600)), Some(Duration::ZERO))
    );
}

#[test]
fn without_files_the_defaults_apply() {
    for files in [
        &[][..],
        &[""],
        &["# nothing\n"],
        &["spec: {}\n"],
        &["apiVersion: dapr.io/v1alpha1\nkind: Configuration\n"],
    ] {
        let mut it = read(files);
        it.origin = Configuration::default().origin;
        assert_eq!(it, Configuration::default(), "{files:?}");
    }
    let it = Configuration::default();
    assert!(it.metrics.enabled && it.tracing.otel.is_secure);
    assert_eq!(
        it.enabled_features(),
        ["HotReload", "WorkflowsRemoteActivityReminder"]
    );
    assert_eq!(
        (
            it.access_control.default_action.as_str(),
            it.access_control.trust_domain.as_str()
        ),
        ("allow", "public")
    );
    assert!((it.tracing.rate() - 0.0001).abs() < f64::EPSILON);
}

#[test]
fn files_are_merged_in_order_and_the_last_list_wins() {
    let first = "
metadata: {name: first}
spec:
  features: [{name: A, enabled: true}, {name: B, enabled: true}]
  tracing: {samplingRate: '1', otel: {endpointAddress: x:1}}
  metrics: {enabled: false}
  nameResolution: {component: mdns, configuration: {a: 1}}
  api: {denied: [{name: state, version: v1, protocol: http}]}
";
    let second = "
spec:
  features: [{name: C, enabled: true}]
  tracing: {otel: {protocol: http}}
  metrics: {recordErrorCodes: true}
  nameResolution: {configuration: {b: 2}}
  api: ~
";
    let it = read(&[first, second]);
    assert_eq!(it.name, "first");
    assert_eq!(
        it.enabled_features(),
        ["C", "HotReload", "WorkflowsRemoteActivityReminder"]
    );
    assert_eq!(it.tracing.sampling_rate, "1");
    assert_eq!(it.tracing.otel.endpoint_address, "x:1");
    assert_eq!(it.tracing.otel.protocol, Some(OtelProtocol::Http));
    assert!(!it.metrics.enabled && it.metrics.record_error_codes);
    let resolution = it.name_resolution.unwrap();
    assert_eq!(
        (resolution.component.as_str(), resolution.configuration),
        ("mdns", json!({"b": 2}))
    );
    assert_eq!(it.api.denied.len(), 1);
    assert!(it.origin.file.ends_with("1.yaml"));
}

#[test]
fn the_last_entry_for_a_feature_decides() {
    let it = read(&[
        "spec: {features: [{name: A, enabled: true}, {name: A}, {name: '', enabled: true}, {name: B, enabled: on}]}",
    ]);
    assert_eq!(
        it.enabled_features(),
        ["B", "HotReload", "WorkflowsRemoteActivityReminder"]
    );
}

#[test]
fn files_that_cannot_be_used() {
    let cases = [
        (
            "spec: {tracing: {stdout: perhaps}}",
            "0.yaml, document 1, line 1, column 26: spec.tracing.stdout: found the text \"perhaps\", expected true or false",
        ),
        (
            "spec: {tracing: {otel: {protocol: thrift}}}",
            "0.yaml, document 1, line 1, column 35: spec.tracing.otel.protocol: found the text \"thrift\", expected http or grpc",
        ),
        (
            "spec:\n  secrets:\n    scopes:\n    - storeName: a\n    - storeName: a\n",
            "0.yaml, document 1, line 5, column 7: spec.secrets.scopes[1]: found a mapping, expected each store once, but storeName \"a\" is repeated in the secrets configuration",
        ),
        (
            "spec: {secrets: {scopes: [{storeName: a, defaultAccess: maybe}]}}",
            "0.yaml, document 1, line 1, column 57: spec.secrets.scopes[0].defaultAccess: found the text \"maybe\", expected allow or deny",
        ),
        (
            "spec: {mtls: {workloadCertTTL: a day}}",
            "0.yaml, document 1, line 1, column 32: spec.mtls.workloadCertTTL: found the text \"a day\", expected a duration such as \"500ms\", \"5s\" or \"1h30m\"",
        ),
        (
            "spec: {metrics: {latencyDistributionBuckets: [1, x]}}",
            "0.yaml, document 1, line 1, column 50: spec.metrics.latencyDistributionBuckets[1]: found the text \"x\", expected a whole number from -9223372036854775808 to 9223372036854775807",
        ),
        (
            "spec: {wasm: {}}\nspec: {}\n",
            "0.yaml, document 1, line 2, column 1: spec: found the same key a second time, expected each key once in its mapping",
        ),
        (
            "spec: []",
            "0.yaml, document 1, line 1, column 7: spec: found an empty list, expected a mapping",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(refusal(&[text]), message);
    }
    let both = refusal(&["spec: {wasm: 1}", "spec: {workflow: 2}"]);
    assert_eq!(
        both,
        "0.yaml, document 1, line 1, column 14: spec.wasm: found 1, expected a mapping\n\
         1.yaml, document 1, line 1, column 18: spec.workflow: found 2, expected a mapping"
    );
}

#[test]
fn files_that_are_not_there_or_not_yaml() {
    let error = load_configuration(&[PathBuf::from("/nowhere/at/all.yaml")], &env).unwrap_err();
    assert_eq!(error.to_string(), "could not read the path /nowhere/at/all.yaml");
    let error = try_read(&["spec: ["]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("could not parse the configuration file "),
        "{error}"
    );
    assert!(
        std::error::Error::source(&error)
            .unwrap()
            .to_string()
            .starts_with("not valid YAML at line 1, column ")
    );
}

#[test]
fn what_has_no_effect_is_a_warning() {
    let cases = [
        (
            "spec: {Tracing: {}}",
            "0.yaml, document 1, line 1, column 8: spec.Tracing: unknown field; it has no effect. Did you mean \"tracing\"?",
        ),
        (
            "spec: {tracing: {samplingRate: lots}}",
            "0.yaml, document 1, line 1, column 32: spec.tracing.samplingRate: found the text \"lots\", expected a decimal number from 0 to 1; it has no effect",
        ),
        (
            "spec: {tracing: {otel: {headers: [secret]}}}",
            "0.yaml, document 1, line 1, column 35: spec.tracing.otel.headers[0]: found a text without \"=\", expected name=value; it has no effect",
        ),
        (
            "spec: {api: {allowed: [{name: state, version: v1, protocol: udp}]}}",
            "0.yaml, document 1, line 1, column 61: spec.api.allowed[0].protocol: found the text \"udp\", expected http or grpc; it has no effect",
        ),
        (
            "spec: {accessControl: {defaultAction: perhaps}}",
            "0.yaml, document 1, line 1, column 39: spec.accessControl.defaultAction: found the text \"perhaps\", expected allow or deny; it has no effect",
        ),
        (
            "spec: {workflow: {activityConcurrencyLimits: [{name: a}]}}",
            "0.yaml, document 1, line 1, column 47: spec.workflow.activityConcurrencyLimits[0]: found a mapping, expected a name and a maxConcurrent above 0; it has no effect",
        ),
        (
            "spec: {httpPipeline: {handlers: [{name: a, type: b, selector: {fields: []}}]}}",
            "0.yaml, document 1, line 1, column 63: spec.httpPipeline.handlers[0].selector: recognised, but not built in this version; it has no effect",
        ),
        (
            "kind: Component\nspec: {}\n",
            "0.yaml, document 1, line 1, column 7: kind: found the text \"Component\", expected Configuration; the document is used all the same",
        ),
        (
            "spec: {}\n---\nspec: {}\n",
            "0.yaml, document 2, line 3, column 1: found a further document, expected one document in a configuration file; it has no effect",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(warnings(text), [message]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_text_panics(text in "(?s).{0,120}", under in prop::sample::select(vec!["", "spec:\n ", "spec: {tracing: "])) {
        let _ = try_read(&[&format!("{under}{text}"), FULL]);
    }
}
