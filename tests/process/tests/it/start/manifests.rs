//! Resources with something wrong in them.

use std::os::unix::fs::PermissionsExt;

use outrigger_testing_harness::Folder;

use super::flags::{ends, says};
use crate::rig::{Plan, component, get, post};

fn plan(folder: &Folder, manifests: &[&str]) -> Plan {
    let manifests: Vec<String> = manifests.iter().map(|text| (*text).to_owned()).collect();
    Plan::new("app", folder.path()).resources(folder, &manifests)
}

#[tokio::test]
async fn yaml_that_cannot_be_read_is_skipped_with_its_place() {
    let folder = Folder::new("yaml").unwrap();
    let good = component("good", "state.in-memory", &[]);
    let broken = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: [unclosed\nspec:\n";
    let sidecar = plan(&folder, &[broken, &good]).start().await;
    let line = says(&sidecar.process, "0.yaml").await;
    assert!(line.contains("level=warning"), "{line}");
    assert!(
        line.contains("line 4") || line.contains("line 5"),
        "no line is named: {line}"
    );
    // The other file is there.
    post(&sidecar, "/v1.0/state/good", "[{\"key\":\"k\",\"value\":1}]")
        .await
        .ok();
}

#[tokio::test]
async fn a_field_that_is_unknown_is_warned_of_with_file_and_line() {
    let folder = Folder::new("fields").unwrap();
    let text = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: store\nspec:\n  type: state.in-memory\n  \
                version: v1\n  metdata:\n    - {name: a, value: b}\n";
    let sidecar = plan(&folder, &[text]).start().await;
    let line = says(&sidecar.process, "metdata").await;
    assert!(
        line.contains("level=warning") && line.contains("0.yaml, document 1, line 8"),
        "{line}"
    );
    assert!(
        line.contains("metadata"),
        "the nearest known field is not named: {line}"
    );
    get(&sidecar, "/v1.0/state/store/k").await.ok();
}

#[tokio::test]
async fn a_component_type_that_is_unknown_is_fatal() {
    let folder = Folder::new("unknown").unwrap();
    let (status, process) = ends(&plan(&folder, &[&component("db", "state.no-such-store", &[])])).await;
    assert_eq!(status.code(), Some(1));
    let line = says(&process, "level=fatal").await;
    assert!(line.contains("Fatal error from runtime: "), "{line}");
    assert!(line.contains("db (state.no-such-store/v1)"), "{line}");
    let text = "[CREATE_COMPONENT_FAILURE]: initialization error occurred for db (state.no-such-store/v1): couldn't find \
                state.no-such-store/v1";
    assert!(line.contains(text), "{line}");
    assert!(line.contains("0.yaml"), "{line}");
}

#[tokio::test]
async fn a_component_that_may_fail_does_so_alone() {
    let folder = Folder::new("ignored").unwrap();
    let text = component("db", "state.sqlite", &[]).replace("spec:\n", "spec:\n  ignoreErrors: true\n");
    let sidecar = plan(&folder, &[&text]).start().await;
    let line = says(&sidecar.process, "Ignoring error processing component").await;
    assert!(line.contains("db"), "{line}");
    let answer = get(&sidecar, "/v1.0/state/db/k").await;
    assert!(answer.status >= 400, "{}", answer.text());
}

#[tokio::test]
async fn two_components_of_one_name_are_fatal() {
    let folder = Folder::new("double").unwrap();
    let store = component("twice", "state.in-memory", &[]);
    let (status, process) = ends(&plan(&folder, &[&store, &store])).await;
    assert_eq!(status.code(), Some(1));
    let line = says(&process, "duplicate definition of Component name").await;
    assert!(line.contains("level=fatal") && line.contains("twice"), "{line}");
}

#[tokio::test]
async fn a_component_whose_secret_store_is_not_there_is_left_out() {
    let folder = Folder::new("secret").unwrap();
    let text = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: db\nspec:\n  type: state.sqlite\n  version: v1\n  \
                metadata:\n    - name: connectionString\n      secretKeyRef: {name: no-such-secret, key: k}\n\
                auth:\n  secretStore: no-such-store\n";
    let sidecar = plan(&folder, &[text]).start().await;
    let line = says(
        &sidecar.process,
        "Component db references a secret store that isn't loaded: no-such-store",
    )
    .await;
    assert!(
        line.contains("level=warning") && line.contains("0.yaml"),
        "{line}"
    );
    let answer = get(&sidecar, "/v1.0/state/db/k").await;
    assert_eq!(
        answer.code(),
        (500, "ERR_STATE_STORE_NOT_CONFIGURED".to_owned()),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn a_declared_rule_that_is_none_is_fatal() {
    let folder = Folder::new("rule").unwrap();
    let text = "apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata: {name: orders}\nspec:\n  pubsubname: bus\n  topic: t\n  \
                routes:\n    rules:\n    - {match: event.type ==, path: /x}\n";
    let (status, process) = ends(&plan(
        &folder,
        &[&component("bus", "pubsub.in-memory", &[]), text],
    ))
    .await;
    assert_eq!(status.code(), Some(1), "{:#?}", process.lines());
    let line = says(&process, "level=fatal").await;
    assert!(
        line.contains("Fatal error from runtime: failed to load declarative subscriptions: orders"),
        "{line}"
    );
    assert!(line.contains("1.yaml"), "{line}");
}

#[tokio::test]
async fn folders_and_files_that_cannot_be_read_are_fatal_and_named() {
    let folder = Folder::new("paths").unwrap();
    let plan = Plan::new("app", folder.path());
    for argument in ["--resources-path=/no/such/folder", "--config=/no/such/file.yaml"] {
        let (status, process) = ends(&plan.clone().argument(argument)).await;
        assert_eq!(status.code(), Some(1), "{argument}");
        let line = says(&process, "level=fatal").await;
        assert!(line.contains("/no/such/"), "{line}");
    }
    let config = folder.file("config.yaml");
    std::fs::write(
        &config,
        "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: c}\nspec: [\n",
    )
    .unwrap();
    let (status, process) = ends(&plan.argument(format!("--config={}", config.display()))).await;
    assert_eq!(status.code(), Some(1));
    let line = says(&process, "level=fatal").await;
    assert!(line.contains("config.yaml"), "{line}");
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_written_is_named() {
    let folder = Folder::new("readonly").unwrap();
    // Rights do not stop root; a file where a folder has to be stops everybody.
    std::fs::write(folder.file("home"), "not a folder").unwrap();
    let broker = component("pubsub", "pubsub.outrigger", &[]);
    let (status, process) = ends(&plan(&folder, &[&broker])).await;
    assert_eq!(status.code(), Some(1));
    let line = says(&process, "level=fatal").await;
    assert!(line.contains("pubsub (pubsub.outrigger/v1)"), "{line}");
    assert!(line.contains(folder.path().to_str().unwrap()), "{line}");

    let sealed = folder.file("sealed");
    std::fs::create_dir(&sealed).unwrap();
    std::fs::set_permissions(&sealed, std::fs::Permissions::from_mode(0o555)).unwrap();
    let file = sealed.join("no-such-folder/state.db");
    let store = component(
        "db",
        "state.sqlite",
        &[("connectionString", file.to_str().unwrap())],
    );
    let (status, process) = ends(&plan(&folder, &[&store])).await;
    assert_eq!(status.code(), Some(1), "{:#?}", process.lines());
    let line = says(&process, "level=fatal").await;
    assert!(line.contains("db (state.sqlite/v1)"), "{line}");
}
