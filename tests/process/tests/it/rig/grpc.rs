//! gRPC: a client of the API, and an app with a service that no sidecar knows.

use std::convert::Infallible;

use futures_util::stream;
use http::{HeaderMap, HeaderValue, Request, Response, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use outrigger_wire_proto::{
    Any,
    common::{HttpExtension, InvokeRequest, StreamPayload, http_extension::Verb},
    runtime::{InvokeServiceRequest, dapr_client::DaprClient},
};
use tokio::task::JoinSet;
use tonic::{Status, client::Grpc, transport::Channel};
use tonic_prost::ProstCodec;

use super::{Place, Sidecar};

/// A connection to a gRPC port.
pub(crate) async fn channel(place: &Place, port: u16) -> Channel {
    let place = place.clone();
    let connect = tower::service_fn(move |_: http::Uri| {
        let place = place.clone();
        async move { place.connect(port).await.map(TokioIo::new) }
    });
    let endpoint = Channel::from_static("http://localhost");
    endpoint.connect_with_connector(connect).await.unwrap()
}

/// `InvokeService`: a `POST` of `method` with `data`, to an app behind whatever sidecar; the data of the answer.
pub(crate) async fn invoke_service(
    sidecar: &Sidecar,
    id: &str,
    method: &str,
    data: &str,
) -> Result<String, Status> {
    let request = InvokeServiceRequest {
        id: id.to_owned(),
        message: Some(InvokeRequest {
            method: method.to_owned(),
            data: Some(Any {
                type_url: String::new(),
                value: data.to_owned().into(),
            }),
            content_type: "text/plain".to_owned(),
            http_extension: Some(HttpExtension {
                verb: Verb::Post.into(),
                querystring: String::new(),
            }),
        }),
    };
    let mut client = DaprClient::new(channel(&sidecar.place, sidecar.grpc).await);
    let answer = client.invoke_service(request).await?.into_inner();
    Ok(String::from_utf8_lossy(&answer.data.unwrap_or_default().value).into_owned())
}

/// A streaming call of a service that no sidecar knows, passed through: what comes back.
pub(crate) async fn proxy(sidecar: &Sidecar, id: &str, numbers: &[u64]) -> Result<Vec<u64>, Status> {
    let payloads: Vec<StreamPayload> = numbers
        .iter()
        .map(|seq| StreamPayload {
            data: "x".into(),
            seq: *seq,
        })
        .collect();
    let mut request = tonic::Request::new(stream::iter(payloads));
    request.metadata_mut().insert("dapr-app-id", id.parse().unwrap());
    let mut client = Grpc::new(channel(&sidecar.place, sidecar.grpc).await);
    client
        .ready()
        .await
        .map_err(|error| Status::unavailable(error.to_string()))?;
    let codec = ProstCodec::<StreamPayload, StreamPayload>::default();
    let path = "/echo.Echo/Chat".parse().unwrap();
    let mut answers = client.streaming(request, path, codec).await?.into_inner();
    let mut echoed = Vec::new();
    while let Some(answer) = answers.message().await? {
        echoed.push(answer.seq);
    }
    Ok(echoed)
}

/// An app whose every method sends its messages back as they come.
#[derive(Debug)]
pub(crate) struct EchoApp {
    pub(crate) port: u16,
    _server: JoinSet<()>,
}

impl EchoApp {
    pub(crate) fn at(place: &Place) -> Self {
        let listener = place.listen();
        let port = listener.local_addr().unwrap().port();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let mut server = JoinSet::new();
        server.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(async move {
                    let service = service_fn(|request| async { Ok::<_, Infallible>(echo(request)) });
                    // A client that goes away is the end of its connection and nothing more.
                    let builder = http2::Builder::new(TokioExecutor::new());
                    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self {
            port,
            _server: server,
        }
    }
}

fn echo(
    request: Request<Incoming>,
) -> Response<impl hyper::body::Body<Data = bytes::Bytes, Error = hyper::Error>> {
    let is_ours = request.uri().path().starts_with("/echo.Echo/");
    // UNIMPLEMENTED for what the sidecar asks of every gRPC app.
    let status = if is_ours { "0" } else { "12" };
    let trailers = HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static(status),
    )]);
    let body = request
        .into_body()
        .with_trailers(async move { Some(Ok(trailers)) });
    let mut response = Response::new(body);
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(CONTENT_TYPE, grpc);
    response
}
