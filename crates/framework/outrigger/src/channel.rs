//! The app channel in-process: what an embedded runtime asks of its app, without a socket.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header::CONTENT_TYPE};
use outrigger_block_pubsub::Metadata;
use outrigger_runtime_channel::{
    AppChannel, AppSubscription, BulkDelivery, BulkEntry, Error, EventDelivery, EventVerdict, InvokeRequest,
    Protocol, Verdicts,
};
use outrigger_transport::Body;
use outrigger_wire_names::{content, headers};

use crate::{Request, Response, Verdict, program::Program, status};

/// Bytes of an answer to an event that are read.
const ANSWER_LIMIT: u64 = 64 * 1024;

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
        Ok(status::verdict(status, &body))
    }

    async fn deliver_entry(
        &self,
        delivery: &BulkDelivery<'_>,
        entry: &BulkEntry,
    ) -> Result<EventVerdict, Error> {
        if !entry.is_envelope || self.0.event_handler(delivery.path).is_none() {
            return Err(Error::Answer {
                call: "bulk delivery",
                reason: format!(
                    "{} of an embedded app takes no bulk: leave bulkSubscribe out of the subscription to {:?}",
                    delivery.path, delivery.topic
                ),
            });
        }
        let request = event_request(delivery.path, entry.event.clone(), &entry.metadata, None)?;
        self.deliver_to(delivery.path, request).await
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
        let mut verdicts = Verdicts::new();
        for entry in delivery.entries {
            let verdict = self.deliver_entry(&delivery, entry).await?;
            verdicts.insert(entry.id.clone(), verdict);
        }
        Ok(verdicts)
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
fn event_request(
    path: &str,
    envelope: Bytes,
    metadata: &Metadata,
    traceparent: Option<&str>,
) -> Result<Request, Error> {
    let mut request = Request::new(Body::from(envelope));
    *request.method_mut() = Method::POST;
    let rooted = format!("/{}", path.trim_start_matches('/'));
    *request.uri_mut() = rooted.parse().map_err(|error| Error::Answer {
        call: "route",
        reason: format!("{path:?} is not a path: {error}"),
    })?;
    let map = request.headers_mut();
    for (name, value) in metadata {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            map.insert(name, value);
        }
    }
    map.insert(CONTENT_TYPE, HeaderValue::from_static(content::CLOUD_EVENT));
    if let Some(parent) = traceparent.and_then(|parent| HeaderValue::from_str(parent).ok()) {
        map.insert(headers::TRACEPARENT, parent);
    }
    Ok(request)
}
