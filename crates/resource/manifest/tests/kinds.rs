//! YAML of each kind → its typed value.

use std::{collections::BTreeMap, path::Path, time::Duration};

use outrigger_resource_manifest::{
    BulkSubscribe, ClientTls, Component, ComponentType, HttpEndpoint, Kind, LoadReport, NameValue, Origin,
    Renegotiation, Resource, Routes, Rule, SecretKeyRef, SourceFile, Subscription, ValueSource, parse,
    resiliency::{ActorBreakerScope, BackOff, CodeRanges},
};

fn read(text: &str) -> LoadReport {
    let file = SourceFile {
        path: Path::new("a.yaml").into(),
        content: Ok(text.to_owned()),
    };
    parse(vec![file], "app", None)
}

fn only(text: &str) -> Resource {
    let mut report = read(text);
    assert!(report.skipped.is_empty(), "{:?}", report.skipped);
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    assert_eq!(report.resources.len(), 1);
    report.resources.remove(0)
}

fn origin() -> Origin {
    Origin::of_file(Path::new("a.yaml"))
}

fn plain(name: &str, text: &str) -> NameValue {
    NameValue {
        name: name.to_owned(),
        value: ValueSource::Plain(text.to_owned()),
    }
}

#[test]
fn a_component_with_everything() {
    let Resource::Component(component) = only(
        "
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: orders
  namespace: prod
  labels: {team: a}
spec:
  type: bindings.azure.eventhubs
  version: v1
  ignoreErrors: true
  initTimeout: 1m30s
  metadata:
  - name: host
    value: localhost:6379
  - name: password
    secretKeyRef: {name: redis, key: pass}
  - name: flat
    secretKeyRef: {name: token}
  - name: fromEnv
    envRef: REDIS_HOST
auth:
  secretStore: vault
scopes: [app, other]
",
    ) else {
        panic!("not a component")
    };
    let secret = |name: &str, secret: &str, key: &str| NameValue {
        name: name.to_owned(),
        value: ValueSource::SecretKeyRef(SecretKeyRef {
            name: secret.to_owned(),
            key: key.to_owned(),
        }),
    };
    let expected = Component {
        name: "orders".to_owned(),
        namespace: Some("prod".to_owned()),
        type_: ComponentType {
            category: "bindings".to_owned(),
            name: "azure.eventhubs".to_owned(),
        },
        version: "v1".to_owned(),
        metadata: vec![
            plain("host", "localhost:6379"),
            secret("password", "redis", "pass"),
            secret("flat", "token", "token"),
            NameValue {
                name: "fromEnv".to_owned(),
                value: ValueSource::EnvRef("REDIS_HOST".to_owned()),
            },
        ],
        ignore_errors: true,
        init_timeout: Some(Duration::from_secs(90)),
        secret_store: Some("vault".to_owned()),
        scopes: vec!["app".to_owned(), "other".to_owned()],
        origin: Origin { line: 2, ..origin() },
    };
    assert_eq!(component, expected);
    assert_eq!(component.log_name(), "orders (bindings.azure.eventhubs/v1)");
    assert!(component.in_scope_of("app") && !component.in_scope_of("third"));
    assert_eq!(
        component.metadata_entry("HOST"),
        Some(&plain("host", "localhost:6379"))
    );
}

#[test]
fn values_of_any_form_become_the_text_that_dapr_makes_of_them() {
    let values = [
        ("text", "text"),
        ("'yes'", "yes"),
        ("yes", "true"),
        ("off", "false"),
        ("5", "5"),
        ("017", "15"),
        ("1_000", "1000"),
        ("1.50", "1.5"),
        ("1e3", "1000"),
        ("089", "89"),
        ("'089'", "089"),
        ("~", ""),
        ("''", ""),
        ("2024-01-02", "2024-01-02"),
        ("{b: 1, a: [x, <]}", r#"{"a":["x","\u003c"],"b":1}"#),
        ("\"a\\nb\"", "a\nb"),
        ("\"\\\"quoted\\\"\"", "\"quoted\""),
    ];
    for (yaml, text) in values {
        let document = format!(
            "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: a}}\nspec:\n  type: state.x\n  metadata:\n  - name: v\n    value: {yaml}\n"
        );
        let Resource::Component(component) = only(&document) else {
            panic!("not a component")
        };
        assert_eq!(component.metadata, [plain("v", text)], "{yaml}");
        assert_eq!(component.log_name(), "a (state.x)");
    }
}

#[test]
fn text_fields_take_numbers_and_field_names_take_any_case() {
    let Resource::Component(component) = only(
        "APIVERSION: dapr.io/v1alpha1\nKind: Component\nmetadata: {Name: 123}\nspec: {TYPE: state.x, Version: 1.5, IgnoreErrors: yes}\nscopes: [app, 7, true]\n",
    ) else {
        panic!("not a component")
    };
    assert_eq!(
        (component.name.as_str(), component.version.as_str()),
        ("123", "1.5")
    );
    assert!(component.ignore_errors);
    assert_eq!(component.scopes, ["app", "7", "true"]);
}

#[test]
fn both_forms_of_a_subscription_are_one_type() {
    let old = only(
        "
apiVersion: dapr.io/v1alpha1
kind: Subscription
metadata: {name: sub}
spec:
  pubsubname: bus
  topic: orders
  route: /orders
  deadLetterTopic: dead
  metadata: {rawPayload: true, count: 5}
  bulkSubscribe: {enabled: true, maxMessagesCount: 50, maxAwaitDurationMs: 0}
",
    );
    let expected = Subscription {
        name: "sub".to_owned(),
        namespace: None,
        pubsub_name: "bus".to_owned(),
        topic: "orders".to_owned(),
        routes: Routes {
            rules: Vec::new(),
            default: Some("/orders".to_owned()),
        },
        metadata: BTreeMap::from([
            ("rawPayload".to_owned(), "true".to_owned()),
            ("count".to_owned(), "5".to_owned()),
        ]),
        dead_letter_topic: Some("dead".to_owned()),
        bulk_subscribe: BulkSubscribe {
            enabled: true,
            max_messages_count: Some(50),
            max_await_duration_ms: None,
        },
        scopes: Vec::new(),
        origin: Origin { line: 2, ..origin() },
    };
    assert_eq!(old, Resource::Subscription(expected.clone()));

    let new = only(
        "
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: {name: sub}
spec:
  pubsubname: bus
  topic: orders
  routes:
    rules:
    - {match: 'event.type == \"a\"', path: /a}
    - {path: /b}
    default: /orders
",
    );
    let Resource::Subscription(new) = new else {
        panic!("not a subscription")
    };
    let rule = |match_: &str, path: &str| Rule {
        match_: match_.to_owned(),
        path: path.to_owned(),
    };
    assert_eq!(
        new.routes.rules,
        [rule("event.type == \"a\"", "/a"), rule("", "/b")]
    );
    assert_eq!(new.routes.default, expected.routes.default);
    assert!(new.same_definition(&new.clone()) && !new.same_definition(&expected));
}

#[test]
fn an_http_endpoint_with_tls() {
    let endpoint = only(
        "
apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: {name: github}
spec:
  baseUrl: https://api.github.com
  headers:
  - {name: Accept, value: application/json}
  clientTLS:
    rootCA: {value: PEM}
    privateKey: {secretKeyRef: {name: key}}
    renegotiation: OnceAsClient
auth: {secretStore: vault}
",
    );
    let expected = HttpEndpoint {
        name: "github".to_owned(),
        namespace: None,
        base_url: "https://api.github.com".to_owned(),
        headers: vec![plain("Accept", "application/json")],
        client_tls: Some(ClientTls {
            root_ca: Some(ValueSource::Plain("PEM".to_owned())),
            certificate: None,
            private_key: Some(ValueSource::SecretKeyRef(SecretKeyRef {
                name: "key".to_owned(),
                key: "key".to_owned(),
            })),
            renegotiation: Renegotiation::OnceAsClient,
        }),
        secret_store: Some("vault".to_owned()),
        scopes: Vec::new(),
        origin: Origin { line: 2, ..origin() },
    };
    assert_eq!(endpoint.log_name(), "github (https://api.github.com)");
    assert_eq!(endpoint, Resource::HttpEndpoint(expected));
}

#[test]
fn resiliency_policies_and_targets() {
    let Resource::Resiliency(it) = only(
        "
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: {name: r}
spec:
  policies:
    timeouts: {fast: 500ms, bare: 250, slow: 1m}
    retries:
      forever: {policy: Exponential, maxInterval: 15s, maxRetries: -1, matching: {httpStatusCodes: '429, 500-503', gRPCStatusCodes: '14'}}
      plain: {duration: 5s}
    circuitBreakers:
      cb: {maxRequests: 1, interval: 8s, timeout: 45s, trip: consecutiveFailures > 8}
  targets:
    apps:
      a: {timeout: fast, retry: forever, circuitBreaker: cb, circuitBreakerCacheSize: 50}
    actors:
      T: {circuitBreaker: cb, circuitBreakerScope: both}
    components:
      store: {outbound: {retry: plain}, inbound: {timeout: slow}}
",
    ) else {
        panic!("not a resiliency")
    };
    let timeouts = [("bare", 250), ("fast", 500), ("slow", 60_000)];
    let expected = timeouts.map(|(name, millis)| (name.to_owned(), Duration::from_millis(millis)));
    assert_eq!(it.policies.timeouts, BTreeMap::from(expected));
    let forever = &it.policies.retries["forever"];
    assert_eq!(forever.policy, BackOff::Exponential);
    assert_eq!(forever.max_retries, Some(-1));
    let codes = forever.matching.clone().unwrap();
    assert_eq!(
        codes.http_status_codes,
        Some(CodeRanges(vec![429..=429, 500..=503]))
    );
    let http = codes.http_status_codes.unwrap();
    assert!(http.contains(502) && http.contains(429) && !http.contains(504));
    assert_eq!(codes.grpc_status_codes, Some(CodeRanges(vec![14..=14])));
    assert_eq!(it.policies.retries["plain"].policy, BackOff::Constant);
    let breaker = &it.policies.circuit_breakers["cb"];
    assert_eq!(breaker.timeout, Some(Duration::from_secs(45)));
    assert_eq!(breaker.trip.as_deref(), Some("consecutiveFailures > 8"));
    assert_eq!(it.targets.apps["a"].circuit_breaker_cache_size, Some(50));
    assert_eq!(
        it.targets.actors["T"].circuit_breaker_scope,
        Some(ActorBreakerScope::Both)
    );
    assert_eq!(
        it.targets.components["store"].outbound.retry.as_deref(),
        Some("plain")
    );
    assert_eq!(
        it.targets.components["store"].inbound.timeout.as_deref(),
        Some("slow")
    );
}

#[test]
fn kinds_that_are_only_recognised_are_named() {
    let report = read(
        "apiVersion: dapr.io/v1alpha1\nkind: MCPServer\nmetadata: {name: tools}\nspec: {endpoint: {}}\n---\napiVersion: dapr.io/v1alpha1\nkind: WorkflowAccessPolicy\nmetadata: {name: p}\n",
    );
    let kinds: Vec<_> = report.resources.iter().map(|it| (it.kind(), it.name())).collect();
    assert_eq!(
        kinds,
        [(Kind::McpServer, "tools"), (Kind::WorkflowAccessPolicy, "p")]
    );
    assert_eq!(
        report.warnings[0].to_string(),
        "a.yaml, document 1, line 1, column 1: recognised, but not built in this version; it has no effect"
    );
}

#[test]
fn plain_values_are_not_shown() {
    let Resource::Component(component) = only(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: a}\nspec: {type: state.x, metadata: [{name: password, value: hunter2}]}\n",
    ) else {
        panic!("not a component")
    };
    let shown = format!("{component:?}");
    assert!(
        shown.contains("password") && !shown.contains("hunter2"),
        "{shown}"
    );
}

#[test]
fn a_change_of_place_or_namespace_is_no_change() {
    let text = |namespace: &str, version: &str| {
        format!(
            "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: a, namespace: {namespace}}}\nspec: {{type: state.x, version: {version}}}\n"
        )
    };
    let component = |text: &str| match only(text) {
        Resource::Component(component) => component,
        other => panic!("{other:?}"),
    };
    let first = component(&text("x", "v1"));
    assert!(first.same_definition(&component(&format!("# moved\n{}", text("y", "v1")))));
    assert!(!first.same_definition(&component(&text("x", "v2"))));
}
