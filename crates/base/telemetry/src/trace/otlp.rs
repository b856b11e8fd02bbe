//! Spans to an OTLP receiver, over gRPC or HTTP.
//!
//! The messages and the gRPC client are those of `opentelemetry-proto`. The OpenTelemetry SDK and its exporters are not
//! used: they read the process environment by themselves, which two instances in one process cannot share, and bring
//! a thread and a second span model.

mod encode;

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header::CONTENT_TYPE};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse, trace_service_client::TraceServiceClient,
};
use prost::Message;
use tokio::sync::OnceCell;
use tonic::{
    metadata::MetadataMap,
    transport::{Channel, ClientTlsConfig, Endpoint},
};

use super::{
    export::{BoxFuture, ExportError, HttpPost, SpanExporter, post},
    resource::Resource,
    span::SpanData,
};

/// How long to wait for an answer unless configured (OTLP specification).
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where OTLP receivers take traces over HTTP.
const TRACES_PATH: &str = "/v1/traces";

/// The form of an OTLP request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// gRPC over HTTP/2.
    Grpc,
    /// Protobuf over HTTP.
    Http,
}

/// Where and how to send.
#[derive(Clone, PartialEq, Eq)]
pub struct OtlpConfig {
    /// gRPC or HTTP.
    pub protocol: Protocol,
    /// `host:port`. A scheme in front is ignored; over HTTP a path behind is kept.
    pub endpoint: String,
    /// TLS, with the system's trust roots.
    pub secure: bool,
    /// Sent along with each request.
    pub headers: Vec<(String, String)>,
    /// How long to wait for an answer; 10 s when `None`.
    pub timeout: Option<Duration>,
}

/// Why an OTLP configuration was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OtlpConfigError {
    /// The endpoint is not an address.
    #[error("{0:?} is no OTLP endpoint: expected host:port")]
    Endpoint(String),
    /// A header cannot be sent. Its value may be a secret and is not repeated.
    #[error(
        "the OTLP header {0:?} cannot be sent: its name or its value holds characters that are not allowed"
    )]
    Header(String),
}

/// An exporter for `config`. `scope` names who made the spans (OpenTelemetry's instrumentation scope); `client` is used
/// for HTTP only.
///
/// Nothing is connected, and no trust root is read, before the first span.
pub fn otlp_exporter(
    config: &OtlpConfig,
    resource: Resource,
    scope: impl Into<String>,
    client: &Arc<dyn HttpPost>,
) -> Result<Box<dyn SpanExporter>, OtlpConfigError> {
    let shared = Shared {
        endpoint: config.url()?,
        headers: config.header_map()?,
        timeout: config.timeout.unwrap_or(DEFAULT_TIMEOUT),
        resource,
        scope: scope.into(),
    };
    Ok(match config.protocol {
        Protocol::Http => Box::new(OtlpHttp {
            shared,
            client: client.clone(),
        }),
        Protocol::Grpc => Box::new(OtlpGrpc {
            shared,
            secure: config.secure,
            channel: OnceCell::new(),
        }),
    })
}

impl OtlpConfig {
    fn url(&self) -> Result<Uri, OtlpConfigError> {
        let refused = || OtlpConfigError::Endpoint(self.endpoint.clone());
        let bare = self
            .endpoint
            .split_once("://")
            .map_or(&*self.endpoint, |(_, bare)| bare);
        let (authority, path) = match bare.split_once('/') {
            Some((authority, path)) => (authority, path.trim_end_matches('/')),
            None => (bare, ""),
        };
        let path = match self.protocol {
            Protocol::Grpc => String::from("/"),
            Protocol::Http if path.is_empty() => TRACES_PATH.to_owned(),
            Protocol::Http if format!("/{path}").ends_with(TRACES_PATH) => format!("/{path}"),
            Protocol::Http => format!("/{path}{TRACES_PATH}"),
        };
        let scheme = if self.secure { "https" } else { "http" };
        let uri = Uri::builder()
            .scheme(scheme)
            .authority(authority)
            .path_and_query(path);
        let uri = uri.build().map_err(|_| refused())?;
        uri.host().filter(|host| !host.is_empty()).ok_or_else(refused)?;
        Ok(uri)
    }

    fn header_map(&self) -> Result<HeaderMap, OtlpConfigError> {
        let pairs = self.headers.iter().map(|(name, value)| {
            let key = HeaderName::from_str(name).ok();
            let text = HeaderValue::from_str(value).ok();
            // gRPC takes names in "-bin" for base64, which these values are not.
            let pair = key.zip(text).filter(|(key, _)| !key.as_str().ends_with("-bin"));
            pair.ok_or_else(|| OtlpConfigError::Header(name.clone()))
        });
        pairs.collect()
    }
}

/// Header values are often keys: only their names are shown.
impl fmt::Debug for OtlpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| &**name).collect();
        f.debug_struct("OtlpConfig")
            .field("protocol", &self.protocol)
            .field("endpoint", &self.endpoint)
            .field("secure", &self.secure)
            .field("headers", &names)
            .field("timeout", &self.timeout)
            .finish()
    }
}

/// What both forms need.
struct Shared {
    endpoint: Uri,
    headers: HeaderMap,
    timeout: Duration,
    resource: Resource,
    scope: String,
}

impl Shared {
    fn request(&self, batch: &[SpanData]) -> ExportTraceServiceRequest {
        encode::request(batch, &self.resource, &self.scope)
    }

    /// A receiver that takes a batch may still say that it left out spans.
    fn check(&self, answer: ExportTraceServiceResponse) -> Result<(), ExportError> {
        match answer.partial_success {
            Some(partial) if partial.rejected_spans > 0 => Err(ExportError::Rejected {
                endpoint: self.endpoint.to_string(),
                rejected: partial.rejected_spans,
                message: partial.error_message,
            }),
            _ => Ok(()),
        }
    }

    fn prepare_failed(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ExportError {
        ExportError::Prepare {
            endpoint: self.endpoint.to_string(),
            source: source.into(),
        }
    }
}

struct OtlpHttp {
    shared: Shared,
    client: Arc<dyn HttpPost>,
}

impl OtlpHttp {
    async fn send(&self, batch: &[SpanData]) -> Result<(), ExportError> {
        let shared = &self.shared;
        let mut request = Request::new(Bytes::from(shared.request(batch).encode_to_vec()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = shared.endpoint.clone();
        *request.headers_mut() = shared.headers.clone();
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        request.headers_mut().insert(CONTENT_TYPE, protobuf);
        let endpoint = shared.endpoint.to_string();
        let answer = post(&*self.client, &endpoint, shared.timeout, request).await?;
        // Many receivers answer with something else, or with nothing; that is success all the same.
        shared.check(ExportTraceServiceResponse::decode(answer).unwrap_or_default())
    }
}

struct OtlpGrpc {
    shared: Shared,
    secure: bool,
    channel: OnceCell<Channel>,
}

impl OtlpGrpc {
    async fn send(&self, batch: &[SpanData]) -> Result<(), ExportError> {
        let shared = &self.shared;
        let channel = self.channel.get_or_try_init(|| async { self.open() }).await?;
        let mut request = tonic::Request::new(shared.request(batch));
        *request.metadata_mut() = MetadataMap::from_headers(shared.headers.clone());
        let mut client = TraceServiceClient::new(channel.clone());
        match tokio::time::timeout(shared.timeout, client.export(request)).await {
            Ok(Ok(answer)) => shared.check(answer.into_inner()),
            Ok(Err(status)) => Err(ExportError::Grpc {
                endpoint: shared.endpoint.to_string(),
                code: status.code(),
                message: status.message().to_owned(),
            }),
            Err(_) => Err(ExportError::Timeout {
                endpoint: shared.endpoint.to_string(),
                timeout: shared.timeout,
            }),
        }
    }

    /// Connects when first used, and again after a failure.
    fn open(&self) -> Result<Channel, ExportError> {
        let mut endpoint = Endpoint::from(self.shared.endpoint.clone()).connect_timeout(self.shared.timeout);
        if self.secure {
            let tls = ClientTlsConfig::new().with_native_roots();
            endpoint = endpoint
                .tls_config(tls)
                .map_err(|error| self.shared.prepare_failed(error))?;
        }
        Ok(endpoint.connect_lazy())
    }
}

impl SpanExporter for OtlpHttp {
    fn name(&self) -> &'static str {
        "otlp/http"
    }

    fn export<'a>(&'a self, batch: &'a [SpanData]) -> BoxFuture<'a, Result<(), ExportError>> {
        Box::pin(self.send(batch))
    }
}

impl SpanExporter for OtlpGrpc {
    fn name(&self) -> &'static str {
        "otlp/grpc"
    }

    fn export<'a>(&'a self, batch: &'a [SpanData]) -> BoxFuture<'a, Result<(), ExportError>> {
        Box::pin(self.send(batch))
    }
}

impl fmt::Debug for OtlpHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OtlpHttp({})", self.shared.endpoint)
    }
}

impl fmt::Debug for OtlpGrpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OtlpGrpc({})", self.shared.endpoint)
    }
}
