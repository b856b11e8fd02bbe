//! State over gRPC (dapr-runtime.md §2.3; components.md §0.6).

use bytes::Bytes;
use outrigger_block_state::{
    Concurrency, Consistency, DeleteRequest, ETag, GetRequest, Item, Metadata, Options, SetRequest, Value,
};
use outrigger_runtime_api::{BulkStateItem, Error, TransactionOp};
use outrigger_wire_names::content;
use outrigger_wire_proto::{
    common::{
        Etag, StateItem, StateOptions,
        state_options::{StateConcurrency, StateConsistency},
    },
    runtime::{
        BulkStateItem as BulkAnswer, DeleteStateRequest, GetStateRequest, GetStateResponse,
        TransactionalStateOperation,
    },
};
use serde_json::value::RawValue;

/// Item metadata that says what a value is.
const CONTENT_TYPE: &str = "contentType";

pub(crate) fn get(request: GetStateRequest) -> GetRequest {
    GetRequest {
        consistency: consistency(request.consistency()),
        key: request.key,
        metadata: request.metadata.into_iter().collect(),
    }
}

pub(crate) fn found(item: Option<Item>) -> GetStateResponse {
    let (data, etag, metadata) = parts(item);
    GetStateResponse {
        data,
        etag,
        metadata: metadata.into_iter().collect(),
    }
}

pub(crate) fn bulk_found(answer: BulkStateItem) -> BulkAnswer {
    let (data, etag, metadata) = parts(answer.item);
    BulkAnswer {
        key: answer.key,
        data,
        etag,
        error: answer.error.unwrap_or_default(),
        metadata: metadata.into_iter().collect(),
    }
}

/// An item's parts; all empty when there is none.
fn parts(item: Option<Item>) -> (Bytes, String, Metadata) {
    let Some(item) = item else {
        return Default::default();
    };
    let etag = item.etag.map(|etag| etag.as_str().to_owned());
    (item.data, etag.unwrap_or_default(), item.metadata)
}

/// A write. A value whose metadata says JSON is one, or the write is refused.
pub(crate) fn set(item: StateItem) -> Result<SetRequest, Error> {
    let is_json = item
        .metadata
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == content::JSON);
    let value = if is_json {
        Value::Json(json(&item.key, &item.value)?)
    } else {
        Value::Bytes(item.value.clone())
    };
    Ok(SetRequest {
        value,
        ..set_bytes(item)
    })
}

/// A write inside a transaction: the bytes as they are, which stores read by the item's metadata.
fn set_bytes(item: StateItem) -> SetRequest {
    SetRequest {
        key: item.key,
        value: Value::Bytes(item.value),
        etag: etag(item.etag),
        options: options(item.options),
        metadata: item.metadata.into_iter().collect(),
    }
}

fn json(key: &str, value: &Bytes) -> Result<Bytes, Error> {
    let raw: &RawValue = serde_json::from_slice(value).map_err(|error| {
        Error::bad_body(format!(
            "value of key {key} is not JSON, which its contentType says: {error}"
        ))
    })?;
    Ok(value.slice_ref(raw.get().as_bytes()))
}

pub(crate) fn delete_item(item: StateItem) -> DeleteRequest {
    DeleteRequest {
        key: item.key,
        etag: etag(item.etag),
        options: options(item.options),
        metadata: item.metadata.into_iter().collect(),
    }
}

pub(crate) fn delete(request: DeleteStateRequest) -> DeleteRequest {
    DeleteRequest {
        key: request.key,
        etag: etag(request.etag),
        options: options(request.options),
        metadata: request.metadata.into_iter().collect(),
    }
}

pub(crate) fn operation(operation: TransactionalStateOperation) -> Result<TransactionOp, Error> {
    let item = operation.request.unwrap_or_default();
    match operation.operation_type.as_str() {
        "upsert" => Ok(TransactionOp::Upsert(set_bytes(item))),
        "delete" => Ok(TransactionOp::Delete(delete_item(item))),
        other => Err(Error::state_operation(other)),
    }
}

/// A version. One that is present and empty is none.
fn etag(given: Option<Etag>) -> Option<ETag> {
    given.and_then(|etag| ETag::new(etag.value))
}

/// Options; values that this runtime does not know count as unspecified, as with the peers.
fn options(given: Option<StateOptions>) -> Options {
    let given = given.unwrap_or_default();
    Options {
        concurrency: match given.concurrency() {
            StateConcurrency::ConcurrencyUnspecified => Concurrency::Unspecified,
            StateConcurrency::ConcurrencyFirstWrite => Concurrency::FirstWrite,
            StateConcurrency::ConcurrencyLastWrite => Concurrency::LastWrite,
        },
        consistency: consistency(given.consistency()),
    }
}

fn consistency(given: StateConsistency) -> Consistency {
    match given {
        StateConsistency::ConsistencyUnspecified => Consistency::Unspecified,
        StateConsistency::ConsistencyEventual => Consistency::Eventual,
        StateConsistency::ConsistencyStrong => Consistency::Strong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(value: &'static str, kind: &str) -> StateItem {
        StateItem {
            key: "k".to_owned(),
            value: Bytes::from_static(value.as_bytes()),
            metadata: [("contentType".to_owned(), kind.to_owned())].into(),
            etag: Some(Etag::default()),
            options: None,
        }
    }

    #[test]
    fn a_value_is_bytes_unless_it_is_said_to_be_json() {
        let json = set(item(" {\"a\": 1} ", "application/json")).unwrap();
        assert_eq!(json.value, Value::Json(Bytes::from_static(b"{\"a\": 1}")));
        assert_eq!(json.etag, None);
        let bytes = set(item("{", "text/plain")).unwrap();
        assert_eq!(bytes.value, Value::Bytes(Bytes::from_static(b"{")));
        let error = set(item("{", "application/json")).unwrap_err();
        assert!(error.message.starts_with("value of key k is not JSON"), "{error}");
    }

    #[test]
    fn an_unknown_operation_is_refused() {
        let operation = operation(TransactionalStateOperation {
            operation_type: "nope".to_owned(),
            request: None,
        });
        assert_eq!(
            operation.unwrap_err().message,
            "operation type nope not supported"
        );
    }
}
