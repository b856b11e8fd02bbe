//! What stands before an invocation's answer on the wire, and what behind it: generated clients show both as one.

use bytes::{BufMut, BytesMut};
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use outrigger_base_task::TaskSet;
use outrigger_transport::Body;
use outrigger_wire_proto::{
    common::{HttpExtension, InvokeRequest, http_extension::Verb},
    runtime::InvokeServiceRequest,
};
use prost::Message;

use crate::{
    app,
    rig::{Directory, Runtime, app_settings},
};

/// Calls a method of the runtime's own app: the head, the bytes of the body, and what stands behind it.
async fn invoke(runtime: &Runtime, id: &str, method: &str) -> (HeaderMap, usize, HeaderMap) {
    let message = InvokeServiceRequest {
        id: id.to_owned(),
        message: Some(InvokeRequest {
            method: method.to_owned(),
            http_extension: Some(HttpExtension {
                verb: Verb::Get.into(),
                querystring: String::new(),
            }),
            ..InvokeRequest::default()
        }),
    };
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.encoded_len()).unwrap());
    message.encode(&mut framed).unwrap();
    let channel = runtime.channel();
    let uri = channel
        .absolute("/dapr.proto.runtime.v1.Dapr/InvokeService")
        .unwrap();
    let request = Request::post(uri)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::from(framed.freeze()))
        .unwrap();
    let (head, body) = channel.send(request).await.unwrap().into_parts();
    let body = BodyExt::collect(body).await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    (head.headers, body.to_bytes().len(), trailers)
}

#[tokio::test]
async fn headers_of_an_http_app_come_before_its_answer_and_the_status_behind() {
    let tasks = TaskSet::new("apps");
    let app = app_settings(app::http(&tasks), "http");
    let runtime = Runtime::start("app", Some(app), "", &Directory::default(), Default::default()).await;
    for (method, http, grpc) in [
        ("m/201", "201", "0"),
        ("m/404", "404", "5"),
        ("m/302", "302", "2"),
    ] {
        let (head, size, trailers) = invoke(&runtime, "app", method).await;
        assert_eq!(head["dapr-http-status"], http);
        assert_eq!(head["x-app"], "1");
        assert_eq!(head["dapr-via"], "v");
        assert_eq!(head["content-type"], "application/grpc");
        // They told of the app's message, which is not this one.
        assert!(!head.contains_key("dapr-content-length") && !head.contains_key("dapr-date"));
        assert!(!head.contains_key("grpc-status"), "{head:?}");
        assert_eq!(trailers["grpc-status"], grpc);
        assert!(!trailers.contains_key("x-app"), "{trailers:?}");
        let failed = grpc != "0";
        assert_eq!(trailers.contains_key("grpc-message"), failed);
        assert_eq!(trailers.contains_key("grpc-status-details-bin"), failed);
        assert_eq!(size == 0, failed);
    }
}

#[tokio::test]
async fn an_error_of_the_runtime_is_all_there_is_of_its_answer() {
    let runtime = Runtime::alone("").await;
    let (head, size, trailers) = invoke(&runtime, "nobody", "m").await;
    assert_eq!((&head["grpc-status"], size), (&"13".parse().unwrap(), 0));
    assert!(trailers.is_empty());
}
