//! Spans on the wire: OTLP to small receivers of our own, Zipkin and the log to the letter.
#![allow(clippy::disallowed_methods, reason = "a test awaits or aborts what it spawns")]

use std::{
    convert::Infallible,
    error::Error,
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor, rt::TokioIo};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::any_value::Value as WireValue,
};
use outrigger_base_clock::{ManualClock, SeededEntropy, SignedDuration, Timestamp};
use outrigger_base_telemetry::{
    log::{Config, LogLayer, Output, Scopes},
    trace::{
        BoxFuture, ExportError, HttpPost, OtlpConfig, OtlpConfigError, Protocol, Resource, Sampler, SpanData,
        SpanExporter, SpanKind, SpanSink, Status, StdoutExporter, TraceContext, Tracer, ZipkinExporter,
        otlp_exporter,
    },
};
use prost::Message;
use tokio::{io::AsyncReadExt, net::TcpListener, sync::mpsc};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::metadata::MetadataMap;
use tracing_subscriber::layer::SubscriberExt;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Two spans, the first with everything.
fn spans() -> Vec<SpanData> {
    let clock = Arc::new(ManualClock::new(Timestamp::new(1_770_091_506, 7_000).unwrap()));
    let (sink, mut spans) = SpanSink::bounded(8);
    let sampler = Sampler::parse("1").unwrap();
    let tracer = Tracer::new(
        clock.clone(),
        Arc::new(SeededEntropy::new(5)),
        sampler,
        Some(sink),
    );
    let parent = TraceContext::from_headers(PARENT, Some("a=1")).unwrap();
    let mut span = tracer.start(|| "/v1.0/invoke".into(), Some(&parent), SpanKind::Client);
    span.attribute("dapr.api", || "GET /x");
    span.attribute("size", || 42);
    span.attribute("ratio", || 0.5);
    span.attribute("hit", || true);
    clock.advance(SignedDuration::from_millis(1));
    span.event(|| "sent".into());
    span.status(|| Status::Error("Code(500): Internal Server Error".into()));
    clock.advance(SignedDuration::from_millis(1));
    drop(span);
    drop(tracer.start(|| "root".into(), None, SpanKind::Internal));
    vec![spans.try_recv().unwrap(), spans.try_recv().unwrap()]
}

/// A client that is never used.
#[derive(Debug)]
struct NoClient;

impl HttpPost for NoClient {
    fn send(
        &self,
        _: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, Box<dyn Error + Send + Sync>>> {
        Box::pin(async { Err("not to be called".into()) })
    }
}

fn otlp(protocol: Protocol, endpoint: String) -> OtlpConfig {
    OtlpConfig {
        protocol,
        endpoint,
        secure: false,
        headers: vec![("x-api-key".into(), "hush".into())],
        timeout: Some(Duration::from_secs(5)),
    }
}

fn no_client() -> Arc<dyn HttpPost> {
    Arc::new(NoClient)
}

/// Checks what both forms of OTLP must carry.
fn check_request(request: &ExportTraceServiceRequest, batch: &[SpanData]) {
    let [of_resource] = request.resource_spans.as_slice() else {
        panic!("one resource");
    };
    let resource = &of_resource.resource.as_ref().unwrap().attributes;
    assert_eq!(resource[0].key, "service.name");
    assert_eq!(
        resource[0].value.as_ref().unwrap().value,
        Some(WireValue::StringValue("web".into()))
    );
    let [of_scope] = of_resource.scope_spans.as_slice() else {
        panic!("one scope");
    };
    assert_eq!(of_scope.scope.as_ref().unwrap().name, "test-scope");
    let [full, root] = of_scope.spans.as_slice() else {
        panic!("two spans");
    };
    assert_eq!(full.trace_id, batch[0].context.trace_id.0);
    assert_eq!(full.span_id, batch[0].context.span_id.0);
    assert_eq!(
        full.parent_span_id,
        [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]
    );
    assert_eq!((full.trace_state.as_str(), full.flags, full.kind), ("a=1", 1, 3));
    assert_eq!(full.start_time_unix_nano, 1_770_091_506_000_007_000);
    assert_eq!(full.end_time_unix_nano - full.start_time_unix_nano, 2_000_000);
    let attributes: Vec<_> = full
        .attributes
        .iter()
        .map(|pair| (&*pair.key, pair.value.clone().unwrap().value.unwrap()))
        .collect();
    assert_eq!(
        attributes,
        [
            ("dapr.api", WireValue::StringValue("GET /x".into())),
            ("size", WireValue::IntValue(42)),
            ("ratio", WireValue::DoubleValue(0.5)),
            ("hit", WireValue::BoolValue(true)),
        ]
    );
    assert_eq!(
        (full.events[0].name.as_str(), full.events[0].time_unix_nano),
        ("sent", 1_770_091_506_001_007_000)
    );
    let status = full.status.as_ref().unwrap();
    assert_eq!(
        (status.code, status.message.as_str()),
        (2, "Code(500): Internal Server Error")
    );
    assert_eq!(
        (root.name.as_str(), root.kind, root.parent_span_id.len()),
        ("root", 1, 0)
    );
    assert!(root.status.is_none());
}

/// Hands on what it gets; answers with what it was made with.
struct Collector {
    seen: mpsc::Sender<(MetadataMap, ExportTraceServiceRequest)>,
    answer: Mutex<Vec<Result<ExportTraceServiceResponse, tonic::Status>>>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        let (metadata, _, message) = request.into_parts();
        self.seen.try_send((metadata, message)).unwrap();
        let answer = self.answer.lock().unwrap().pop();
        answer
            .unwrap_or_else(|| Ok(ExportTraceServiceResponse::default()))
            .map(tonic::Response::new)
    }
}

fn rejection(rejected_spans: i64) -> ExportTraceServiceResponse {
    ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans,
            error_message: "too old".into(),
        }),
    }
}

#[tokio::test]
async fn otlp_over_grpc() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    let (seen, mut requests) = mpsc::channel(8);
    // Taken from the end.
    let answer = Mutex::new(vec![
        Err(tonic::Status::unavailable("later")),
        Ok(rejection(1)),
        Ok(rejection(0)),
    ]);
    let service = TraceServiceServer::new(Collector { seen, answer });
    let incoming = TcpListenerStream::new(listener);
    let server = tokio::spawn(
        tonic::transport::Server::builder()
            .add_service(service)
            .serve_with_incoming(incoming),
    );

    let config = otlp(Protocol::Grpc, endpoint.clone());
    let exporter = otlp_exporter(&config, Resource::new("web"), "test-scope", &no_client()).unwrap();
    let batch = spans();
    exporter.export(&batch).await.unwrap();
    let (metadata, request) = requests.recv().await.unwrap();
    assert_eq!(metadata.get("x-api-key").unwrap(), "hush");
    check_request(&request, &batch);

    let error = exporter.export(&batch).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("http://{endpoint}/ rejected 1 spans: too old")
    );
    assert!(!error.retryable());
    let error = exporter.export(&batch).await.unwrap_err();
    assert!(error.retryable(), "{error}");
    assert!(error.to_string().contains("Unavailable: later"), "{error}");
    exporter.export(&batch).await.unwrap();
    server.abort();
}

#[tokio::test]
async fn otlp_over_grpc_without_a_receiver_may_be_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    drop(listener);
    let config = otlp(Protocol::Grpc, endpoint);
    let exporter = otlp_exporter(&config, Resource::new("web"), "s", &no_client()).unwrap();
    let error = exporter.export(&spans()).await.unwrap_err();
    assert!(error.retryable(), "{error}");
}

#[tokio::test]
async fn otlp_over_grpc_gives_up_waiting() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    let mut config = otlp(Protocol::Grpc, endpoint);
    config.timeout = Some(Duration::from_millis(50));
    let exporter = otlp_exporter(&config, Resource::new("web"), "s", &no_client()).unwrap();
    // The receiver accepts and says nothing.
    let error = exporter.export(&spans()).await.unwrap_err();
    assert!(matches!(error, ExportError::Timeout { .. }), "{error}");
    drop(listener);
}

#[tokio::test]
async fn otlp_over_grpc_is_secure_by_a_flag() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = otlp(Protocol::Grpc, listener.local_addr().unwrap().to_string());
    config.secure = true;
    let exporter = otlp_exporter(&config, Resource::new("web"), "s", &no_client()).unwrap();
    let first_byte = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap()
    };
    let batch = spans();
    let (first_byte, sent) = tokio::join!(first_byte, exporter.export(&batch));
    assert_eq!(first_byte, 0x16, "a TLS handshake");
    assert!(sent.unwrap_err().retryable());
}

/// An HTTP client as a program would hand over.
#[derive(Debug, Clone)]
struct HyperPost(Client<hyper_util::client::legacy::connect::HttpConnector, Full<Bytes>>);

impl HttpPost for HyperPost {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, Box<dyn Error + Send + Sync>>> {
        Box::pin(async {
            let answer = self.0.request(request.map(Full::new)).await?;
            let (head, body) = answer.into_parts();
            Ok(http::Response::from_parts(head, body.collect().await?.to_bytes()))
        })
    }
}

#[tokio::test]
async fn otlp_over_http() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    let (seen, mut requests) = mpsc::channel(8);
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let seen = seen.clone();
            async move {
                let (head, body) = request.into_parts();
                seen.try_send((head, body.collect().await.unwrap().to_bytes()))
                    .unwrap();
                let answer = Full::new(Bytes::from(rejection(0).encode_to_vec()));
                Ok::<_, Infallible>(http::Response::new(answer))
            }
        });
        hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await
    });

    let client: Arc<dyn HttpPost> = Arc::new(HyperPost(Client::builder(TokioExecutor::new()).build_http()));
    let config = otlp(Protocol::Http, format!("http://{endpoint}"));
    let exporter = otlp_exporter(&config, Resource::new("web"), "test-scope", &client).unwrap();
    let batch = spans();
    exporter.export(&batch).await.unwrap();
    let (head, body) = requests.recv().await.unwrap();
    assert_eq!((head.method.as_str(), head.uri.path()), ("POST", "/v1/traces"));
    assert_eq!(head.headers["content-type"], "application/x-protobuf");
    assert_eq!(head.headers["x-api-key"], "hush");
    check_request(&ExportTraceServiceRequest::decode(body).unwrap(), &batch);
    server.abort();
}

/// Remembers requests, answers with a status.
#[derive(Debug)]
struct Recorder {
    status: u16,
    seen: Mutex<Vec<http::Request<Bytes>>>,
}

impl Recorder {
    fn answering(status: u16) -> Arc<Self> {
        let seen = Mutex::default();
        Arc::new(Self { status, seen })
    }
}

impl HttpPost for Recorder {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, Box<dyn Error + Send + Sync>>> {
        self.seen.lock().unwrap().push(request);
        let answer = http::Response::builder().status(self.status).body(Bytes::new());
        Box::pin(async { Ok(answer?) })
    }
}

#[tokio::test]
async fn otlp_paths_and_refusals() {
    for (endpoint, want) in [
        ("host:4318", "http://host:4318/v1/traces"),
        ("https://host:4318/", "http://host:4318/v1/traces"),
        ("host/base", "http://host/base/v1/traces"),
        ("host:1/v1/traces", "http://host:1/v1/traces"),
        ("[::1]:4318", "http://[::1]:4318/v1/traces"),
    ] {
        let recorder = Recorder::answering(200);
        let client: Arc<dyn HttpPost> = recorder.clone();
        let config = otlp(Protocol::Http, endpoint.to_owned());
        let exporter = otlp_exporter(&config, Resource::new("web"), "s", &client).unwrap();
        exporter.export(&spans()).await.unwrap();
        assert_eq!(recorder.seen.lock().unwrap()[0].uri(), want);
    }
    for bad in ["", "a b:1", "http://", ":4317"] {
        let config = otlp(Protocol::Grpc, bad.to_owned());
        let error = otlp_exporter(&config, Resource::new("web"), "s", &no_client()).unwrap_err();
        assert_eq!(error, OtlpConfigError::Endpoint(bad.to_owned()));
    }
    let mut config = otlp(Protocol::Grpc, "host:1".to_owned());
    assert!(!format!("{config:?}").contains("hush"));
    for (name, value) in [("bad name", "x"), ("fine", "line\nfeed"), ("data-bin", "x")] {
        config.headers = vec![(name.into(), value.into())];
        let error = otlp_exporter(&config, Resource::new("web"), "s", &no_client()).unwrap_err();
        assert_eq!(error, OtlpConfigError::Header(name.into()));
    }
    for (status, retryable) in [(400, false), (404, false), (429, true), (503, true)] {
        let client: Arc<dyn HttpPost> = Recorder::answering(status);
        let config = otlp(Protocol::Http, "host:1".to_owned());
        let exporter = otlp_exporter(&config, Resource::new("web"), "s", &client).unwrap();
        assert_eq!(
            exporter.export(&spans()).await.unwrap_err().retryable(),
            retryable,
            "{status}"
        );
    }
}

#[tokio::test]
async fn zipkin_json() {
    let recorder = Recorder::answering(202);
    let exporter = ZipkinExporter::new("http://zipkin:9411/api/v2/spans", "web", recorder.clone()).unwrap();
    let batch = spans();
    exporter.export(&batch).await.unwrap();
    let requests = recorder.seen.lock().unwrap();
    assert_eq!(
        (requests[0].method().as_str(), requests[0].uri().path()),
        ("POST", "/api/v2/spans")
    );
    assert_eq!(requests[0].headers()["content-type"], "application/json");
    let json = std::str::from_utf8(requests[0].body()).unwrap();
    let (id, root_trace, root_id) = (
        batch[0].context.span_id,
        batch[1].context.trace_id,
        batch[1].context.span_id,
    );
    assert_eq!(
        json,
        [
            r#"[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","id":""#,
            &id.to_string(),
            r#"","parentId":"00f067aa0ba902b7","name":"/v1.0/invoke","kind":"CLIENT","timestamp":1770091506000007,"duration":2000,"localEndpoint":{"serviceName":"web"},"annotations":[{"timestamp":1770091506001007,"value":"sent"}],"tags":{"dapr.api":"GET /x","size":"42","ratio":"0.5","hit":"true","otel.status_code":"ERROR","error":"Code(500): Internal Server Error"}},{"traceId":""#,
            &root_trace.to_string(),
            r#"","id":""#,
            &root_id.to_string(),
            r#"","name":"root","timestamp":1770091506002007,"duration":1,"localEndpoint":{"serviceName":"web"}}]"#,
        ]
        .concat()
    );
}

#[test]
fn zipkin_endpoints_are_absolute() {
    for bad in ["", "zipkin:9411", "/api/v2/spans", "ftp://zipkin/x"] {
        let error = ZipkinExporter::new(bad, "web", Recorder::answering(202)).unwrap_err();
        assert!(error.to_string().contains("no Zipkin endpoint"));
    }
}

#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn spans_in_the_log() {
    let text = Text::default();
    let config = Config {
        outputs: vec![Output::Writer(Box::new(text.clone()))],
        scopes: Scopes {
            modules: vec![(
                "outrigger_base_telemetry::trace".into(),
                "dapr.runtime.trace".into(),
            )],
            ..Scopes::default()
        },
        ..Config::default()
    };
    let (layer, _) = LogLayer::open(config, Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH))).unwrap();
    let batch = spans();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        drop(StdoutExporter.export(&batch[..1]));
    });
    let line = String::from_utf8(text.0.lock().unwrap().clone()).unwrap();
    let want = format!(
        "msg=\"[/v1.0/invoke] Trace: 4bf92f3577b34da6a3ce929d0e0e4736 Span: 00f067aa0ba902b7/{} \
         Time: [2026-02-03T04:05:06.000007Z ->  2026-02-03T04:05:06.002007Z] Annotations: [\\\"sent\\\"]\" \
         scope=dapr.runtime.trace type=log\n",
        batch[0].context.span_id
    );
    assert!(line.ends_with(&want), "{line}");
}
