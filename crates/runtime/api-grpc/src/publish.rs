//! Publishing over gRPC.

use outrigger_base_telemetry::trace::TraceContext;
use outrigger_runtime_api::{BulkItem, BulkPublishRequest, PublishRequest, trace};
use outrigger_wire_proto::runtime::{
    BulkPublishRequest as BulkMessage, BulkPublishRequestEntry, PublishEventRequest,
};
use tonic::Request;

/// The trace that a request belongs to: that of its own span.
pub(crate) fn trace_of<M>(request: &Request<M>) -> TraceContext {
    trace::of(request.metadata().as_ref()).unwrap_or_default()
}

pub(crate) fn single(request: Request<PublishEventRequest>) -> PublishRequest {
    let trace = trace_of(&request);
    let message = request.into_inner();
    PublishRequest {
        pubsub: message.pubsub_name,
        topic: message.topic,
        data: message.data,
        content_type: message.data_content_type,
        metadata: message.metadata.into_iter().collect(),
        trace,
    }
}

pub(crate) fn bulk(request: Request<BulkMessage>) -> BulkPublishRequest {
    let trace = trace_of(&request);
    let message = request.into_inner();
    BulkPublishRequest {
        pubsub: message.pubsub_name,
        topic: message.topic,
        items: message.entries.into_iter().map(item).collect(),
        metadata: message.metadata.into_iter().collect(),
        trace,
    }
}

fn item(entry: BulkPublishRequestEntry) -> BulkItem {
    BulkItem {
        id: entry.entry_id,
        data: entry.event,
        content_type: entry.content_type,
        metadata: entry.metadata.into_iter().collect(),
    }
}
