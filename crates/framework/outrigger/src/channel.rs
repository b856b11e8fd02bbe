//! The app channel in-process: what an embedded runtime asks of its app, without a socket.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Method, header::CONTENT_TYPE};
use outrigger_block_pubsub::Metadata;
use outrigger_runtime_channel::{
    AppChannel, AppSubscription, BulkDelivery, Error, EventDelivery, EventVerdict, InvokeRequest, Protocol,
    Verdicts,
    http::{bulk_body, bulk_verdicts, of_metadata, verdict as http_verdict},
};
use outrigger_transport::Body;
use outrigger_wire_names::{content, headers};

use crate::{Request, Response, Verdict, batch, program::Program};

/// Bytes of a method's answer to events that are read, as of an app with a socket.
const ANSWER_LIMIT: u64 = 4 * 1024 * 1024;

/// An app in this process.
#[derive(Debug)]
pub(crate) struct InProcess(Arc<Program>);

impl InProcess {
    pub(crate) fn new(program: Arc<Program>) -> Self {
        Self(program)
    }

    /// Delivers to the handler of a topic, or, where a declared subscription names a method, to that method as an app
    /// with a socket gets it.
    async fn deliver_to(&self, path: &str, request: Request) -> Result<EventVerdict, Error> {
        self.0.shared().connected().await;
        if let Some(handler) = self.0.event_handler(path) {
            return Ok(verdict(self.0.event(handler, request).await));
        }
        let response = self.0.call(request).await;
        let status = response.status();
        let body = response.into_body().collect(ANSWER_LIMIT).await?;
        Ok(http_verdict(status, &body))
    }

    /// Delivers a batch to a method, as an app with a socket gets it.
    async fn deliver_batch(&self, delivery: BulkDelivery<'_>) -> Result<Verdicts, Error> {
        let body = Bytes::from(bulk_body(&delivery)?);
        let mut request = post(delivery.path, body)?;
        let kind = HeaderValue::from_static(content::JSON);
        request.headers_mut().insert(CONTENT_TYPE, kind);
        let response = self.0.call(request).await;
        let status = response.status();
        let body = response.into_body().collect(ANSWER_LIMIT).await?;
        Ok(bulk_verdicts(status, &body, delivery.entries))
    }
}

#[async_trait]
impl AppChannel for InProcess {
    async fn invoke(&self, request: InvokeRequest) -> Result<Response, Error> {
        self.0.shared().connected().await;
        Ok(self.0.call(request).await)
    }

    async fn subscriptions(&self) -> Result<Vec<AppSubscription>, Error> {
        Ok(self.0.subscriptions().to_vec())
    }

    /// There is nothing to ask: an embedded app hosts no actors.
    async fn app_config(&self) -> Result<Option<Bytes>, Error> {
        Ok(None)
    }

    async fn deliver(&self, delivery: EventDelivery<'_>) -> Result<EventVerdict, Error> {
        let request = event_request(
            delivery.path,
            delivery.envelope.clone(),
            delivery.metadata,
            delivery.traceparent,
        )?;
        self.deliver_to(delivery.path, request).await
    }

    async fn deliver_bulk(&self, delivery: BulkDelivery<'_>) -> Result<Verdicts, Error> {
        self.0.shared().connected().await;
        let Some(handler) = self.0.event_handler(delivery.path) else {
            return self.deliver_batch(delivery).await;
        };
        let verdicts = batch::deliver(&self.0, handler, &delivery).await?.into_iter();
        Ok(verdicts
            .map(|(id, given)| (id.to_owned(), verdict(given)))
            .collect())
    }

    async fn probe(&self, _: &str) -> Result<bool, Error> {
        Ok(true)
    }

    fn protocol(&self) -> Protocol {
        Protocol::Http
    }
}

fn verdict(verdict: Verdict) -> EventVerdict {
    match verdict {
        Verdict::Done => EventVerdict::Success,
        Verdict::Retry => EventVerdict::Retry,
        Verdict::Drop => EventVerdict::Drop,
    }
}

/// An event as a request: its envelope, its broker's metadata as headers, and its trace.
pub(crate) fn event_request(
    path: &str,
    envelope: Bytes,
    metadata: &Metadata,
    traceparent: Option<&str>,
) -> Result<Request, Error> {
    let mut request = post(path, envelope)?;
    let map = request.headers_mut();
    *map = of_metadata(metadata);
    map.insert(CONTENT_TYPE, HeaderValue::from_static(content::CLOUD_EVENT));
    if let Some(parent) = traceparent.and_then(|parent| HeaderValue::from_str(parent).ok()) {
        map.insert(headers::TRACEPARENT, parent);
    }
    Ok(request)
}

fn post(path: &str, body: Bytes) -> Result<Request, Error> {
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = Method::POST;
    let rooted = format!("/{}", path.trim_start_matches('/'));
    *request.uri_mut() = rooted.parse().map_err(|error| Error::Answer {
        call: "route",
        reason: format!("{path:?} is not a path: {error}"),
    })?;
    Ok(request)
}
