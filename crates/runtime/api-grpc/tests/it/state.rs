//! State and secrets.

use std::collections::HashMap;

use bytes::Bytes;
use outrigger_wire_proto::{
    common::{Etag, StateItem},
    runtime::{
        DeleteBulkStateRequest, DeleteStateRequest, ExecuteStateTransactionRequest, GetBulkSecretRequest,
        GetBulkStateRequest, GetSecretRequest, GetStateRequest, GetStateResponse, SaveStateRequest,
        TransactionalStateOperation,
    },
};
use tonic::Code;

use crate::rig::{Runtime, component};

fn item(key: &str, value: &'static str) -> StateItem {
    StateItem {
        key: key.to_owned(),
        value: Bytes::from_static(value.as_bytes()),
        ..StateItem::default()
    }
}

async fn runtime() -> Runtime {
    Runtime::alone(&component("s", "state.in-memory")).await
}

async fn save(runtime: &Runtime, states: Vec<StateItem>) -> Result<(), tonic::Status> {
    let request = SaveStateRequest {
        store_name: "s".to_owned(),
        states,
    };
    runtime.client().save_state(request).await.map(drop)
}

async fn get(runtime: &Runtime, key: &str) -> GetStateResponse {
    let request = GetStateRequest {
        store_name: "s".to_owned(),
        key: key.to_owned(),
        ..GetStateRequest::default()
    };
    runtime.client().get_state(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn what_is_saved_is_read_and_removed() {
    let runtime = runtime().await;
    save(&runtime, vec![item("a", "1"), item("b", "\0bytes")])
        .await
        .unwrap();
    let found = get(&runtime, "b").await;
    assert_eq!(found.data, "\0bytes");
    assert!(!found.etag.is_empty());
    assert_eq!(get(&runtime, "none").await, GetStateResponse::default());
    let request = GetBulkStateRequest {
        store_name: "s".to_owned(),
        keys: vec!["a".to_owned(), "none".to_owned()],
        ..GetBulkStateRequest::default()
    };
    let mut items = runtime
        .client()
        .get_bulk_state(request)
        .await
        .unwrap()
        .into_inner()
        .items;
    items.sort_by(|left, right| left.key.cmp(&right.key));
    assert_eq!((items[0].key.as_str(), &items[0].data[..]), ("a", &b"1"[..]));
    assert_eq!((items[1].key.as_str(), &items[1].data[..]), ("none", &b""[..]));
    let delete = DeleteStateRequest {
        store_name: "s".to_owned(),
        key: "a".to_owned(),
        ..DeleteStateRequest::default()
    };
    runtime.client().delete_state(delete).await.unwrap();
    assert_eq!(get(&runtime, "a").await.data, "");
    let delete = DeleteBulkStateRequest {
        store_name: "s".to_owned(),
        states: vec![item("b", "")],
    };
    runtime.client().delete_bulk_state(delete).await.unwrap();
    assert_eq!(get(&runtime, "b").await.data, "");
}

#[tokio::test]
async fn an_old_etag_is_refused() {
    let runtime = runtime().await;
    save(&runtime, vec![item("a", "1")]).await.unwrap();
    let etag = get(&runtime, "a").await.etag;
    let with = |value: &str| StateItem {
        etag: Some(Etag {
            value: value.to_owned(),
        }),
        ..item("a", "2")
    };
    save(&runtime, vec![with(&etag)]).await.unwrap();
    let status = save(&runtime, vec![with(&etag)]).await.unwrap_err();
    assert_eq!(status.code(), Code::Aborted);
    assert!(
        status
            .message()
            .starts_with("failed saving state in state store s: "),
        "{status}"
    );
    assert_eq!(get(&runtime, "a").await.data, "2");
}

#[tokio::test]
async fn a_value_that_is_said_to_be_json_has_to_be_json() {
    let runtime = runtime().await;
    let json = |value| StateItem {
        metadata: HashMap::from([("contentType".to_owned(), "application/json".to_owned())]),
        ..item("j", value)
    };
    save(&runtime, vec![json("{\"a\":1}")]).await.unwrap();
    assert_eq!(get(&runtime, "j").await.data, "{\"a\":1}");
    let status = save(&runtime, vec![json("{")]).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("key j is not JSON"), "{status}");
}

#[tokio::test]
async fn a_transaction_is_done_as_a_whole() {
    let runtime = runtime().await;
    save(&runtime, vec![item("old", "1")]).await.unwrap();
    let operation = |kind: &str, item| TransactionalStateOperation {
        operation_type: kind.to_owned(),
        request: Some(item),
    };
    let request = |operations| ExecuteStateTransactionRequest {
        store_name: "s".to_owned(),
        operations,
        metadata: HashMap::new(),
    };
    let operations = vec![
        operation("delete", item("old", "")),
        operation("upsert", item("new", "2")),
    ];
    runtime
        .client()
        .execute_state_transaction(request(operations))
        .await
        .unwrap();
    assert_eq!(get(&runtime, "old").await.data, "");
    assert_eq!(get(&runtime, "new").await.data, "2");
    let failed = runtime
        .client()
        .execute_state_transaction(request(vec![operation("x", item("a", ""))]))
        .await;
    let status = failed.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::Unimplemented, "operation type x not supported")
    );
}

#[tokio::test]
async fn secrets_are_read_alone_and_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secrets.json");
    std::fs::write(&file, r#"{"a":"1","b":"2"}"#).unwrap();
    let yaml = component("v", "secretstores.local.file").replace(
        "  version: v1\n",
        &format!(
            "  version: v1\n  metadata:\n  - name: secretsFile\n    value: {}\n",
            file.display()
        ),
    );
    let runtime = Runtime::alone(&yaml).await;
    let request = GetSecretRequest {
        store_name: "v".to_owned(),
        key: "a".to_owned(),
        metadata: HashMap::new(),
    };
    let one = runtime
        .client()
        .get_secret(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(one.data, HashMap::from([("a".to_owned(), "1".to_owned())]));
    let all = GetBulkSecretRequest {
        store_name: "v".to_owned(),
        metadata: HashMap::new(),
    };
    let all = runtime.client().get_bulk_secret(all).await.unwrap().into_inner();
    assert_eq!(all.data["b"].secrets["b"], "2");
    let missing = GetSecretRequest {
        store_name: "w".to_owned(),
        ..request
    };
    let status = runtime.client().get_secret(missing).await.unwrap_err();
    let expected = (Code::InvalidArgument, "failed finding secret store with key w");
    assert_eq!((status.code(), status.message()), expected);
}
