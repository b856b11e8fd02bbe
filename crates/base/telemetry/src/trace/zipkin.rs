//! Spans to Zipkin: version 2 of its JSON (`POST /api/v2/spans`).

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Uri, header::CONTENT_TYPE};
use outrigger_base_clock::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::{
    export::{BoxFuture, ExportError, HttpPost, SpanExporter, post},
    span::{SpanData, SpanKind, Status, Value},
};

/// How long to wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Tags that OpenTelemetry prescribes for what Zipkin has no field for.
const TAG_STATUS: &str = "otel.status_code";
const TAG_ERROR: &str = "error";

/// Sends spans to a Zipkin collector.
#[derive(Debug)]
pub struct ZipkinExporter {
    endpoint: Uri,
    service: String,
    client: Arc<dyn HttpPost>,
}

/// Why a Zipkin endpoint was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no Zipkin endpoint: expected an absolute URL such as http://localhost:9411/api/v2/spans")]
pub struct ZipkinEndpointError(String);

impl ZipkinExporter {
    /// Sends to `endpoint`, an absolute URL that is used as it is, in the name of `service`.
    pub fn new(
        endpoint: &str,
        service: impl Into<String>,
        client: Arc<dyn HttpPost>,
    ) -> Result<Self, ZipkinEndpointError> {
        let uri = endpoint.parse::<Uri>().ok();
        let absolute =
            uri.filter(|uri| uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https")));
        Ok(Self {
            endpoint: absolute.ok_or_else(|| ZipkinEndpointError(endpoint.to_owned()))?,
            service: service.into(),
            client,
        })
    }

    async fn send(&self, batch: &[SpanData]) -> Result<(), ExportError> {
        let spans: Vec<Json> = batch.iter().map(|span| span_json(span, &self.service)).collect();
        let mut request = Request::new(Bytes::from(Json::Array(spans).to_string()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        let endpoint = self.endpoint.to_string();
        post(&*self.client, &endpoint, TIMEOUT, request).await.map(drop)
    }
}

impl SpanExporter for ZipkinExporter {
    fn name(&self) -> &'static str {
        "zipkin"
    }

    fn export<'a>(&'a self, batch: &'a [SpanData]) -> BoxFuture<'a, Result<(), ExportError>> {
        Box::pin(self.send(batch))
    }
}

fn span_json(span: &SpanData, service: &str) -> Json {
    let start = span.start.as_microsecond();
    let mut json = Map::new();
    json.insert("traceId".into(), span.context.trace_id.to_string().into());
    json.insert("id".into(), span.context.span_id.to_string().into());
    if let Some(parent) = span.parent {
        json.insert("parentId".into(), parent.to_string().into());
    }
    json.insert("name".into(), (*span.name).into());
    if let Some(kind) = kind(span.kind) {
        json.insert("kind".into(), kind.into());
    }
    json.insert("timestamp".into(), start.into());
    // Zipkin takes zero for "unknown".
    json.insert(
        "duration".into(),
        (span.end.as_microsecond() - start).max(1).into(),
    );
    json.insert("localEndpoint".into(), json!({ "serviceName": service }));
    let annotations: Vec<Json> = span
        .events
        .iter()
        .map(|event| annotation(event.time, &event.name))
        .collect();
    if !annotations.is_empty() {
        json.insert("annotations".into(), annotations.into());
    }
    let tags = tags(span);
    if !tags.is_empty() {
        json.insert("tags".into(), tags.into());
    }
    Json::Object(json)
}

fn kind(kind: SpanKind) -> Option<&'static str> {
    match kind {
        SpanKind::Internal => None,
        SpanKind::Server => Some("SERVER"),
        SpanKind::Client => Some("CLIENT"),
        SpanKind::Producer => Some("PRODUCER"),
        SpanKind::Consumer => Some("CONSUMER"),
    }
}

fn annotation(time: Timestamp, value: &str) -> Json {
    json!({ "timestamp": time.as_microsecond(), "value": value })
}

/// Zipkin knows texts only.
fn tags(span: &SpanData) -> Map<String, Json> {
    let texts = span
        .attributes
        .iter()
        .map(|(key, value)| (key.to_string(), text(value).into()));
    let mut tags: Map<String, Json> = texts.collect();
    match &span.status {
        Status::Unset => {}
        Status::Ok => drop(tags.insert(TAG_STATUS.into(), "OK".into())),
        Status::Error(why) => {
            tags.insert(TAG_STATUS.into(), "ERROR".into());
            tags.insert(TAG_ERROR.into(), (**why).into());
        }
    }
    tags
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
    }
}
