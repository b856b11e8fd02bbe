//! A bound on the calls that an app sees at a time.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::Response;
use outrigger_transport::{Body, client::Http2Channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    AppChannel, AppSubscription, BulkDelivery, Error, EventDelivery, EventVerdict, InvokeRequest, Protocol,
    Verdicts,
};

/// An app channel with at most a number of calls under way. Those above it wait; an invocation counts until the body
/// of its answer has ended (`--app-max-concurrency`).
#[derive(Debug)]
pub struct Limited<C> {
    inner: C,
    slots: Arc<Semaphore>,
}

impl<C: AppChannel> Limited<C> {
    /// `inner` with at most `limit` calls at a time.
    pub fn new(inner: C, limit: usize) -> Self {
        Self {
            inner,
            slots: Arc::new(Semaphore::new(limit)),
        }
    }

    async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed; were it, calls would go through rather than be lost.
        self.slots.clone().acquire_owned().await.ok()
    }
}

#[async_trait]
impl<C: AppChannel> AppChannel for Limited<C> {
    async fn invoke(&self, request: InvokeRequest) -> Result<Response<Body>, Error> {
        let slot = self.slot().await;
        let response = self.inner.invoke(request).await?;
        Ok(response.map(|body| body.holding(slot)))
    }

    async fn subscriptions(&self) -> Result<Vec<AppSubscription>, Error> {
        self.inner.subscriptions().await
    }

    async fn app_config(&self) -> Result<Option<Bytes>, Error> {
        self.inner.app_config().await
    }

    async fn deliver(&self, delivery: EventDelivery<'_>) -> Result<EventVerdict, Error> {
        let _slot = self.slot().await;
        self.inner.deliver(delivery).await
    }

    async fn deliver_bulk(&self, delivery: BulkDelivery<'_>) -> Result<Verdicts, Error> {
        let _slot = self.slot().await;
        self.inner.deliver_bulk(delivery).await
    }

    async fn probe(&self, path: &str) -> Result<bool, Error> {
        self.inner.probe(path).await
    }

    fn grpc_passthrough(&self) -> Option<&Http2Channel> {
        self.inner.grpc_passthrough()
    }

    fn app_token(&self) -> Option<&http::HeaderValue> {
        self.inner.app_token()
    }

    fn protocol(&self) -> Protocol {
        self.inner.protocol()
    }
}
