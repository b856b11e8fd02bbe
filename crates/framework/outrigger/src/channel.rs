//! The app channel in-process: what an embedded runtime asks of its app, without a socket.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use outrigger_base_task::StopSignal;
use outrigger_block_pubsub::Metadata;
use outrigger_runtime_channel::{
    AppChannel, AppSubscription, BulkDelivery, BulkEntry, Error, EventDelivery, EventVerdict, InvokeRequest,
    Protocol, Verdicts,
    http::{bulk_body, bulk_verdicts, of_metadata, verdict as http_verdict},
};
use outrigger_transport::Body;
use outrigger_wire_names::{content, headers};

use crate::{Request, Response, Verdict, batch, program::Program};

/// Bytes of a method's answer to events that are read, as of an app with a socket.
const ANSWER_LIMIT: u64 = 4 * 1024 * 1024;

/// An app in this process.
#[derive(Debug)]
pub(crate) struct InProcess {
    program: Arc<Program>,
    /// Set off when the handlers of events that are at work are to be cut.
    cut: StopSignal,
}

impl InProcess {
    /// An app whose handlers of events end at once when `cut` goes off.
    pub(crate) fn new(program: Arc<Program>, cut: StopSignal) -> Self {
        Self { program, cut }
    }

    /// Runs a delivery until the app is cut. What is cut has no answer: a failure before the broker knows of the end would
    /// count as the event's, and could lose it. So it stays in hand, and goes back when its component closes.
    async fn unless_cut<T>(&self, delivery: impl Future<Output = T>) -> T {
        match self.cut.run_until(delivery).await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    /// Delivers to the handler of a topic, or, where a declared subscription names a method, to that method as an app
    /// with a socket gets it.
    async fn deliver_to(&self, path: &str, request: Request) -> Result<EventVerdict, Error> {
        self.program.shared().connected().await;
        if let Some(handler) = self.program.event_handler(path) {
            return Ok(verdict(self.program.event(handler, request).await));
        }
        let response = self.program.call(request).await;
        let status = response.status();
        let body = response.into_body().collect(ANSWER_LIMIT).await?;
        Ok(http_verdict(status, &body))
    }

    /// Delivers the events of a batch to their handler, or the batch to a method.
    async fn deliver_many(&self, delivery: BulkDelivery<'_>) -> Result<Verdicts, Error> {
        self.program.shared().connected().await;
        let Some(handler) = self.program.event_handler(delivery.path) else {
            return self.deliver_batch(delivery).await;
        };
        let verdicts = batch::deliver(&self.program, handler, &delivery)
            .await?
            .into_iter();
        Ok(verdicts
            .map(|(id, given)| (id.to_owned(), verdict(given)))
            .collect())
    }

    /// Delivers a batch to a method, as an app with a socket gets it. Where there is none, each event of the batch is
    /// dropped, as a single one is: it goes into the dead-letter topic. (Of an app with a socket, Dapr takes a 404 for a
    /// success in bulk.)
    async fn deliver_batch(&self, delivery: BulkDelivery<'_>) -> Result<Verdicts, Error> {
        let body = Bytes::from(bulk_body(&delivery)?);
        let mut request = post(delivery.path, body)?;
        let kind = HeaderValue::from_static(content::JSON);
        request.headers_mut().insert(CONTENT_TYPE, kind);
        let response = self.program.call(request).await;
        let status = response.status();
        if status == StatusCode::NOT_FOUND {
            let (path, count) = (delivery.path, delivery.entries.len());
            tracing::error!("app has no route {path:?} for a batch (404); its {count} events are dropped");
            let dropped = |entry: &BulkEntry| (entry.id.clone(), EventVerdict::Drop);
            return Ok(delivery.entries.iter().map(dropped).collect());
        }
        let body = response.into_body().collect(ANSWER_LIMIT).await?;
        Ok(bulk_verdicts(status, &body, delivery.entries))
    }
}

#[async_trait]
impl AppChannel for InProcess {
    async fn invoke(&self, request: InvokeRequest) -> Result<Response, Error> {
        self.program.shared().connected().await;
        Ok(self.program.call(request).await)
    }

    async fn subscriptions(&self) -> Result<Vec<AppSubscription>, Error> {
        Ok(self.program.subscriptions().to_vec())
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
        self.unless_cut(self.deliver_to(delivery.path, request)).await
    }

    async fn deliver_bulk(&self, delivery: BulkDelivery<'_>) -> Result<Verdicts, Error> {
        self.unless_cut(self.deliver_many(delivery)).await
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
