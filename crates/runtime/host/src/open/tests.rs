//! Components that refer to secret stores are opened once those are, wherever they are written.

use std::{collections::BTreeMap, net::Ipv4Addr, path::PathBuf};

use async_trait::async_trait;
use outrigger_base_clock::{ManualClock, SeededEntropy};
use outrigger_base_std::Secret;
use outrigger_block_kit::{Context, OpenError, Properties};
use outrigger_block_secret::{Error, Metadata, SecretStore, Secrets};
use outrigger_resource_manifest::{SourceFile, parse};

use super::*;
use crate::Identity;

/// A store that has every secret, whose value is a property of its own.
#[derive(Debug)]
struct Vault(Secret);

#[async_trait]
impl SecretStore for Vault {
    fn multiple_keys(&self) -> bool {
        false
    }

    async fn get(&self, name: &str, _: &Metadata) -> Result<Secrets, Error> {
        Ok(Secrets::from([(name.to_owned(), self.0.clone())]))
    }

    async fn bulk_get(&self, _: &Metadata) -> Result<BTreeMap<String, Secrets>, Error> {
        Ok(BTreeMap::new())
    }

    async fn close(&self) {}
}

async fn open_vault(_: Context, properties: Properties) -> Result<Arc<dyn SecretStore>, OpenError> {
    let token = properties.get("token").unwrap_or_default();
    Ok(Arc::new(Vault(token.to_owned().into())))
}

/// A store `name` whose token is written down, or is the secret `s` of the store that is named.
fn vault(name: &str, store: Option<&str>) -> String {
    let (value, auth) = match store {
        None => ("value: t".to_owned(), String::new()),
        Some(store) => (
            "secretKeyRef: {name: s, key: s}".to_owned(),
            format!("auth: {{secretStore: {store}}}\n"),
        ),
    };
    format!(
        "---\napiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: {name}}}\nspec:\n  type: secretstores.vault\n  \
         version: v1\n  metadata:\n  - name: token\n    {value}\n{auth}"
    )
}

async fn opened(yaml: String) -> Snapshot {
    let identity = Identity {
        app_id: "app".into(),
        namespace: "".into(),
        host_name: "host".into(),
        host_address: Ipv4Addr::LOCALHOST.into(),
    };
    let clock = Arc::new(ManualClock::new("2026-02-03T04:05:06Z".parse().unwrap()));
    let host = Host::new(identity, clock, Arc::new(SeededEntropy::new(7)));
    let registry = Registry::new().secrets(&["vault"], open_vault);
    let file = SourceFile {
        path: PathBuf::from("resources.yaml").into(),
        content: Ok(yaml),
    };
    let report = parse(vec![file], "app", None);
    assert!(report.skipped.is_empty(), "{:?}", report.skipped);
    let opener = Opener {
        registry: &registry,
        host: &host,
        configuration: &Configuration::default(),
        tasks: &TaskSet::new("components"),
        data_dir: PathBuf::new(),
    };
    open(&report.resources, &opener, &|_: &str| None).await.unwrap()
}

fn names(snapshot: &Snapshot) -> Vec<&str> {
    let components = snapshot.components.iter();
    components.map(|component| component.name.as_str()).collect()
}

#[tokio::test]
async fn a_component_without_its_secret_store_is_left_out_alone() {
    let snapshot = opened([vault("lost", Some("nope")), vault("kept", None)].concat()).await;
    assert_eq!(names(&snapshot), ["kept"]);
    assert!(snapshot.secrets("lost").is_none());
    assert!(snapshot.failed.is_empty(), "{:?}", snapshot.failed);
}

#[tokio::test]
async fn stores_that_refer_to_later_ones_wait_for_them() {
    let all = [vault("a", Some("b")), vault("b", Some("c")), vault("c", None)];
    let snapshot = opened(all.concat()).await;
    assert_eq!(names(&snapshot), ["c", "b", "a"]);
    let read = snapshot
        .secrets("a")
        .unwrap()
        .store
        .get("any", &Metadata::new())
        .await;
    assert_eq!(read.unwrap()["any"].expose(), "t");
}

#[tokio::test]
async fn stores_that_wait_for_each_other_are_left_out() {
    let snapshot = opened([vault("a", Some("b")), vault("b", Some("a"))].concat()).await;
    assert!(names(&snapshot).is_empty());
}
