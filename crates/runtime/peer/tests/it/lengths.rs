//! Lengths of bodies that a sidecar of Dapr's tells.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream;
use http::{Request, Response};
use http_body::Body as _;
use outrigger_base_std::chain;
use outrigger_base_task::TaskSet;
use outrigger_runtime_peer::{Callee, InternalService};
use outrigger_transport::{Body, server::Options};
use outrigger_wire_proto::{
    common::{InvokeRequest, StreamPayload},
    internals::{
        InternalInvokeRequest, InternalInvokeRequestStream, ListStringValue,
        service_invocation_client::ServiceInvocationClient,
    },
};
use tonic::{Status, transport::Endpoint};

use crate::rig::serve;

/// An app that answers with the length that it was told, or with what is wrong with the body.
#[derive(Debug)]
struct Measure;

#[async_trait]
impl Callee for Measure {
    async fn call(&self, request: Request<Body>) -> Response<Body> {
        let told = request.body().size_hint().exact();
        let text = match request.into_body().collect(100).await {
            Ok(_) => format!("{told:?}"),
            Err(error) => chain(&error),
        };
        Response::new(text.into())
    }

    async fn proxy(&self, _: Request<Body>) -> Response<Body> {
        Response::new(Body::empty())
    }
}

/// A body in pieces, of a length that its sender tells as `told`.
async fn send(
    client: &mut ServiceInvocationClient<tonic::transport::Channel>,
    told: Option<(&str, &str)>,
    pieces: &[&'static str],
) -> Result<String, Status> {
    let mut head = InternalInvokeRequest {
        message: Some(InvokeRequest {
            method: "m".to_owned(),
            ..InvokeRequest::default()
        }),
        ..InternalInvokeRequest::default()
    };
    if let Some((name, value)) = told {
        let values = vec![value.to_owned()];
        head.metadata.insert(name.to_owned(), ListStringValue { values });
    }
    let mut messages = vec![InternalInvokeRequestStream {
        request: Some(head),
        payload: None,
    }];
    messages.extend((0..).zip(pieces).map(|(seq, data)| InternalInvokeRequestStream {
        request: None,
        payload: Some(StreamPayload {
            data: (*data).into(),
            seq,
        }),
    }));
    let mut answers = client
        .call_local_stream(stream::iter(messages))
        .await?
        .into_inner();
    let mut text = Vec::new();
    while let Some(answer) = answers.message().await? {
        text.extend(answer.payload.unwrap_or_default().data);
    }
    Ok(String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn an_app_is_told_the_length_that_a_sidecar_of_daprs_tells() {
    let tasks = TaskSet::new("test");
    let service = InternalService::new(Arc::new(Measure), "app".into(), 64 * 1024);
    let address = serve(service, Options::default(), &tasks);
    let endpoint = Endpoint::try_from(format!("http://{address}")).unwrap();
    let mut client = ServiceInvocationClient::new(endpoint.connect().await.unwrap());
    for (told, pieces, expected) in [
        (Some(("Content-Length", "3")), &["a", "bc"][..], "Some(3)"),
        (Some(("content-length", "0")), &[], "Some(0)"),
        (None, &["a"], "None"),
        (Some(("Content-Length", "3")), &["ab"], "2 bytes long and not 3"),
        (
            Some(("Content-Length", "3")),
            &["abc", "d"],
            "longer than the 3 bytes",
        ),
    ] {
        let said = send(&mut client, told, pieces).await.unwrap();
        assert!(said.contains(expected), "{told:?} {pieces:?}: {said}");
    }
    let refused = send(&mut client, Some(("Content-Length", "x")), &["a"]).await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::InvalidArgument);
}
