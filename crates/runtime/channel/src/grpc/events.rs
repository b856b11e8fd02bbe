//! Events on their way to a gRPC app: `OnTopicEvent` and `OnBulkTopicEvent` (dapr-runtime.md §3.5).

pub(super) mod message;

use http::HeaderMap;
use outrigger_wire_names::grpc;
use outrigger_wire_proto::runtime::{
    TopicEventBulkRequest, TopicEventBulkResponse, topic_event_response::TopicEventResponseStatus as Answer,
};
use prost::Message;
use tonic::{Code, Status};

use super::{GrpcChannel, metadata, status};
use crate::{BulkDelivery, Error, EventDelivery, EventVerdict, Verdicts};

/// Hands one event to the app. One that does not implement the call has taken it.
pub(super) async fn deliver(
    channel: &GrpcChannel,
    delivery: EventDelivery<'_>,
) -> Result<EventVerdict, Error> {
    let message = message::single(&delivery)?;
    let metadata = metadata::of_event(delivery.metadata, delivery.traceparent);
    let sent = message.encoded_len();
    let request = channel.request(message, metadata);
    let mut callback = channel.callback();
    let call = callback.on_topic_event(request);
    match channel.count(grpc::ON_TOPIC_EVENT, sent, call).await {
        Ok(answer) => Ok(verdict(answer.into_inner().status)),
        Err(status) if status.code() == Code::Unimplemented => {
            tracing::warn!(
                topic = delivery.topic,
                "non-retriable error returned from app while processing pub/sub event: {status}"
            );
            Ok(EventVerdict::Success)
        }
        Err(status) => Err(failed(status)),
    }
}

/// Hands many events to the app, over the older call where it lacks the newer one. Events that no message can be made of
/// stay behind and are not named in the answer.
pub(super) async fn deliver_bulk(
    channel: &GrpcChannel,
    delivery: BulkDelivery<'_>,
) -> Result<Verdicts, Error> {
    let metadata = metadata::of_event(&delivery.metadata(), None);
    match call_bulk(channel, message::bulk(&delivery), metadata).await {
        Ok(answer) => {
            let named = answer.statuses.into_iter();
            Ok(named.map(|one| (one.entry_id, verdict(one.status))).collect())
        }
        Err(status) if status.code() == Code::Unimplemented => {
            tracing::warn!(
                topic = delivery.topic,
                "non-retriable error returned from app while processing bulk pub/sub event: {status}"
            );
            let taken = |id: &str| (id.to_owned(), EventVerdict::Success);
            Ok(delivery.entries.iter().map(|entry| taken(&entry.id)).collect())
        }
        Err(status) => Err(failed(status)),
    }
}

async fn call_bulk(
    channel: &GrpcChannel,
    message: TopicEventBulkRequest,
    metadata: HeaderMap,
) -> Result<TopicEventBulkResponse, Status> {
    // The payloads are shared, so that the copy for the fallback costs little.
    let sent = message.encoded_len();
    let request = channel.request(message.clone(), metadata.clone());
    let mut callback = channel.callback();
    let call = callback.on_bulk_topic_event(request);
    let answer = match channel.count(grpc::ON_BULK_TOPIC_EVENT, sent, call).await {
        Err(status) if status.code() == Code::Unimplemented => {
            let request = channel.request(message, metadata);
            let mut callback = channel.callback_alpha();
            let call = callback.on_bulk_topic_event_alpha1(request);
            channel.count(grpc::ON_BULK_TOPIC_EVENT_ALPHA, sent, call).await
        }
        answer => answer,
    };
    answer.map(tonic::Response::into_inner)
}

/// What an app's answer to an event means. A status that this runtime does not know counts as RETRY.
pub fn verdict(status: i32) -> EventVerdict {
    match Answer::try_from(status) {
        Ok(Answer::Success) => EventVerdict::Success,
        Ok(Answer::Drop) => EventVerdict::Drop,
        Ok(Answer::Retry) => EventVerdict::Retry,
        Err(_) => {
            tracing::warn!(
                status,
                "app answered an event with an unknown status; it counts as RETRY"
            );
            EventVerdict::Retry
        }
    }
}

fn failed(status: Status) -> Error {
    status::lost(&status).map_or_else(|| status.into(), Error::from)
}
