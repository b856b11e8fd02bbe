//! State, in memory and in SQLite: get, set, delete, bulk, transactions, ETags, time to live, and errors.

use std::collections::HashMap;

use dapr::Client;
use dapr::client::{Etag, StateItem, StateOptions, TonicClient, TonicClientWithAuth};
use dapr::dapr::proto::common::v1::state_options::{StateConcurrency, StateConsistency};
use dapr::dapr::proto::runtime::v1::{
    DeleteStateRequest, ExecuteStateTransactionRequest, GetBulkStateRequest, TransactionalStateOperation,
};
use outrigger_sdk_tests::{Mesh, Sidecar, eventually, patient};
use tonic::Code;

use crate::is_code;

const STORES: [&str; 2] = ["statestore", "sqlstore"];

type Sdk = Client<TonicClientWithAuth>;

async fn start(mesh: &Mesh) -> (Sidecar, Sdk, TonicClient) {
    let sidecar = mesh.start("rust-state");
    let (client, raw) = (sidecar.client().await, sidecar.raw_client().await);
    (sidecar, client, raw)
}

fn first_write() -> Option<StateOptions> {
    Some(StateOptions {
        concurrency: StateConcurrency::ConcurrencyFirstWrite.into(),
        consistency: StateConsistency::ConsistencyStrong.into(),
    })
}

async fn save(client: &mut Sdk, store: &str, key: &str, value: &str) {
    let saved = client.save_state(store, key, value.into(), None, None, None);
    patient(saved).await.unwrap();
}

/// The value and the ETag under a key; both empty when there is none.
async fn read(client: &mut Sdk, store: &str, key: &str) -> (String, String) {
    let found = patient(client.get_state(store, key, None)).await.unwrap();
    (String::from_utf8(found.data).unwrap(), found.etag)
}

async fn value(client: &mut Sdk, store: &str, key: &str) -> String {
    read(client, store, key).await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_saved_read_replaced_and_deleted() {
    let mesh = Mesh::default();
    let (_sidecar, mut client, _) = start(&mesh).await;
    for store in STORES {
        assert_eq!(value(&mut client, store, "a").await, "");
        save(&mut client, store, "a", "one").await;
        save(&mut client, store, "a", "two").await;
        assert_eq!(value(&mut client, store, "a").await, "two");
        patient(client.delete_state(store, "a", None)).await.unwrap();
        assert_eq!(value(&mut client, store, "a").await, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_values_at_once() {
    let mesh = Mesh::default();
    let (_sidecar, mut client, mut raw) = start(&mesh).await;
    for store in STORES {
        let items: Vec<StateItem> = ["x", "y"]
            .map(|key| (key, key.repeat(3).into_bytes()).into())
            .into();
        patient(client.save_bulk_states(store, items)).await.unwrap();
        let keys = ["x", "y", "none"].map(str::to_owned).to_vec();
        let request = GetBulkStateRequest {
            store_name: store.into(),
            keys,
            parallelism: 2,
            ..Default::default()
        };
        let answer = patient(raw.get_bulk_state(request)).await.unwrap().into_inner();
        let found: HashMap<_, _> = answer
            .items
            .into_iter()
            .map(|item| (item.key, item.data))
            .collect();
        assert_eq!(found["x"], b"xxx");
        assert_eq!(found["y"], b"yyy");
        assert_eq!(found["none"], b"");

        patient(client.delete_bulk_state(store, [("x", Vec::new()), ("y", Vec::new())]))
            .await
            .unwrap();
        assert_eq!(value(&mut client, store, "x").await, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_with_an_old_etag_is_refused() {
    let mesh = Mesh::default();
    let (_sidecar, mut client, mut raw) = start(&mesh).await;
    for store in STORES {
        save(&mut client, store, "tagged", "one").await;
        let old = Etag {
            value: read(&mut client, store, "tagged").await.1,
        };
        let mut tagged = async |text: &str| {
            client
                .save_state(
                    store,
                    "tagged",
                    text.into(),
                    Some(old.clone()),
                    None,
                    first_write(),
                )
                .await
        };
        patient(tagged("two")).await.unwrap();
        let error = patient(tagged("three")).await.unwrap_err();
        assert!(is_code(&error, Code::Aborted), "{error:?}");
        let delete = DeleteStateRequest {
            store_name: store.into(),
            key: "tagged".into(),
            etag: Some(old.clone()),
            options: first_write(),
            ..Default::default()
        };
        let error = patient(raw.delete_state(delete)).await.unwrap_err();
        assert_eq!(error.code(), Code::Aborted);
        assert_eq!(value(&mut client, store, "tagged").await, "two");

        save(&mut client, store, "first", "one").await;
        let again = client.save_state(store, "first", "two".into(), None, None, first_write());
        let error = patient(again).await.unwrap_err();
        assert!(is_code(&error, Code::Aborted), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_does_all_or_nothing() {
    let mesh = Mesh::default();
    let (_sidecar, mut client, mut raw) = start(&mesh).await;
    for store in STORES {
        save(&mut client, store, "old", "value").await;
        let request = transaction(
            store,
            [("upsert", "t1", "one", None), ("delete", "old", "", None)],
        );
        patient(raw.execute_state_transaction(request)).await.unwrap();
        assert_eq!(value(&mut client, store, "old").await, "");
        let (found, stale) = read(&mut client, store, "t1").await;
        assert_eq!(found, "one");

        save(&mut client, store, "t1", "newer").await;
        let request = transaction(
            store,
            [
                ("upsert", "t2", "changed", None),
                ("upsert", "t1", "changed", Some(stale)),
            ],
        );
        patient(raw.execute_state_transaction(request)).await.unwrap_err();
        assert_eq!(value(&mut client, store, "t1").await, "newer");
        assert_eq!(value(&mut client, store, "t2").await, "");
    }
}

fn transaction<const COUNT: usize>(
    store: &str,
    operations: [(&str, &str, &str, Option<String>); COUNT],
) -> ExecuteStateTransactionRequest {
    let operations = operations.map(|(kind, key, value, etag)| TransactionalStateOperation {
        operation_type: kind.into(),
        request: Some(StateItem {
            etag: etag.map(|value| Etag { value }),
            ..(key, value.as_bytes().to_vec()).into()
        }),
    });
    ExecuteStateTransactionRequest {
        store_name: store.into(),
        operations: operations.into(),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_with_a_time_to_live_is_gone_after_it() {
    let mesh = Mesh::default();
    let (sidecar, mut client, _) = start(&mesh).await;
    for store in STORES {
        let short = HashMap::from([("ttlInSeconds".to_owned(), "1".to_owned())]);
        patient(client.save_state(store, "short", "lived".into(), None, Some(short), None))
            .await
            .unwrap();
        assert_eq!(value(&mut client, store, "short").await, "lived");
        let look = || async {
            let mut client = sidecar.client().await;
            value(&mut client, store, "short").await.is_empty().then_some(())
        };
        eventually("the value expires", look).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_not_there() {
    let mesh = Mesh::default();
    let (_sidecar, mut client, _) = start(&mesh).await;
    let error = patient(client.get_state("nowhere", "a", None)).await.unwrap_err();
    assert!(is_code(&error, Code::InvalidArgument), "{error:?}");
    assert!(
        format!("{error:?}").contains("state store nowhere is not found"),
        "{error:?}"
    );
}
