//! `InvokeService`: apps of both kinds, at home and behind a peer.

use outrigger_base_task::TaskSet;
use outrigger_wire_proto::{
    Any,
    common::{HttpExtension, InvokeRequest, InvokeResponse, http_extension::Verb},
    rpc,
    runtime::InvokeServiceRequest,
};
use prost::Message;
use tonic::{Code, Response, Status};

use crate::{
    app,
    rig::{Directory, Runtime, app_settings},
};

async fn invoke(runtime: &Runtime, id: &str, method: &str) -> Result<Response<InvokeResponse>, Status> {
    let mut request = tonic::Request::new(InvokeServiceRequest {
        id: id.to_owned(),
        message: Some(InvokeRequest {
            method: method.to_owned(),
            data: Some(Any {
                type_url: "my/type".to_owned(),
                value: "ping".into(),
            }),
            content_type: "text/x".to_owned(),
            http_extension: Some(HttpExtension {
                verb: Verb::Put.into(),
                querystring: "q=1".to_owned(),
            }),
        }),
    });
    request.metadata_mut().insert("x-mine", "me".parse().unwrap());
    runtime.client().invoke_service(request).await
}

/// The caller's runtime, and the callee's, which both know.
async fn pair(port: u16, protocol: &str) -> (Runtime, Runtime) {
    let directory = Directory::default();
    let options = Default::default;
    let callee = app_settings(port, protocol);
    let callee = Runtime::start("callee", Some(callee), "", &directory, options()).await;
    (
        Runtime::start("caller", None, "", &directory, options()).await,
        callee,
    )
}

#[tokio::test]
async fn a_grpc_app_gets_the_message_and_its_answer_comes_back_whole() {
    let tasks = TaskSet::new("apps");
    let (caller, callee) = pair(app::grpc(&tasks), "grpc").await;
    // At home first: then over the peer's pass-through.
    for runtime in [&callee, &caller] {
        let response = invoke(runtime, "callee", "a b/%c").await.unwrap();
        assert_eq!(response.metadata().get("x-app").unwrap(), "1");
        assert!(response.metadata().get("dapr-http-status").is_none());
        assert!(response.metadata().get("outrigger-app-status").is_none());
        // The answer is the app's: spans of the runtime are not told in it.
        assert!(response.metadata().get_bin("grpc-trace-bin").is_none());
        let message = response.into_inner();
        let data = message.data.unwrap();
        let id = if std::ptr::eq(runtime, &raw const callee) {
            "callee"
        } else {
            "caller"
        };
        assert_eq!(data.value, format!("a b/%c q=1 ping me {id} app-token"));
        assert_eq!(data.type_url, "my/type");
    }
}

#[tokio::test]
async fn an_error_of_a_grpc_app_comes_back_as_it_was() {
    let tasks = TaskSet::new("apps");
    let (caller, callee) = pair(app::grpc(&tasks), "grpc").await;
    for runtime in [&callee, &caller] {
        let status = invoke(runtime, "callee", "fail").await.unwrap_err();
        assert_eq!(
            (status.code(), status.message()),
            (Code::NotFound, "no such thing")
        );
        assert_eq!(status.details(), app::details());
        assert_eq!(status.metadata().get("x-app").unwrap(), "1");
    }
}

#[tokio::test]
async fn an_http_app_answers_with_its_status_in_metadata() {
    let tasks = TaskSet::new("apps");
    let (caller, callee) = pair(app::http(&tasks), "http").await;
    for runtime in [&callee, &caller] {
        let response = invoke(runtime, "callee", "m/201").await.unwrap();
        let metadata = response.metadata();
        assert_eq!(metadata.get("dapr-http-status").unwrap(), "201");
        assert_eq!(metadata.get("x-app").unwrap(), "1");
        assert_eq!(metadata.get("dapr-via").unwrap(), "v");
        // Trailers have no way back to the caller.
        assert_eq!(metadata.get("x-takes-trailers").unwrap(), "false");
        let message = response.into_inner();
        assert_eq!(message.content_type, "text/plain");
        assert_eq!(message.data.unwrap().value, "PUT /m/201?q=1 me");

        let status = invoke(runtime, "callee", "m/503").await.unwrap_err();
        assert_eq!(
            (status.code(), status.message()),
            (Code::Unavailable, "Service Unavailable")
        );
        assert_eq!(status.metadata().get("dapr-http-status").unwrap(), "503");
        let rich = rpc::Status::decode(status.details()).unwrap();
        let info: rpc::ErrorInfo = rich.details[0].unpack().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("Service Unavailable", "dapr.io")
        );
        assert_eq!(info.metadata["http.code"], "503");
        assert_eq!(info.metadata["http.error_message"], "PUT /m/503?q=1 me");
    }
}

/// What the HTTP app was told of its caller, by header.
async fn told(runtime: &Runtime, id: &str) -> Vec<(String, String)> {
    let data = invoke(runtime, id, "m/told").await.unwrap().into_inner().data;
    let text = String::from_utf8(data.unwrap().value.to_vec()).unwrap();
    let lines = text.lines().map(|line| line.split_once(": ").unwrap());
    lines
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[tokio::test]
async fn a_runtime_without_a_namespace_is_in_the_default_one() {
    let tasks = TaskSet::new("apps");
    let (caller, callee) = pair(app::http(&tasks), "http").await;
    for (runtime, id) in [(&callee, "callee"), (&caller, "caller")] {
        for name in ["callee", "callee.default"] {
            let told = told(runtime, name).await;
            let said = |name: &str, value: &str| told.contains(&(name.to_owned(), value.to_owned()));
            assert!(said("dapr-caller-namespace", "default"), "{told:?}");
            assert!(said("dapr-caller-app-id", id), "{told:?}");
            assert!(said("dapr-callee-app-id", "callee"), "{told:?}");
        }
        let status = invoke(runtime, "callee.other", "m").await.unwrap_err();
        assert_eq!(status.code(), Code::Internal);
    }
}

#[tokio::test]
async fn only_a_call_that_leaves_its_runtime_says_where_it_came_from() {
    let tasks = TaskSet::new("apps");
    let (caller, callee) = pair(app::http(&tasks), "http").await;
    for (runtime, origin) in [
        (&callee, vec![]),
        (
            &caller,
            vec![
                ("x-forwarded-for", "127.0.0.1"),
                ("x-forwarded-host", "host"),
                ("forwarded", "for=127.0.0.1;by=127.0.0.1;host=host"),
            ],
        ),
    ] {
        let mut told = told(runtime, "callee").await;
        // The app is not told its own id in both forms.
        told.retain(|(name, _)| !name.starts_with("dapr-"));
        let told: Vec<_> = told
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(told, origin);
    }
}

#[tokio::test]
async fn what_cannot_be_called_is_an_error_of_the_runtime() {
    let runtime = Runtime::alone("").await;
    let status = invoke(&runtime, "nobody", "m").await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert!(
        status
            .message()
            .starts_with("failed to invoke, id: nobody, err: "),
        "{status}"
    );
    let status = invoke(&runtime, "nobody", "a?b").await.unwrap_err();
    assert!(status.message().contains("invalid method"), "{status}");
    let status = invoke(&runtime, "alone", "m").await.unwrap_err();
    assert!(
        status.message().contains("app channel is not initialized"),
        "{status}"
    );
}
