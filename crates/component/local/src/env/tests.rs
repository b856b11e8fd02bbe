//! Names that are hidden, prefixed or odd.

use proptest::prelude::*;

use super::*;
use crate::FixedEnvironment;

fn store(prefix: &str) -> EnvStore {
    let environment = FixedEnvironment::new([
        ("APP_API_TOKEN", "hidden"),
        ("app_api_token", "hidden"),
        ("DAPR_API_TOKEN", "hidden"),
        ("dapr_http_port", "hidden"),
        ("DAPRX", "seen"),
        ("MY_KEY", "value"),
        ("MY_", "too short"),
        ("OTHER", "seen"),
        ("grüße", "seen"),
    ]);
    EnvStore::new(&Properties::new([("prefix", prefix)]), Arc::new(environment))
}

async fn read(store: &EnvStore, name: &str) -> String {
    let secrets = store.get(name, &Metadata::new()).await.unwrap();
    assert_eq!(secrets.keys().collect::<Vec<_>>(), [name]);
    secrets[name].expose().to_owned()
}

#[tokio::test]
async fn the_runtimes_own_variables_are_hidden() {
    let store = store("");
    for name in [
        "APP_API_TOKEN",
        "app_api_token",
        "DAPR_API_TOKEN",
        "dapr_http_port",
    ] {
        assert_eq!(read(&store, name).await, "", "{name}");
    }
    assert_eq!(read(&store, "DAPRX").await, "seen");
    let all = store.bulk_get(&Metadata::new()).await.unwrap();
    let names: Vec<_> = all.keys().map(String::as_str).collect();
    assert_eq!(names, ["DAPRX", "MY_", "MY_KEY", "OTHER", "grüße"]);
}

#[tokio::test]
async fn a_prefix_stands_in_the_environment_only() {
    let store_my = store("MY_");
    assert_eq!(read(&store_my, "KEY").await, "value");
    let all = store_my.bulk_get(&Metadata::new()).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all["KEY"]["KEY"].expose(), "value");
    // The whole name counts: a prefix does not open what is hidden.
    for (prefix, name) in [
        ("DAPR_", "API_TOKEN"),
        ("APP_", "API_TOKEN"),
        ("DA", "PR_API_TOKEN"),
    ] {
        let store = store(prefix);
        assert_eq!(read(&store, name).await, "");
        assert!(!store.bulk_get(&Metadata::new()).await.unwrap().contains_key(name));
    }
}

#[tokio::test]
async fn the_process_environment_is_read() {
    let store = EnvStore::new(&Properties::default(), Arc::new(crate::ProcessEnvironment));
    assert_eq!(
        read(&store, "PATH").await,
        std::env::var("PATH").unwrap_or_default()
    );
    for odd in ["", "a=b", "nul\0", "not-set-at-all"] {
        assert_eq!(read(&store, odd).await, "", "{odd:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_no_text_is_an_error_and_not_listed() {
    use std::os::unix::ffi::OsStringExt as _;
    let environment = FixedEnvironment::new([("BAD", OsString::from_vec(vec![0xff])), ("GOOD", "x".into())]);
    let store = EnvStore::new(&Properties::default(), Arc::new(environment));
    let error = store.get("BAD", &Metadata::new()).await.unwrap_err();
    assert_eq!(
        outrigger_base_std::chain(&error),
        "read the variable BAD: its value is not UTF-8"
    );
    let all = store.bulk_get(&Metadata::new()).await.unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), ["GOOD"]);
}

proptest! {
    #[test]
    fn no_name_is_hidden_from_one_call_and_shown_by_the_other(prefix in "[A-Za-z_é]{0,5}", variable in "(DAPR_|dapr_|APP_API_TOKEN)?[A-Z_é]{0,6}") {
        prop_assume!(!variable.is_empty());
        let environment = FixedEnvironment::new([(variable.clone(), "x")]);
        let store = EnvStore::new(&Properties::new([("prefix", prefix.clone())]), Arc::new(environment));
        let listed = store.listed(&variable);
        prop_assert_eq!(listed.is_some(), variable.len() > prefix.len() && variable.starts_with(&prefix) && is_allowed(&variable));
        if let Some(name) = listed {
            let secret = store.read(name).unwrap();
            prop_assert_eq!(secret.expose(), "x");
        }
    }
}
