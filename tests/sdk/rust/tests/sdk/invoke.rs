//! Invocation from one sidecar to another, of an app over gRPC, and of the SDK's server over HTTP.

use dapr::dapr::proto::common::v1::http_extension::Verb;
use dapr::dapr::proto::common::v1::{HttpExtension, InvokeRequest};
use dapr::dapr::proto::runtime::v1::InvokeServiceRequest;
use dapr::server::DaprHttpServer;
use outrigger_sdk_tests::{App, AppServer, Mesh, free_port, patient};
use prost_types::Any;
use tonic::Code;

use crate::is_code;

fn any(text: &str) -> Option<Any> {
    Some(Any {
        type_url: String::new(),
        value: text.as_bytes().to_vec(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grpc_app_is_called() {
    let mesh = Mesh::default();
    let _app = AppServer::start(&mesh, "rust-grpc", App::default()).await;
    let caller = mesh.start("rust-caller");
    let mut client = caller.client().await;
    let answer = patient(client.invoke_service("rust-grpc", "echo", any("hello")))
        .await
        .unwrap();
    assert_eq!(answer.data.unwrap().value, b"<hello>");

    let message = InvokeRequest {
        method: "echo".into(),
        data: any("typed"),
        content_type: "text/plain".into(),
        ..Default::default()
    };
    let request = InvokeServiceRequest {
        id: "rust-grpc".into(),
        message: Some(message),
    };
    let answer = patient(caller.raw_client().await.invoke_service(request))
        .await
        .unwrap();
    assert_eq!(answer.metadata().get("x-caller").unwrap(), "rust-caller");
    assert_eq!(answer.get_ref().content_type, "text/plain");
    assert_eq!(answer.into_inner().data.unwrap().value, b"<typed>");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_apps_own_status_reaches_the_caller() {
    let mesh = Mesh::default();
    let _app = AppServer::start(&mesh, "rust-grpc", App::default()).await;
    let caller = mesh.start("rust-caller");
    let error = patient(
        caller
            .client()
            .await
            .invoke_service("rust-grpc", "other", any("")),
    )
    .await
    .unwrap_err();
    assert!(is_code(&error, Code::FailedPrecondition), "{error:?}");
    assert!(format!("{error:?}").contains("not today"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_not_there() {
    let mesh = Mesh::default();
    let caller = mesh.start("rust-caller");
    let error = patient(caller.client().await.invoke_service("nobody", "echo", any("")))
        .await
        .unwrap_err();
    assert!(
        is_code(&error, Code::Internal) || is_code(&error, Code::Unavailable),
        "{error:?}"
    );
}

/// The SDK's server over HTTP carries actors only; what it answers to others is its health and its own 404.
#[tokio::test(flavor = "multi_thread")]
async fn the_sdks_http_server_is_an_app() {
    let mesh = Mesh::default();
    let port = free_port();
    // The server wants the sidecar's gRPC port first, and the sidecar is ready once the server is.
    let sidecar = mesh.spawn_beside("rust-http", port, "http");
    let mut server = patient(DaprHttpServer::with_dapr_port(sidecar.grpc_port)).await;
    let serving =
        tokio::spawn(async move { server.start(Some(port)).await.map_err(|error| error.to_string()) });
    let sidecar = sidecar.ready();
    let caller = mesh.start("rust-caller");

    assert_eq!(
        caller.get("/v1.0/invoke/rust-http/method/healthz").unwrap().0,
        200
    );
    let (status, body) = caller.get("/v1.0/invoke/rust-http/method/none").unwrap();
    assert_eq!(
        (status, body.contains("could not be found")),
        (404, true),
        "{body}"
    );
    let over_grpc = async |method: &str| {
        let message = InvokeRequest {
            method: method.into(),
            http_extension: Some(HttpExtension {
                verb: Verb::Get.into(),
                querystring: String::new(),
            }),
            ..Default::default()
        };
        let request = InvokeServiceRequest {
            id: "rust-http".into(),
            message: Some(message),
        };
        patient(caller.raw_client().await.invoke_service(request)).await
    };
    over_grpc("healthz").await.unwrap();
    assert_eq!(over_grpc("none").await.unwrap_err().code(), Code::NotFound);
    drop(sidecar);
    serving.abort();
}
