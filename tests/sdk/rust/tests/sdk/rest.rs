//! Secrets, metadata, tokens, and the end.

use std::collections::HashMap;

use dapr::dapr::proto::runtime::v1::ShutdownRequest;
use outrigger_sdk_tests::{Mesh, eventually, patient};
use tonic::Code;

use crate::is_code;

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_read() {
    let mesh = Mesh::default();
    let sidecar = mesh.start("rust-secrets");
    let mut client = sidecar.client().await;
    let pair = |key: &str, value: &str| HashMap::from([(key.to_owned(), value.to_owned())]);
    assert_eq!(
        patient(client.get_secret("secrets", "password"))
            .await
            .unwrap()
            .data,
        pair("password", "p1")
    );
    let all = patient(client.get_bulk_secret("secrets", None))
        .await
        .unwrap()
        .data;
    let all: HashMap<_, _> = all
        .into_iter()
        .map(|(key, secret)| (key, secret.secrets))
        .collect();
    let wanted = [("password", "p1"), ("redis:user", "alice"), ("redis:token", "t1")];
    assert_eq!(
        all,
        wanted
            .map(|(key, value)| (key.to_owned(), pair(key, value)))
            .into()
    );
    let error = patient(client.get_secret("secrets", "none")).await.unwrap_err();
    assert!(is_code(&error, Code::Internal), "{error:?}");
    let error = patient(client.get_secret("nowhere", "password"))
        .await
        .unwrap_err();
    assert!(is_code(&error, Code::InvalidArgument), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_is_read_and_set() {
    let mesh = Mesh::default();
    let sidecar = mesh.start("rust-metadata");
    let mut client = sidecar.client().await;
    patient(client.set_metadata("colour", "blue")).await.unwrap();
    let metadata = patient(client.get_metadata()).await.unwrap();
    assert_eq!(metadata.id, "rust-metadata");
    assert_eq!(metadata.extended_metadata["colour"], "blue");
    let components: HashMap<_, _> = metadata
        .registered_components
        .into_iter()
        .map(|one| (one.name.clone(), one))
        .collect();
    assert_eq!(components["statestore"].r#type, "state.in-memory");
    assert_eq!(components["pubsub"].r#type, "pubsub.in-memory");
    assert_eq!(components["secrets"].r#type, "secretstores.local.file");
    let capabilities = &components["sqlstore"].capabilities;
    let has = |one: &str| capabilities.iter().any(|capability| capability == one);
    assert!(
        ["ETAG", "TRANSACTIONAL", "TTL"].into_iter().all(has),
        "{capabilities:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sidecar_ends_when_it_is_told_to() {
    let mesh = Mesh::default();
    let mut sidecar = mesh.start("rust-end");
    patient(sidecar.raw_client().await.shutdown(ShutdownRequest {}))
        .await
        .unwrap();
    let exit = eventually("the sidecar ends", || std::future::ready(sidecar.exit())).await;
    assert_eq!(exit.code(), Some(0));
}
