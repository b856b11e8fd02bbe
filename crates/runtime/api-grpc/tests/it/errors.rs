//! Errors on the wire, and what is not built.

use std::collections::{HashMap, HashSet};

use http_body_util::BodyExt;
use outrigger_transport::Body;
use outrigger_wire_proto::{
    FILE_DESCRIPTOR_SET,
    common::StateItem,
    rpc,
    runtime::{
        BulkPublishRequest, BulkPublishRequestEntry, ExecuteStateTransactionRequest, PublishEventRequest,
        QueryStateRequest, SaveStateRequest,
    },
};
use prost::Message;
use prost_types::FileDescriptorSet;
use tonic::{Code, Status};

use crate::rig::{MAX_BODY, Runtime, component};

fn rich(status: &Status) -> rpc::Status {
    let rich = rpc::Status::decode(status.details()).unwrap();
    assert_eq!(
        (rich.code, rich.message.as_str()),
        (status.code() as i32, status.message())
    );
    rich
}

fn info(status: &Status) -> rpc::ErrorInfo {
    let info: rpc::ErrorInfo = rich(status).details[0].unpack().unwrap();
    assert_eq!(info.domain, "dapr.io");
    info
}

async fn save(runtime: &Runtime, store: &str, key: &str) -> Status {
    let request = SaveStateRequest {
        store_name: store.to_owned(),
        states: vec![StateItem {
            key: key.to_owned(),
            ..StateItem::default()
        }],
    };
    runtime.client().save_state(request).await.unwrap_err()
}

#[tokio::test]
async fn state_errors_have_code_message_and_details() {
    let runtime = Runtime::alone("").await;
    let status = save(&runtime, "s", "k").await;
    let expected = (Code::FailedPrecondition, "state store s is not configured");
    assert_eq!((status.code(), status.message()), expected);
    assert_eq!(rich(&status).details.len(), 1);
    assert_eq!(info(&status).reason, "DAPR_STATE_NOT_CONFIGURED");
    assert!(info(&status).metadata.is_empty());

    let runtime = Runtime::alone(&component("s", "state.in-memory")).await;
    let status = save(&runtime, "other", "k").await;
    let expected = (Code::InvalidArgument, "state store other is not found");
    assert_eq!((status.code(), status.message()), expected);
    assert_eq!(info(&status).reason, "DAPR_STATE_NOT_FOUND");

    let status = save(&runtime, "s", "").await;
    assert_eq!(
        (status.code(), status.message()),
        (Code::InvalidArgument, "state key cannot be empty")
    );
    assert_eq!(info(&status).reason, "ERR_STATE_SAVE");

    let status = save(&runtime, "s", "a||b").await;
    let message = "input key/keyPrefix 'a||b' can't contain '||'";
    assert_eq!(
        (status.code(), status.message()),
        (Code::InvalidArgument, message)
    );
    let details = rich(&status).details;
    assert_eq!(details.len(), 3);
    assert_eq!(info(&status).reason, "DAPR_STATE_ILLEGAL_KEY");
    let resource: rpc::ResourceInfo = details[1].unpack().unwrap();
    assert_eq!(
        (resource.resource_type.as_str(), resource.resource_name.as_str()),
        ("state", "s")
    );
    let bad: rpc::BadRequest = details[2].unpack().unwrap();
    let violation = &bad.field_violations[0];
    assert_eq!(
        (violation.field.as_str(), violation.description.as_str()),
        ("a||b", message)
    );

    let query = QueryStateRequest {
        store_name: "s".to_owned(),
        ..QueryStateRequest::default()
    };
    let status = runtime.client().query_state_alpha1(query).await.unwrap_err();
    let expected = (Code::Internal, "state store does not support querying");
    assert_eq!((status.code(), status.message()), expected);
    assert_eq!(rich(&status).details.len(), 2);
    let transaction = ExecuteStateTransactionRequest {
        store_name: "none".to_owned(),
        ..ExecuteStateTransactionRequest::default()
    };
    let status = runtime
        .client()
        .execute_state_transaction(transaction)
        .await
        .unwrap_err();
    assert_eq!(status.message(), "state store none is not found");
}

#[tokio::test]
async fn publish_errors_have_code_message_and_details() {
    let runtime = Runtime::alone(&component("p", "pubsub.in-memory")).await;
    let publish = |pubsub: &str, topic: &str, raw: &str| PublishEventRequest {
        pubsub_name: pubsub.to_owned(),
        topic: topic.to_owned(),
        metadata: HashMap::from([("rawPayload".to_owned(), raw.to_owned())]),
        ..PublishEventRequest::default()
    };
    let cases = [
        (
            publish("", "t", "true"),
            "pubsub name is empty",
            "DAPR_PUBSUB_NAME_EMPTY",
            2,
        ),
        (
            publish("x", "t", "true"),
            "pubsub x is not found",
            "DAPR_PUBSUB_NOT_FOUND",
            1,
        ),
        (
            publish("p", "", "true"),
            "topic is empty in pubsub p",
            "DAPR_PUBSUB_TOPIC_NAME_EMPTY",
            2,
        ),
        (
            publish("p", "t", "maybe"),
            "failed deserializing metadata. Error: rawPayload value must be a valid boolean: actual is 'maybe'",
            "DAPR_PUBSUB_METADATA_DESERIALIZATION",
            2,
        ),
    ];
    for (request, message, reason, details) in cases {
        let status = runtime.client().publish_event(request).await.unwrap_err();
        assert_eq!(
            (status.code(), status.message()),
            (Code::InvalidArgument, message)
        );
        assert_eq!(
            (info(&status).reason.as_str(), rich(&status).details.len()),
            (reason, details)
        );
        assert_eq!(
            info(&status).metadata.is_empty(),
            !reason.ends_with("DESERIALIZATION"),
            "{reason}"
        );
    }
    let bulk = BulkPublishRequest {
        pubsub_name: "p".to_owned(),
        topic: "t".to_owned(),
        entries: vec![BulkPublishRequestEntry::default()],
        metadata: HashMap::new(),
    };
    let status = runtime.client().bulk_publish_event(bulk).await.unwrap_err();
    assert_eq!(
        status.message(),
        "error marshaling events to bytes for topic t pubsub p. error: entryId is duplicated or not present for entry"
    );
}

/// The methods that are built, by name.
const BUILT: [&str; 16] = [
    "InvokeService",
    "GetState",
    "GetBulkState",
    "SaveState",
    "DeleteState",
    "DeleteBulkState",
    "ExecuteStateTransaction",
    "QueryStateAlpha1",
    "PublishEvent",
    "BulkPublishEvent",
    "BulkPublishEventAlpha1",
    "GetSecret",
    "GetBulkSecret",
    "GetMetadata",
    "SetMetadata",
    "Shutdown",
];

/// Calls a method with an empty message and gives its status.
async fn call(runtime: &Runtime, path: &str) -> Status {
    let request = http::Request::post(path)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::from(vec![0; 5]))
        .unwrap();
    let response = tower_service::Service::call(&mut runtime.channel(), request)
        .await
        .unwrap();
    if let Some(status) = Status::from_header_map(response.headers()) {
        return status;
    }
    let collected = BodyExt::collect(response.into_body()).await.unwrap();
    let trailers = collected.trailers().cloned().unwrap_or_default();
    Status::from_header_map(&trailers).unwrap()
}

#[tokio::test]
async fn every_method_is_built_or_names_its_block() {
    let runtime = Runtime::alone("").await;
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let services = set.file.iter().flat_map(|file| &file.service);
    let dapr = services
        .into_iter()
        .find(|service| service.name() == "Dapr")
        .unwrap();
    let mut blocks = HashSet::new();
    for method in &dapr.method {
        let status = call(
            &runtime,
            &format!("/dapr.proto.runtime.v1.Dapr/{}", method.name()),
        )
        .await;
        let unbuilt = status
            .message()
            .strip_suffix(" building block is not built into this version of Outrigger");
        match unbuilt.and_then(|rest| rest.strip_prefix("the ")) {
            Some(block) => {
                assert_eq!(status.code(), Code::Unimplemented);
                assert!(!BUILT.contains(&method.name()), "{}", method.name());
                blocks.insert(block.to_owned());
            }
            None => assert!(BUILT.contains(&method.name()), "{}: {status}", method.name()),
        }
    }
    assert_eq!(blocks.len(), 12, "{blocks:?}");
    let status = call(&runtime, "/TaskHubSidecarService/Hello").await;
    assert_eq!(
        (status.code(), status.message()),
        (
            Code::Unimplemented,
            "the workflow building block is not built into this version of Outrigger"
        )
    );
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_in_the_words_of_the_peers() {
    let runtime = Runtime::alone(&component("s", "state.in-memory")).await;
    let request = SaveStateRequest {
        store_name: "s".to_owned(),
        states: vec![StateItem {
            key: "k".to_owned(),
            value: vec![0; MAX_BODY].into(),
            ..StateItem::default()
        }],
    };
    let size = request.encoded_len();
    let status = runtime.client().save_state(request).await.unwrap_err();
    let message = format!("grpc: received message larger than max ({size} vs. 65536)");
    assert_eq!(
        (status.code(), status.message()),
        (Code::ResourceExhausted, message.as_str())
    );
}
