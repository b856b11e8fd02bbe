//! The methods of the API service: each decodes, calls the API once, encodes.

use std::{convert::identity, sync::Arc};

use outrigger_runtime_api::{Api, Error};
use outrigger_wire_names::headers;
use outrigger_wire_proto::{
    common::InvokeResponse,
    runtime::{
        BulkPublishRequest, BulkPublishResponse, DeleteBulkStateRequest, DeleteStateRequest,
        ExecuteStateTransactionRequest, GetBulkSecretRequest, GetBulkSecretResponse, GetBulkStateRequest,
        GetBulkStateResponse, GetMetadataRequest, GetMetadataResponse, GetSecretRequest, GetSecretResponse,
        GetStateRequest, GetStateResponse, InvokeServiceRequest, PublishEventRequest, QueryStateRequest,
        QueryStateResponse, SaveStateRequest, SetMetadataRequest, ShutdownRequest,
        SubscribeTopicEventsRequestAlpha1, SubscribeTopicEventsResponseAlpha1, dapr_server::Dapr,
    },
};
use tonic::{Request, Response, Status, Streaming, codegen::BoxStream};

use crate::{
    invoke, metadata,
    publish::{self, trace_of},
    secrets, state, status,
    subscribe::{self, StreamSubscriber},
};

/// What a streaming subscription is called when it is not built in.
const STREAMS: &str = "streaming subscription";

/// The service.
#[derive(Debug)]
pub(crate) struct Calls {
    api: Arc<Api>,
    max_body: u64,
    streams: Option<Arc<dyn StreamSubscriber>>,
}

impl Calls {
    pub(crate) fn new(api: Arc<Api>, max_body: u64, streams: Option<Arc<dyn StreamSubscriber>>) -> Self {
        Self {
            api,
            max_body,
            streams,
        }
    }

    /// The answer of an operation as a message.
    fn answer<T, M>(&self, done: Result<T, Error>, encode: impl FnOnce(T) -> M) -> Answer<M> {
        match done {
            Ok(value) => Ok(Response::new(encode(value))),
            Err(error) => Err(self.fail(&error)),
        }
    }

    /// Every item converted, or the first error.
    fn all<T, U>(&self, items: Vec<T>, convert: impl Fn(T) -> Result<U, Error>) -> Result<Vec<U>, Status> {
        let converted: Result<_, Error> = items.into_iter().map(convert).collect();
        converted.map_err(|error| self.fail(&error))
    }

    /// The status of an error, which is counted.
    fn fail(&self, error: &Error) -> Status {
        self.api.telemetry().error(error.code);
        status::of(error)
    }
}

type Answer<M> = Result<Response<M>, Status>;

#[tonic::async_trait]
impl Dapr for Calls {
    async fn invoke_service(&self, request: Request<InvokeServiceRequest>) -> Answer<InvokeResponse> {
        invoke::invoke(&self.api, self.max_body, request).await
    }

    async fn get_state(&self, request: Request<GetStateRequest>) -> Answer<GetStateResponse> {
        let mut request = request.into_inner();
        let store = std::mem::take(&mut request.store_name);
        self.answer(
            self.api.get_state(&store, state::get(request)).await,
            state::found,
        )
    }

    async fn get_bulk_state(&self, request: Request<GetBulkStateRequest>) -> Answer<GetBulkStateResponse> {
        let request = request.into_inner();
        // Zero and less mean that the store decides.
        let parallelism = usize::try_from(request.parallelism).unwrap_or_default();
        let metadata = request.metadata.into_iter().collect();
        let reads = self
            .api
            .get_bulk_state(&request.store_name, request.keys, parallelism, metadata);
        self.answer(reads.await, |items| GetBulkStateResponse {
            items: items.into_iter().map(state::bulk_found).collect(),
        })
    }

    async fn save_state(&self, request: Request<SaveStateRequest>) -> Answer<()> {
        let request = request.into_inner();
        let items = self.all(request.states, state::set)?;
        self.answer(self.api.save_state(&request.store_name, items).await, identity)
    }

    async fn delete_state(&self, request: Request<DeleteStateRequest>) -> Answer<()> {
        let mut request = request.into_inner();
        let store = std::mem::take(&mut request.store_name);
        self.answer(
            self.api.delete_state(&store, state::delete(request)).await,
            identity,
        )
    }

    async fn delete_bulk_state(&self, request: Request<DeleteBulkStateRequest>) -> Answer<()> {
        let request = request.into_inner();
        let items = request.states.into_iter().map(state::delete_item).collect();
        self.answer(
            self.api.delete_bulk_state(&request.store_name, items).await,
            identity,
        )
    }

    async fn execute_state_transaction(
        &self,
        request: Request<ExecuteStateTransactionRequest>,
    ) -> Answer<()> {
        let trace = trace_of(&request);
        let request = request.into_inner();
        let (api, store) = (&self.api, &request.store_name);
        api.check_transactional(store)
            .map_err(|error| self.fail(&error))?;
        let operations = self.all(request.operations, state::operation)?;
        let metadata = request.metadata.into_iter().collect();
        let done = api.transact_state_in(store, operations, metadata, &trace);
        self.answer(done.await, identity)
    }

    async fn query_state_alpha1(&self, request: Request<QueryStateRequest>) -> Answer<QueryStateResponse> {
        Err(self.fail(&self.api.query_state(&request.get_ref().store_name)))
    }

    async fn publish_event(&self, request: Request<PublishEventRequest>) -> Answer<()> {
        self.answer(self.api.publish(publish::single(request)).await, identity)
    }

    async fn bulk_publish_event(&self, request: Request<BulkPublishRequest>) -> Answer<BulkPublishResponse> {
        let done = self.api.publish_bulk(publish::bulk(request)).await;
        // An error has no room for those that failed; callers of Dapr get the error.
        let done = done.and_then(|answer| answer.error.map_or(Ok(()), Err));
        self.answer(done, |()| BulkPublishResponse::default())
    }

    async fn bulk_publish_event_alpha1(
        &self,
        request: Request<BulkPublishRequest>,
    ) -> Answer<BulkPublishResponse> {
        self.bulk_publish_event(request).await
    }

    async fn subscribe_topic_events_alpha1(
        &self,
        request: Request<Streaming<SubscribeTopicEventsRequestAlpha1>>,
    ) -> Answer<BoxStream<SubscribeTopicEventsResponseAlpha1>> {
        let Some(streams) = &self.streams else {
            return Err(self.fail(&Error::unbuilt(STREAMS)));
        };
        let answers = subscribe::subscribe(&**streams, request.into_inner()).await?;
        Ok(Response::new(answers))
    }

    async fn get_secret(&self, request: Request<GetSecretRequest>) -> Answer<GetSecretResponse> {
        let request = request.into_inner();
        let metadata = request.metadata.into_iter().collect();
        let got = self
            .api
            .get_secret(&request.store_name, &request.key, &metadata)
            .await;
        self.answer(got, secrets::one)
    }

    async fn get_bulk_secret(&self, request: Request<GetBulkSecretRequest>) -> Answer<GetBulkSecretResponse> {
        let request = request.into_inner();
        let metadata = request.metadata.into_iter().collect();
        let got = self.api.get_bulk_secret(&request.store_name, &metadata).await;
        self.answer(got, secrets::all)
    }

    async fn get_metadata(&self, _: Request<GetMetadataRequest>) -> Answer<GetMetadataResponse> {
        Ok(Response::new(metadata::encode(self.api.metadata())))
    }

    async fn set_metadata(&self, request: Request<SetMetadataRequest>) -> Answer<()> {
        let request = request.into_inner();
        self.api.set_metadata(&request.key, request.value);
        Ok(Response::new(()))
    }

    async fn shutdown(&self, request: Request<ShutdownRequest>) -> Answer<()> {
        let map: &http::HeaderMap = request.metadata().as_ref();
        let mut asked = map.get_all(headers::FORCE_SHUTDOWN).iter();
        let force = asked.any(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
        self.api.shut_down(force);
        Ok(Response::new(()))
    }
}
