//! What the generated code promises: bytes on the wire, no copies, no secrets in `Debug`, stubs, descriptors.

use std::collections::HashMap;

use bytes::Bytes;
use outrigger_wire_proto::common::state_options::{StateConcurrency, StateConsistency};
use outrigger_wire_proto::runtime::dapr_server::{Dapr, DaprServer};
use outrigger_wire_proto::{Any, FILE_DESCRIPTOR_SET, UnpackError, common, internals, rpc, runtime};
use prost::{Message as _, Name as _};
use prost_types::{FileDescriptorProto, FileDescriptorSet};

/// Bytes made by the protobuf library and the published contracts of another language.
#[test]
fn messages_have_the_bytes_of_other_languages() {
    let start = runtime::StartWorkflowRequest {
        instance_id: "i".into(),
        workflow_component: "dapr".into(),
        workflow_name: "n".into(),
        options: HashMap::from([("k".into(), "v".into())]),
        input: Bytes::from_static(b"x"),
        app_id: Some("b".into()),
    };
    assert_eq!(
        start.encode_to_vec(),
        b"\n\x01i\x12\x04dapr\x1a\x01n\"\x06\n\x01k\x12\x01v*\x01x2\x01b"
    );

    let item = common::StateItem {
        key: "k".into(),
        value: Bytes::from_static(b"\x00\xff"),
        etag: Some(common::Etag { value: "1".into() }),
        metadata: HashMap::from([("ttlInSeconds".into(), "5".into())]),
        options: Some(common::StateOptions {
            concurrency: StateConcurrency::ConcurrencyFirstWrite.into(),
            consistency: StateConsistency::ConsistencyStrong.into(),
        }),
    };
    let save = runtime::SaveStateRequest {
        store_name: "s".into(),
        states: vec![item],
    };
    let expected = b"\n\x01s\x12%\n\x01k\x12\x02\x00\xff\x1a\x03\n\x011\"\x11\n\x0cttlInSeconds\x12\x015*\x04\x08\x01\x10\x02";
    assert_eq!(save.encode_to_vec(), expected);
    assert_eq!(runtime::SaveStateRequest::decode(expected.as_slice()), Ok(save));
}

/// An `optional` that is present with its default value is written, unlike a plain field.
#[test]
fn optional_fields_keep_their_presence() {
    let policy = common::JobFailurePolicy {
        policy: Some(common::job_failure_policy::Policy::Constant(
            common::JobFailurePolicyConstant {
                interval: None,
                max_retries: Some(0),
            },
        )),
    };
    let reminder = runtime::RegisterActorReminderRequest {
        actor_type: "t".into(),
        actor_id: "i".into(),
        name: "n".into(),
        overwrite: Some(false),
        failure_policy: Some(policy),
        ..runtime::RegisterActorReminderRequest::default()
    };
    assert_eq!(
        reminder.encode_to_vec(),
        b"\n\x01t\x12\x01i\x1a\x01n@\x00J\x04\x12\x02\x10\x00"
    );
}

#[test]
fn a_decoded_body_shares_the_memory_of_its_frame() {
    let request = internals::InternalInvokeRequest {
        message: Some(common::InvokeRequest {
            data: Some(Any::raw(vec![7_u8; 1024])),
            ..common::InvokeRequest::default()
        }),
        ..internals::InternalInvokeRequest::default()
    };
    let frame = Bytes::from(request.encode_to_vec());
    let decoded = internals::InternalInvokeRequest::decode(frame.clone()).expect("own bytes decode");
    let data = decoded
        .message
        .and_then(|message| message.data)
        .expect("data is present")
        .value;
    assert_eq!(data.len(), 1024);
    assert!(frame.as_ptr_range().contains(&data.as_ptr()));
}

#[test]
fn any_packs_and_unpacks() {
    let info = rpc::ErrorInfo {
        reason: "DAPR_STATE_NOT_FOUND".into(),
        domain: "dapr.io".into(),
        ..rpc::ErrorInfo::default()
    };
    let any = Any::pack(&info);
    assert_eq!(any.type_url, "type.googleapis.com/google.rpc.ErrorInfo");
    assert_eq!(any.unpack::<rpc::ErrorInfo>(), Ok(info));
    assert!(!any.is::<rpc::Help>());
    let wrong = any.unpack::<rpc::Help>().expect_err("holds another message");
    assert_eq!(
        wrong.to_string(),
        "expected a google.rpc.Help inside Any, found type URL \"type.googleapis.com/google.rpc.ErrorInfo\""
    );

    let value = Any::pack(&Bytes::from_static(b"raw"));
    assert_eq!(value.type_url, "type.googleapis.com/google.protobuf.BytesValue");
    assert_eq!(value.unpack::<Bytes>(), Ok(Bytes::from_static(b"raw")));
}

#[test]
fn any_refuses_damaged_and_untyped_content() {
    let type_url = "type.googleapis.com/google.rpc.ErrorInfo".to_owned();
    let damaged = Any {
        type_url,
        value: Bytes::from_static(&[0x0a, 0xff]),
    };
    assert!(matches!(
        damaged.unpack::<rpc::ErrorInfo>(),
        Err(UnpackError::Decode { .. })
    ));
    assert!(matches!(
        Any::raw("text").unpack::<rpc::ErrorInfo>(),
        Err(UnpackError::Type { .. })
    ));
}

#[test]
fn nested_messages_have_their_full_name() {
    assert_eq!(
        rpc::bad_request::FieldViolation::full_name(),
        "google.rpc.BadRequest.FieldViolation"
    );
}

#[test]
fn debug_never_shows_secrets_or_payloads() {
    let secret = runtime::SecretResponse {
        secrets: HashMap::from([("user".into(), "hunter2".into())]),
    };
    let bulk = runtime::GetBulkSecretResponse {
        data: HashMap::from([("db".into(), secret)]),
    };
    let one = runtime::GetSecretResponse {
        data: HashMap::from([("user".into(), "hunter2".into())]),
    };
    let payload = common::StreamPayload {
        data: Bytes::from_static(b"hunter2"),
        seq: 4,
    };
    let chunk = runtime::DecryptResponse {
        payload: Some(payload),
    };
    let wrap = runtime::SubtleWrapKeyRequest {
        plaintext_key: Bytes::from_static(b"hunter2"),
        ..Default::default()
    };
    let unwrapped = runtime::SubtleUnwrapKeyResponse {
        plaintext_key: Bytes::from_static(b"hunter2"),
    };
    let encrypt = runtime::SubtleEncryptRequest {
        plaintext: Bytes::from_static(b"hunter2"),
        ..Default::default()
    };
    let decrypted = runtime::SubtleDecryptResponse {
        plaintext: Bytes::from_static(b"hunter2"),
    };

    let shown = format!("{bulk:?} {one:?} {chunk:?} {wrap:?} {unwrapped:?} {encrypt:?} {decrypted:?}");

    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(
        shown.contains(r#""db": SecretResponse { keys: ["user"], .. }"#),
        "{shown}"
    );
    assert!(
        shown.contains("StreamPayload { data: <7 bytes>, seq: 4 }"),
        "{shown}"
    );
}

/// Implements nothing: every method is the generated stub.
struct Empty;

#[tonic::async_trait]
impl Dapr for Empty {}

#[tokio::test]
async fn methods_without_a_room_answer_unimplemented() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("bound");
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    let server = tonic::transport::Server::builder().add_service(DaprServer::new(Empty));
    let serve = server.serve_with_incoming(incoming);
    let call = async {
        let url = format!("http://{address}");
        let mut client = runtime::dapr_client::DaprClient::connect(url)
            .await
            .expect("connects");
        let unary = client
            .get_state(runtime::GetStateRequest::default())
            .await
            .expect_err("a stub");
        let requests = tokio_stream::empty::<runtime::SubscribeTopicEventsRequestAlpha1>();
        let stream = client
            .subscribe_topic_events_alpha1(requests)
            .await
            .expect_err("a stub");
        [unary.code(), stream.code()]
    };
    let codes = tokio::select! {
        codes = call => codes,
        ended = serve => panic!("the server ended before the call: {ended:?}"),
    };
    assert_eq!(codes, [tonic::Code::Unimplemented; 2]);
}

#[test]
fn descriptors_hold_every_service_and_close_over_their_imports() {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("descriptors decode");
    let mut services: Vec<_> = set
        .file
        .iter()
        .flat_map(|file| {
            file.service
                .iter()
                .map(|service| (file.package(), service.name(), service.method.len()))
        })
        .collect();
    services.sort_unstable();
    assert_eq!(
        services,
        [
            ("dapr.proto.internals.v1", "ServiceInvocation", 5),
            ("dapr.proto.runtime.v1", "AppCallback", 7),
            ("dapr.proto.runtime.v1", "AppCallbackAlpha", 2),
            ("dapr.proto.runtime.v1", "AppCallbackHealthCheck", 1),
            ("dapr.proto.runtime.v1", "Dapr", 94),
        ]
    );
    let names: Vec<_> = set.file.iter().map(FileDescriptorProto::name).collect();
    for import in set.file.iter().flat_map(|file| &file.dependency) {
        assert!(
            names.contains(&import.as_str()),
            "{import} is imported and not in the set"
        );
    }
}
