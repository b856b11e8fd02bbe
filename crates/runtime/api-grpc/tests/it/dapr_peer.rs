//! Invocations between us and a sidecar of Dapr's, in its internal protocol.

use std::{collections::HashMap, pin::Pin};

use futures_util::{Stream, StreamExt, stream};
use outrigger_base_task::TaskSet;
use outrigger_wire_proto::{
    Any,
    common::{HttpExtension, InvokeRequest, InvokeResponse, http_extension::Verb},
    internals::{
        InternalInvokeRequest, InternalInvokeRequestStream, InternalInvokeResponse,
        InternalInvokeResponseStream, Status as AppStatus,
        service_invocation_client::ServiceInvocationClient,
        service_invocation_server::{ServiceInvocation, ServiceInvocationServer},
    },
    runtime::InvokeServiceRequest,
};
use tonic::{Code, Request, Response, Status, Streaming};

use crate::{
    app::{self, Boxed},
    rig::{Directory, Runtime, app_settings, serve},
};

fn message(method: &str) -> InvokeRequest {
    InvokeRequest {
        method: method.to_owned(),
        data: Some(Any {
            type_url: "my/type".to_owned(),
            value: "ping".into(),
        }),
        content_type: "text/x".to_owned(),
        http_extension: Some(HttpExtension {
            verb: Verb::Post.into(),
            querystring: "q=1".to_owned(),
        }),
    }
}

#[tokio::test]
async fn daprs_sidecar_calls_a_grpc_app_of_ours() {
    let (tasks, directory) = (TaskSet::new("apps"), Directory::default());
    let app = app_settings(app::grpc(&tasks), "grpc");
    let callee = Runtime::start("callee", Some(app), "", &directory, Default::default()).await;
    let mut client = ServiceInvocationClient::new(callee.internal_channel(&directory));
    let ask = |method: &str| InternalInvokeRequest {
        message: Some(message(method)),
        ..InternalInvokeRequest::default()
    };
    let answer = client.call_local(ask("a b/%c")).await.unwrap().into_inner();
    assert_eq!(answer.status.unwrap().code, 0);
    let data = answer.message.unwrap().data.unwrap();
    assert_eq!(data.value, "a b/%c q=1 ping - - app-token");
    assert_eq!(answer.headers["x-app"].values, ["1"]);
    let answer = client.call_local(ask("fail")).await.unwrap().into_inner();
    let status = answer.status.unwrap();
    assert_eq!(
        (status.code, status.message.as_str(), status.details.len()),
        (5, "no such thing", 1)
    );
    assert!(!answer.headers.contains_key("outrigger-app-status"));
}

/// A sidecar that answers as Dapr's does for a gRPC app.
#[derive(Debug)]
struct Sidecar;

type Answers = Pin<Box<dyn Stream<Item = Result<InternalInvokeResponseStream, Status>> + Send>>;

#[tonic::async_trait]
impl ServiceInvocation for Sidecar {
    async fn call_local_stream(
        &self,
        request: Request<Streaming<InternalInvokeRequestStream>>,
    ) -> Result<Response<Answers>, Status> {
        let mut messages = request.into_inner();
        let first = messages.message().await?.unwrap().request.unwrap();
        let asked = first.message.unwrap();
        let chunks = messages.map(|message| message.unwrap().payload.map(|payload| payload.data));
        let said: Vec<_> = chunks.collect().await;
        let said: Vec<u8> = said.into_iter().flatten().flatten().collect();
        let type_url = asked.data.unwrap().type_url;
        let failed = asked.method == "fail";
        let head = InternalInvokeResponse {
            status: Some(AppStatus {
                code: if failed { 10 } else { 0 },
                message: if failed { "not now" } else { "" }.to_owned(),
                details: if failed { vec![Any::raw("d")] } else { Vec::new() },
            }),
            message: Some(InvokeResponse {
                data: (!failed).then(|| Any {
                    type_url: type_url.clone(),
                    value: Default::default(),
                }),
                content_type: String::new(),
            }),
            headers: HashMap::new(),
            trailers: HashMap::new(),
        };
        let payload = outrigger_wire_proto::common::StreamPayload {
            data: format!("{} {type_url} {}", asked.method, String::from_utf8(said).unwrap()).into(),
            seq: 0,
        };
        let answers = [
            Ok(InternalInvokeResponseStream {
                response: Some(head),
                payload: None,
            }),
            Ok(InternalInvokeResponseStream {
                response: None,
                payload: Some(payload),
            }),
        ];
        let count = if failed { 1 } else { 2 };
        Ok(Response::new(Box::pin(stream::iter(answers).take(count))))
    }
}

#[tokio::test]
async fn we_call_a_grpc_app_behind_daprs_sidecar() {
    let (tasks, directory) = (TaskSet::new("peers"), Directory::default());
    let caller = Runtime::start("caller", None, "", &directory, Default::default()).await;
    directory.set(
        "callee",
        serve(Boxed(ServiceInvocationServer::new(Sidecar)), &tasks),
    );
    let ask = |method: &str| InvokeServiceRequest {
        id: "callee".to_owned(),
        message: Some(message(method)),
    };
    let answer = caller
        .client()
        .invoke_service(ask("a b/%c"))
        .await
        .unwrap()
        .into_inner();
    let data = answer.data.unwrap();
    assert_eq!(
        (data.type_url.as_str(), &data.value[..]),
        ("my/type", &b"a b/%c my/type ping"[..])
    );
    let status = caller.client().invoke_service(ask("fail")).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Aborted, "not now"));
    assert!(!status.details().is_empty());
}
