//! The runtime in this process, as handles ask it: every operation is a span of the trace that it belongs to.

use std::{borrow::Cow, sync::Arc};

use http::HeaderMap;
use outrigger_base_telemetry::trace::{SpanHandle, SpanKind, Status, TraceContext};
use outrigger_runtime_api::{Api, Error as ApiError, trace};
use outrigger_wire_names::{headers, pubsub, trace as names};

use super::convert;
use crate::{Error, Request, Response};

/// The API, and the trace that operations belong to. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Local {
    pub(super) api: Arc<Api>,
    parent: Option<Arc<TraceContext>>,
}

impl Local {
    pub(crate) fn new(api: Arc<Api>) -> Self {
        Self { api, parent: None }
    }

    pub(crate) fn api(&self) -> &Arc<Api> {
        &self.api
    }

    /// The same, in the trace that a request belongs to.
    pub(super) fn in_trace_of(self, map: &HeaderMap) -> Self {
        Self {
            parent: trace::of(map).map(Arc::new),
            ..self
        }
    }

    /// Calls an app. The span ends with the head of the answer.
    pub(super) async fn invoke(&self, app: &str, mut request: Request) -> Result<Response, Error> {
        let map = request.headers_mut();
        if let Some(parent) = &self.parent
            && !map.contains_key(headers::TRACEPARENT)
        {
            trace::tell(parent, map);
        }
        let uri = request.uri().clone();
        let method = || uri.path().trim_start_matches('/').to_owned();
        let name = || format!("{}{app}/{}", names::CALL_LOCAL, method()).into();
        let mut span = trace::begin(self.api.tracer(), request.headers_mut(), name, SpanKind::Client);
        span.attribute(names::RPC_SERVICE, || names::SERVICE_INVOCATION);
        span.attribute(names::PEER_NAME, || app.to_owned());
        span.attribute(names::INVOKE_METHOD, method);
        let answer = self.api.invoke(app, request).await;
        if let Ok(response) = &answer {
            let status = response.status();
            span.attribute(names::STATUS_CODE, || status.as_str().to_owned());
            if status.is_client_error() || status.is_server_error() {
                span.status(|| Status::Error(status.to_string().into()));
            }
        }
        finish(span, answer)
    }

    /// Starts the span of publishing to a topic; its context goes along with the events.
    pub(super) fn publishing(&self, operation: &'static str, topic: &str) -> SpanHandle {
        let mut span = self.start(
            || format!("{}{topic}", pubsub::SPAN_PREFIX).into(),
            SpanKind::Producer,
        );
        span.attribute(names::API, || method(operation));
        span.attribute(pubsub::SPAN_SYSTEM, || pubsub::SPAN_SYSTEM_PUBSUB);
        span.attribute(pubsub::SPAN_DESTINATION, || topic.to_owned());
        span
    }

    /// Starts the span of an operation on something stored: on what `system` is, in the component `store`.
    pub(super) fn storing(&self, operation: &'static str, system: &'static str, store: &str) -> SpanHandle {
        let mut span = self.start(|| method(operation).into(), SpanKind::Client);
        span.attribute(names::API, || method(operation));
        span.attribute(names::DB_SYSTEM, || system);
        span.attribute(names::DB_CONNECTION, || system);
        span.attribute(names::DB_STATEMENT, || method(operation));
        span.attribute(names::DB_NAME, || store.to_owned());
        span
    }

    fn start(&self, name: impl FnOnce() -> Cow<'static, str>, kind: SpanKind) -> SpanHandle {
        self.api.tracer().start(name, self.parent.as_deref(), kind)
    }
}

/// An operation as the gRPC API calls it, so that a trace tells the same of both modes.
fn method(operation: &'static str) -> String {
    format!("{}{operation}", names::METHOD_PREFIX)
}

/// Ends the span of an operation with what came of it.
pub(super) fn finish<T>(mut span: SpanHandle, done: Result<T, ApiError>) -> Result<T, Error> {
    if let Err(error) = &done {
        span.status(|| Status::Error(error.message.clone().into()));
    }
    done.map_err(convert::refused)
}
