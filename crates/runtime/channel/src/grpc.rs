//! The channel to an app that speaks gRPC (dapr-runtime.md §2.9): its callback service is called.

mod events;
mod invoke;
mod metadata;
mod status;
mod subscriptions;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use outrigger_base_std::BoxError;
use outrigger_base_task::TaskSet;
use outrigger_runtime_telemetry::Telemetry;
use outrigger_transport::{
    Body,
    client::{Http2Channel, Target},
};
use outrigger_wire_names::headers;
use outrigger_wire_proto::runtime::{
    app_callback_alpha_client::AppCallbackAlphaClient, app_callback_client::AppCallbackClient,
    app_callback_health_check_client::AppCallbackHealthCheckClient,
};
use prost::Message;
use tokio::time::Instant;
use tonic::{Code, Status, metadata::MetadataMap};

use crate::{
    AppChannel, AppSubscription, BulkDelivery, Error, EventDelivery, EventVerdict, InvokeRequest, Protocol,
    Settings, Verdicts, http::connect,
};

pub use events::{message::topic_event, verdict};
pub use metadata::to_app as metadata_of;
pub use status::AppStatus;

/// The channel to an app that speaks gRPC, in clear text or over TLS. Connections are made when they are needed.
#[derive(Clone)]
pub struct GrpcChannel(Arc<Inner>);

struct Inner {
    wire: Http2Channel,
    protocol: Protocol,
    token: Option<HeaderValue>,
    max_message: usize,
    telemetry: Arc<Telemetry>,
}

impl GrpcChannel {
    /// A channel; no connection is made yet. `tasks` owns the connections.
    ///
    /// # Errors
    /// When the token cannot stand in metadata, or the address is no name that TLS could be spoken with.
    pub fn new(settings: &Settings, tasks: TaskSet) -> Result<Self, BoxError> {
        let target = Target::new(&settings.address, settings.port);
        let connect = connect(settings, target, &[b"h2"])?;
        let token = settings.token.as_ref().map(|token| {
            let mut value = HeaderValue::from_str(token.expose())?;
            value.set_sensitive(true);
            Ok::<_, http::header::InvalidHeaderValue>(value)
        });
        Ok(Self(Arc::new(Inner {
            wire: Http2Channel::new(connect, tasks, settings.answer_head()),
            protocol: settings.protocol,
            token: token.transpose()?,
            max_message: settings.max_body,
            telemetry: Telemetry::off(),
        })))
    }

    /// Counts calls of the app there.
    #[must_use]
    pub fn counted(self, telemetry: Arc<Telemetry>) -> Self {
        let inner = &*self.0;
        Self(Arc::new(Inner {
            wire: inner.wire.clone(),
            protocol: inner.protocol,
            token: inner.token.clone(),
            max_message: inner.max_message,
            telemetry,
        }))
    }

    /// Makes a call and counts it. `sent` is the size of its message.
    async fn count<M: Message>(
        &self,
        method: &str,
        sent: usize,
        call: impl Future<Output = Result<tonic::Response<M>, Status>>,
    ) -> Result<tonic::Response<M>, Status> {
        let Some(metrics) = &self.0.telemetry.grpc else {
            return call.await;
        };
        let start = Instant::now();
        let answer = call.await;
        let (code, received) = match &answer {
            Ok(response) => (Code::Ok, response.get_ref().encoded_len()),
            Err(status) => (status.code(), 0),
        };
        let bytes = [sent as u64, received as u64];
        metrics.called(method, code as i32, start.elapsed(), Some(bytes));
        answer
    }

    fn callback(&self) -> AppCallbackClient<Http2Channel> {
        AppCallbackClient::new(self.0.wire.clone())
            .max_decoding_message_size(self.0.max_message)
            .max_encoding_message_size(self.0.max_message)
    }

    fn callback_alpha(&self) -> AppCallbackAlphaClient<Http2Channel> {
        AppCallbackAlphaClient::new(self.0.wire.clone())
            .max_decoding_message_size(self.0.max_message)
            .max_encoding_message_size(self.0.max_message)
    }

    /// Bytes that a message may have.
    fn limit(&self) -> u64 {
        self.0.max_message as u64
    }

    /// A request with `headers` and the app's token as its metadata.
    fn request<M>(&self, message: M, mut headers: HeaderMap) -> tonic::Request<M> {
        if let Some(token) = &self.0.token {
            headers.insert(headers::API_TOKEN, token.clone());
        }
        let mut request = tonic::Request::new(message);
        *request.metadata_mut() = MetadataMap::from_headers(headers);
        request
    }
}

#[async_trait]
impl AppChannel for GrpcChannel {
    /// The answer carries an [`AppStatus`] among its extensions.
    async fn invoke(&self, request: InvokeRequest) -> Result<Response<Body>, Error> {
        invoke::invoke(self, request).await
    }

    async fn subscriptions(&self) -> Result<Vec<AppSubscription>, Error> {
        subscriptions::list(self).await
    }

    /// A gRPC app is not asked: its actors come over a stream that it opens.
    async fn app_config(&self) -> Result<Option<Bytes>, Error> {
        Ok(None)
    }

    async fn deliver(&self, delivery: EventDelivery<'_>) -> Result<EventVerdict, Error> {
        events::deliver(self, delivery).await
    }

    async fn deliver_bulk(&self, delivery: BulkDelivery<'_>) -> Result<Verdicts, Error> {
        events::deliver_bulk(self, delivery).await
    }

    async fn probe(&self, _: &str) -> Result<bool, Error> {
        let mut client = AppCallbackHealthCheckClient::new(self.0.wire.clone());
        let start = Instant::now();
        let answer = client.health_check(()).await;
        if let Some(metrics) = &self.0.telemetry.grpc {
            let code = answer.as_ref().map_or_else(Status::code, |_| Code::Ok);
            metrics.probed(code as i32, start.elapsed());
        }
        match answer {
            Ok(_) => Ok(true),
            Err(status) => match status::lost(&status) {
                Some(error) => Err(error.into()),
                None => Ok(false),
            },
        }
    }

    fn grpc_passthrough(&self) -> Option<&Http2Channel> {
        Some(&self.0.wire)
    }

    fn app_token(&self) -> Option<&HeaderValue> {
        self.0.token.as_ref()
    }

    fn protocol(&self) -> Protocol {
        self.0.protocol
    }
}

impl fmt::Debug for GrpcChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcChannel")
            .field("wire", &self.0.wire)
            .finish_non_exhaustive()
    }
}
