//! gRPC: a client of the API, and an app with a service that no sidecar knows.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Request, Response, header::CONTENT_TYPE, uri::PathAndQuery};
use http_body_util::{BodyExt, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http2,
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use outrigger_wire_proto::{
    Any,
    common::{HttpExtension, InvokeRequest, StreamPayload, http_extension::Verb},
    internals::{
        self, InternalInvokeRequest, InternalInvokeRequestStream,
        service_invocation_client::ServiceInvocationClient,
    },
    runtime::{InvokeServiceRequest, dapr_client::DaprClient},
};
use prost::Message as _;
use tokio::task::JoinSet;
use tonic::{Status, Streaming, client::Grpc, transport::Channel};
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

/// A `POST` of `method` with `data`.
fn message(method: &str, data: Option<&str>) -> InvokeRequest {
    InvokeRequest {
        method: method.to_owned(),
        data: data.map(|data| Any {
            type_url: String::new(),
            value: data.to_owned().into(),
        }),
        content_type: "text/plain".to_owned(),
        http_extension: Some(HttpExtension {
            verb: Verb::Post.into(),
            querystring: String::new(),
        }),
    }
}

/// `InvokeService`, to an app behind whatever sidecar; the data of the answer.
pub(crate) async fn invoke_service(
    sidecar: &Sidecar,
    id: &str,
    method: &str,
    data: &str,
) -> Result<String, Status> {
    let request = InvokeServiceRequest {
        id: id.to_owned(),
        message: Some(message(method, Some(data))),
    };
    let mut client = DaprClient::new(channel(&sidecar.place, sidecar.grpc).await);
    let answer = client.invoke_service(request).await?.into_inner();
    Ok(String::from_utf8_lossy(&answer.data.unwrap_or_default().value).into_owned())
}

/// A call of the app behind an internal port, as a sidecar of Dapr's makes it where it has no better way.
pub(crate) async fn call_local(port: u16, method: &str) -> Result<String, Status> {
    let mut client = ServiceInvocationClient::new(channel(&Place::default(), port).await);
    let request = InternalInvokeRequest {
        message: Some(message(method, Some("by message"))),
        ..InternalInvokeRequest::default()
    };
    let answer = client.call_local(request).await?.into_inner();
    went_well(answer.status)?;
    let data = answer.message.unwrap_or_default().data.unwrap_or_default();
    Ok(String::from_utf8_lossy(&data.value).into_owned())
}

/// The same as a sidecar of Dapr's makes it as a rule: both bodies in chunks.
pub(crate) async fn call_local_stream(port: u16, method: &str) -> Result<String, Status> {
    let mut client = ServiceInvocationClient::new(channel(&Place::default(), port).await);
    let request = InternalInvokeRequestStream {
        request: Some(InternalInvokeRequest {
            message: Some(message(method, None)),
            ..InternalInvokeRequest::default()
        }),
        payload: Some(StreamPayload {
            data: "by stream".into(),
            seq: 0,
        }),
    };
    let mut answers = client
        .call_local_stream(stream::iter([request]))
        .await?
        .into_inner();
    let mut data = Vec::new();
    while let Some(answer) = answers.message().await? {
        if let Some(head) = answer.response {
            went_well(head.status)?;
        }
        data.extend(answer.payload.unwrap_or_default().data);
    }
    Ok(String::from_utf8_lossy(&data).into_owned())
}

/// The status of an app, in the answer to a call that as such went well: that of HTTP, or that of gRPC.
fn went_well(status: Option<internals::Status>) -> Result<(), Status> {
    let status = status.unwrap_or_default();
    match status.code {
        0 | 200 => Ok(()),
        code => Err(Status::new(code.into(), status.message)),
    }
}

/// A client of services that no sidecar knows.
pub(crate) async fn stub(sidecar: &Sidecar) -> Grpc<Channel> {
    let mut client = Grpc::new(channel(&sidecar.place, sidecar.grpc).await);
    client.ready().await.unwrap();
    client
}

/// A request that is passed through to an app.
fn to<T>(id: &str, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("dapr-app-id", id.parse().unwrap());
    request
}

fn codec() -> ProstCodec<StreamPayload, StreamPayload> {
    ProstCodec::default()
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
    let request = to(id, stream::iter(payloads));
    let path = PathAndQuery::from_static("/echo.Echo/Chat");
    let mut client = stub(sidecar).await;
    let mut answers = client.streaming(request, path, codec()).await?.into_inner();
    let mut echoed = Vec::new();
    while let Some(answer) = answers.message().await? {
        echoed.push(answer.seq);
    }
    Ok(echoed)
}

/// A call with one answer, passed through.
pub(crate) async fn unary(sidecar: &Sidecar, id: &str) -> Result<StreamPayload, Status> {
    let path = PathAndQuery::from_static("/echo.Echo/Unary");
    let request = to(id, StreamPayload::default());
    let mut client = stub(sidecar).await;
    let answer = client.unary(request, path, codec()).await?;
    Ok(answer.into_inner())
}

/// Begins a call whose answer is a stream, passed through.
pub(crate) async fn begin(
    client: &mut Grpc<Channel>,
    id: &str,
    path: &'static str,
) -> Result<Streaming<StreamPayload>, Status> {
    let path = PathAndQuery::from_static(path);
    let request = to(id, StreamPayload::default());
    let answer = client.server_streaming(request, path, codec()).await?;
    Ok(answer.into_inner())
}

/// What came of a call whose answer is a stream.
#[derive(Debug)]
pub(crate) struct Listening {
    /// Messages that came whole.
    pub(crate) heard: usize,
    /// How it ended.
    pub(crate) end: Result<(), Status>,
}

/// Begins such a call and reads to its end.
pub(crate) async fn listen(sidecar: &Sidecar, id: &str) -> Listening {
    let mut client = stub(sidecar).await;
    let mut heard = 0;
    let listening = async {
        let mut answers = begin(&mut client, id, "/echo.Echo/Count").await?;
        while answers.message().await?.is_some() {
            heard += 1;
        }
        Ok(())
    };
    let end = listening.await;
    Listening { heard, end }
}

/// An app whose every method sends its messages back as they come; but `/echo.Echo/Endless` goes on for ever.
#[derive(Debug)]
pub(crate) struct EchoApp {
    pub(crate) port: u16,
    sent: Arc<AtomicUsize>,
    _server: JoinSet<()>,
}

impl EchoApp {
    pub(crate) fn at(place: &Place) -> Self {
        let listener = place.listen();
        let port = listener.local_addr().unwrap().port();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let sent = Arc::<AtomicUsize>::default();
        let mut server = JoinSet::new();
        server.spawn(accept(listener, sent.clone()));
        Self {
            port,
            sent,
            _server: server,
        }
    }

    /// Messages of endless answers that were handed to a connection so far.
    pub(crate) fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }
}

async fn accept(listener: tokio::net::TcpListener, sent: Arc<AtomicUsize>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let sent = sent.clone();
        connections.spawn(async move {
            let service = service_fn(|request| {
                let answer = answer(request, &sent);
                async move { Ok::<_, Infallible>(answer) }
            });
            // A client that goes away is the end of its connection and nothing more.
            let builder = http2::Builder::new(TokioExecutor::new());
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

type Body = BoxBody<Bytes, hyper::Error>;

fn answer(request: Request<Incoming>, sent: &Arc<AtomicUsize>) -> Response<Body> {
    let is_endless = request.uri().path() == "/echo.Echo/Endless";
    let body = if is_endless {
        endless(sent.clone())
    } else {
        echo(request)
    };
    let mut response = Response::new(body);
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(CONTENT_TYPE, grpc);
    response
}

fn echo(request: Request<Incoming>) -> Body {
    let is_ours = request.uri().path().starts_with("/echo.Echo/");
    // UNIMPLEMENTED for what the sidecar asks of every gRPC app.
    let status = if is_ours { "0" } else { "12" };
    let trailers = HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static(status),
    )]);
    let trailers = async move { Some(Ok(trailers)) };
    request.into_body().with_trailers(trailers).boxed()
}

/// Messages of 16 KiB and a little, without an end.
fn endless(sent: Arc<AtomicUsize>) -> Body {
    let payload = StreamPayload {
        data: vec![b'x'; 16 * 1024].into(),
        seq: 0,
    };
    let mut message = vec![0];
    message.extend(u32::try_from(payload.encoded_len()).unwrap().to_be_bytes());
    message.extend(payload.encode_to_vec());
    let message = Bytes::from(message);
    let messages = stream::repeat_with(move || {
        sent.fetch_add(1, Ordering::Relaxed);
        Ok(Frame::data(message.clone()))
    });
    BodyExt::boxed(StreamBody::new(messages))
}
