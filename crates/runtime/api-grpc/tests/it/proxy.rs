//! Calls of services that no sidecar knows pass through: all four kinds, at home and behind a peer.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use outrigger_base_task::TaskSet;
use outrigger_transport::client::Http2Channel;
use outrigger_wire_proto::common::StreamPayload;
use tonic::{Code, Request, Response, Status, Streaming, client::Grpc};
use tonic_prost::ProstCodec;

use crate::{
    echo::{Echo, payload},
    rig::{Directory, Runtime, app_settings},
};

/// Time within which something that should happen does.
const SOON: Duration = Duration::from_secs(10);

struct Mesh {
    caller: Runtime,
    callee: Runtime,
    echo: Echo,
    apps: TaskSet,
}

impl Mesh {
    async fn start() -> Self {
        let (apps, directory, echo) = (TaskSet::new("apps"), Directory::default(), Echo::default());
        let app = app_settings(echo.clone().serve(&apps), "grpc");
        let options = Default::default;
        Self {
            callee: Runtime::start("callee", Some(app), "", &directory, options()).await,
            caller: Runtime::start("caller", None, "", &directory, options()).await,
            echo,
            apps,
        }
    }

    fn both(&self) -> [&Runtime; 2] {
        [&self.callee, &self.caller]
    }
}

fn request<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request
        .metadata_mut()
        .insert("dapr-app-id", "callee".parse().unwrap());
    request.metadata_mut().insert("x-mine", "me".parse().unwrap());
    request
}

async fn ready(runtime: &Runtime) -> (Grpc<Http2Channel>, ProstCodec<StreamPayload, StreamPayload>) {
    let mut client = Grpc::new(runtime.channel());
    client.ready().await.unwrap();
    (client, ProstCodec::default())
}

async fn unary(runtime: &Runtime, seq: u64) -> Result<Response<StreamPayload>, Status> {
    let (mut client, codec) = ready(runtime).await;
    client
        .unary(request(payload(seq)), "/echo.Echo/Unary".parse().unwrap(), codec)
        .await
}

async fn count(runtime: &Runtime, seq: u64) -> Streaming<StreamPayload> {
    let (mut client, codec) = ready(runtime).await;
    let path = "/echo.Echo/Count".parse().unwrap();
    let response = client.server_streaming(request(payload(seq)), path, codec).await;
    response.unwrap().into_inner()
}

#[tokio::test]
async fn unary_calls_pass_with_metadata_and_status() {
    let mesh = Mesh::start().await;
    for (runtime, id) in [(&mesh.callee, "callee"), (&mesh.caller, "caller")] {
        let response = unary(runtime, 7).await.unwrap();
        assert_eq!(response.get_ref(), &payload(7));
        let value = |name| response.metadata().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(value("x-mine"), Some("me"));
        assert_eq!(value("dapr-api-token"), Some("app-token"));
        assert_eq!(value("dapr-caller-app-id"), Some(id));
        assert_eq!(value("dapr-callee-app-id"), Some("callee"));
        let status = unary(runtime, 99).await.unwrap_err();
        assert_eq!(
            (status.code(), status.message(), status.details()),
            (Code::DataLoss, "lost", &[8, 15][..])
        );
    }
}

/// Waits until a line is among the metrics: a call counts when its answer has gone out.
async fn counts(runtime: &Runtime, line: &str) {
    let until = async {
        while !runtime.metrics.render().contains(line) {
            tokio::task::yield_now().await;
        }
    };
    let counted = tokio::time::timeout(SOON, until).await;
    assert!(
        counted.is_ok(),
        "{line} is missing in\n{}",
        runtime.metrics.render()
    );
}

#[tokio::test]
async fn a_call_counts_where_it_comes_in_and_where_it_goes_out() {
    let mesh = Mesh::start().await;
    unary(&mesh.caller, 7).await.unwrap();
    unary(&mesh.caller, 99).await.unwrap_err();
    for status in ["OK", "DataLoss"] {
        let labels = format!(
            "app_id=\"caller\",grpc_server_method=\"/echo.Echo/Unary\",grpc_server_status=\"{status}\""
        );
        let served = format!("dapr_grpc_io_server_completed_rpcs{{{labels}}} 1\n");
        counts(&mesh.caller, &served).await;
        let labels = format!(
            "app_id=\"callee\",grpc_client_method=\"/echo.Echo/Unary\",grpc_client_status=\"{status}\""
        );
        let called = format!("dapr_grpc_io_client_completed_rpcs{{{labels}}} 1\n");
        counts(&mesh.callee, &called).await;
        let latency = format!("dapr_grpc_io_client_roundtrip_latency_count{{{labels}}} 1\n");
        counts(&mesh.callee, &latency).await;
    }
}

#[tokio::test]
async fn streams_pass_both_ways() {
    let mesh = Mesh::start().await;
    for runtime in mesh.both() {
        let (mut client, codec) = ready(runtime).await;
        let numbers = request(stream::iter((1..=4).map(payload)));
        let path = "/echo.Echo/Sum".parse().unwrap();
        let sum = client.client_streaming(numbers, path, codec).await.unwrap();
        assert_eq!(sum.into_inner().seq, 10);

        let counted: Vec<_> = count(runtime, 5)
            .await
            .map(|message| message.unwrap().seq)
            .collect()
            .await;
        assert_eq!(counted, [0, 1, 2, 3, 4]);

        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        let (mut client, codec) = ready(runtime).await;
        let path = "/echo.Echo/Chat".parse().unwrap();
        let talk = request(tokio_stream::wrappers::ReceiverStream::new(receiver));
        sender.send(payload(0)).await.unwrap();
        let mut answers = client.streaming(talk, path, codec).await.unwrap().into_inner();
        for seq in 0..3 {
            // The next is said only when the last was heard: nothing on the way waits for more.
            assert_eq!(answers.message().await.unwrap(), Some(payload(seq)));
            sender.send(payload(seq + 1)).await.unwrap();
        }
        drop(sender);
        assert_eq!(answers.message().await.unwrap(), Some(payload(3)));
        assert_eq!(answers.message().await.unwrap(), None);
    }
}

#[tokio::test]
async fn an_error_after_messages_comes_after_them() {
    let mesh = Mesh::start().await;
    for runtime in mesh.both() {
        let mut answers = count(runtime, 3).await;
        for seq in 0..3 {
            assert_eq!(answers.message().await.unwrap(), Some(payload(seq)));
        }
        let status = answers.message().await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Aborted, "enough"));
    }
}

#[tokio::test]
async fn a_caller_that_leaves_is_gone_for_the_app() {
    let mesh = Mesh::start().await;
    let mut answers = count(&mesh.caller, 0).await;
    assert_eq!(answers.message().await.unwrap(), Some(payload(0)));
    assert!(!mesh.echo.gone.is_stopped());
    drop(answers);
    tokio::time::timeout(SOON, mesh.echo.gone.stopped())
        .await
        .unwrap();
}

#[tokio::test]
async fn an_app_that_dies_is_an_error_for_the_caller() {
    let mesh = Mesh::start().await;
    for runtime in mesh.both() {
        unary(runtime, 1).await.unwrap();
    }
    let mut waiting = Vec::new();
    for runtime in mesh.both() {
        let mut answers = count(runtime, 0).await;
        assert_eq!(answers.message().await.unwrap(), Some(payload(0)));
        waiting.push(answers);
    }
    mesh.apps.stop();
    for mut answers in waiting {
        let end = tokio::time::timeout(SOON, answers.message()).await.unwrap();
        assert!(end.is_err(), "a cut stream ended as if it were whole");
    }
}

#[tokio::test]
async fn a_call_that_names_no_app_or_none_that_is_there_is_refused() {
    let mesh = Mesh::start().await;
    let (mut client, codec) = ready(&mesh.caller).await;
    let nobody = Request::new(payload(1));
    let status = client
        .unary(nobody, "/echo.Echo/Unary".parse().unwrap(), codec)
        .await
        .unwrap_err();
    let message = "failed to proxy request: required metadata dapr-callee-app-id or dapr-app-id not found";
    assert_eq!(status.message(), message);
    let (mut client, codec) = ready(&mesh.caller).await;
    let mut other = Request::new(payload(1));
    other
        .metadata_mut()
        .insert("dapr-app-id", "other".parse().unwrap());
    let status = client
        .unary(other, "/echo.Echo/Unary".parse().unwrap(), codec)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("other"), "{status}");
}
