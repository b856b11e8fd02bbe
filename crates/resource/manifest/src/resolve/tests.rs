//! What values refer to is filled in, and what they must not refer to is refused.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::{Origin, SecretKeyRef};

struct Store {
    reads: AtomicUsize,
}

impl SecretSource for Store {
    fn secret<'a>(&'a self, query: SecretQuery<'a>) -> SecretFuture<'a> {
        Box::pin(async move {
            self.reads.fetch_add(1, Ordering::Relaxed);
            match (query.store, query.name) {
                ("vault", "redis") => Ok(SecretValues(HashMap::from([
                    ("redis".to_owned(), "flat".to_owned()),
                    ("password".to_owned(), "\"hunter2\"".to_owned()),
                    ("empty".to_owned(), String::new()),
                ]))),
                ("vault", "where") => Ok(SecretValues(HashMap::from([(
                    "where".to_owned(),
                    query.namespace.unwrap_or("nowhere").to_owned(),
                )]))),
                ("vault", _) => Err(SecretError::Failed("sealed".into())),
                _ => Err(SecretError::StoreNotLoaded),
            }
        })
    }
}

fn variables(name: &str) -> Option<String> {
    match name {
        "REDIS_HOST" => Some("localhost:6379".to_owned()),
        "APP_API_TOKEN" | "DAPR_API_TOKEN" => Some("token".to_owned()),
        _ => None,
    }
}

fn component(store: Option<&str>, metadata: Vec<(&str, ValueSource)>) -> Component {
    Component {
        name: "store".to_owned(),
        namespace: Some("prod".to_owned()),
        type_: crate::ComponentType::parse("state.redis"),
        version: "v1".to_owned(),
        metadata: metadata
            .into_iter()
            .map(|(name, value)| NameValue {
                name: name.to_owned(),
                value,
            })
            .collect(),
        ignore_errors: false,
        init_timeout: None,
        secret_store: store.map(str::to_owned),
        scopes: Vec::new(),
        origin: Origin::of_file(std::path::Path::new("store.yaml")),
    }
}

fn plain(text: &str) -> ValueSource {
    ValueSource::Plain(text.to_owned())
}

fn secret(name: &str, key: &str) -> ValueSource {
    ValueSource::SecretKeyRef(SecretKeyRef {
        name: name.to_owned(),
        key: key.to_owned(),
    })
}

fn env(name: &str) -> ValueSource {
    ValueSource::EnvRef(name.to_owned())
}

/// Runs a resolution in which nothing waits for anything outside.
fn run(
    component: &Component,
    env: &dyn Env,
    pod_name: &str,
    store: &Store,
) -> Result<Resolved, ResolveError> {
    let count = AtomicUsize::new(0);
    let new_uuid = || format!("uuid-{}", count.fetch_add(1, Ordering::Relaxed));
    let context = ResolveContext {
        app_id: "orders",
        namespace: "prod",
        pod_name,
        default_secret_store: None,
        env,
        secrets: store,
        new_uuid: &new_uuid,
    };
    let mut future = std::pin::pin!(resolve(component, &context));
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut task) {
        std::task::Poll::Ready(result) => result,
        std::task::Poll::Pending => panic!("nothing here waits"),
    }
}

fn store() -> Store {
    Store {
        reads: AtomicUsize::new(0),
    }
}

fn pairs(resolved: &Resolved) -> Vec<(&str, &str)> {
    resolved
        .properties
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

#[test]
fn values_come_from_the_manifest_the_environment_and_the_store() {
    let component = component(
        Some("vault"),
        vec![
            ("a", plain("x")),
            ("host", env("REDIS_HOST")),
            ("password", secret("redis", "password")),
            ("flat", secret("redis", "redis")),
            ("where", secret("where", "where")),
        ],
    );
    let store = store();
    let resolved = run(&component, &variables, "", &store).unwrap();
    assert_eq!(
        pairs(&resolved),
        [
            ("a", "x"),
            ("host", "localhost:6379"),
            ("password", "hunter2"),
            ("flat", "flat"),
            ("where", "prod")
        ]
    );
    assert!(resolved.problems.is_empty());
    assert_eq!(store.reads.load(Ordering::Relaxed), 2, "each secret is read once");
    assert!(!format!("{resolved:?}").contains("hunter2"));
}

#[test]
fn our_own_variables_are_refused() {
    let refused = [
        "APP_API_TOKEN",
        "app_api_token",
        "DAPR_API_TOKEN",
        "dapr_x",
        "WITH SPACE",
        "",
    ];
    for name in refused {
        let resolved = run(&component(None, vec![("a", env(name))]), &variables, "", &store()).unwrap();
        assert_eq!(pairs(&resolved), [("a", "")], "{name}");
        let problem = format!("the environment variable {name:?} may not be referred to");
        assert_eq!(resolved.problems[0].problem, problem);
    }
    let resolved = run(
        &component(None, vec![("a", env("NOT_SET"))]),
        &variables,
        "",
        &store(),
    )
    .unwrap();
    assert_eq!(
        resolved.problems[0].problem,
        "the environment variable \"NOT_SET\" is not set"
    );
}

#[test]
fn a_list_of_allowed_variables_keeps_all_others_out() {
    let listed = |name: &str| match name {
        "DAPR_ENV_KEYS" => Some("FIRST SECOND".to_owned()),
        other => Some(other.to_lowercase()),
    };
    let component = component(
        None,
        vec![("a", env("FIRST")), ("b", env("SECOND")), ("c", env("SECON"))],
    );
    let resolved = run(&component, &listed, "", &store()).unwrap();
    assert_eq!(pairs(&resolved), [("a", "first"), ("b", "second"), ("c", "")]);
}

#[test]
fn templates_are_filled_in() {
    let component = component(
        None,
        vec![
            ("ids", plain("{uuid}/{uuid}")),
            ("pod", plain("{podName}!")),
            ("ns", plain("{namespace}-{appID}")),
            ("json", plain("{\"a\": 1}")),
        ],
    );
    let resolved = run(&component, &variables, "pod-7", &store()).unwrap();
    assert_eq!(
        pairs(&resolved),
        [
            ("ids", "uuid-0/uuid-1"),
            ("pod", "pod-7!"),
            ("ns", "prod.orders-orders"),
            ("json", "{\"a\": 1}")
        ]
    );
    assert!(resolved.uses_namespace);
    assert_eq!(
        run(&component, &variables, "", &store()).unwrap_err().to_string(),
        "failed to parse metadata: property pod refers to {podName} but podName is not set"
    );
}

#[test]
fn what_cannot_be_read_is_empty_and_said() {
    let cases = [
        (
            Some("vault"),
            secret("other", "k"),
            "could not read the secret \"other\" of the store \"vault\": the secret store failed: sealed",
        ),
        (
            Some("vault"),
            secret("redis", "empty"),
            "the secret \"redis\" of the store \"vault\" has no value for the key \"empty\"",
        ),
        (
            Some("vault"),
            secret("redis", "none"),
            "the secret \"redis\" of the store \"vault\" has no value for the key \"none\"",
        ),
        (
            None,
            secret("redis", "password"),
            "the resource names no secret store (auth.secretStore)",
        ),
    ];
    for (name, value, problem) in cases {
        let resolved = run(&component(name, vec![("p", value)]), &variables, "", &store()).unwrap();
        assert_eq!(pairs(&resolved), [("p", "")]);
        assert_eq!(resolved.problems.len(), 1);
        assert_eq!(resolved.problems[0].problem, problem);
    }
}

#[test]
fn a_store_that_is_not_loaded_is_waited_for() {
    let error = run(
        &component(Some("later"), vec![("p", secret("a", "a"))]),
        &variables,
        "",
        &store(),
    )
    .unwrap_err();
    assert!(error.retryable());
    assert_eq!(
        error.to_string(),
        "the secret store \"later\" that p refers to is not loaded"
    );
}
