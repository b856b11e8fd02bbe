//! Publishing over HTTP (dapr-runtime.md §1.5).

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Response, header::CONTENT_TYPE};
use outrigger_base_std::Object;
use outrigger_base_telemetry::trace::TraceContext;
use outrigger_block_state::Metadata;
use outrigger_runtime_api::{BulkItem, BulkPublishRequest, Error, PublishRequest};
use outrigger_transport::Body;
use outrigger_wire_names::content;
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use crate::{answer, face::Call, json::compact, query, state::read};

pub(crate) async fn publish(call: Call<'_>, pubsub: &str, topic: &str) -> Result<Response<Body>, Error> {
    let (pubsub, topic) = (
        query::unescape(pubsub).into_owned(),
        query::unescape(topic).into_owned(),
    );
    call.api.check_topic(&pubsub, &topic)?;
    let metadata = query::metadata(call.query());
    let content_type = content_type(call.request.headers());
    let trace = trace(&call);
    let data = read(call.request.into_body(), call.max_body).await?;
    call.api
        .publish(PublishRequest {
            pubsub,
            topic,
            data,
            content_type,
            metadata,
            trace,
        })
        .await?;
    Ok(answer::no_content())
}

/// One entry of a bulk request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(default)]
    entry_id: String,
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
    #[serde(default)]
    content_type: String,
    #[serde(default)]
    metadata: Option<Metadata>,
}

pub(crate) async fn bulk(call: Call<'_>, pubsub: &str, topic: &str) -> Result<Response<Body>, Error> {
    let (pubsub, topic) = (
        query::unescape(pubsub).into_owned(),
        query::unescape(topic).into_owned(),
    );
    call.api.check_topic(&pubsub, &topic)?;
    let metadata = query::metadata(call.query());
    let trace = trace(&call);
    let body = read(call.request.into_body(), call.max_body).await?;
    let unreadable = |reason: String| call.api.bulk_unreadable(&pubsub, &topic, &reason);
    let entries: Vec<Object<Entry<'_>>> =
        serde_json::from_slice(&body).map_err(|error| unreadable(error.to_string()))?;
    let mismatch = |reason: String| call.api.bulk_mismatch(&pubsub, &topic, &reason);
    let items = entries
        .into_iter()
        .map(|Object(entry)| item(entry, &body).map_err(mismatch));
    let items = items.collect::<Result<_, _>>()?;
    let request = BulkPublishRequest {
        pubsub: pubsub.clone(),
        topic: topic.clone(),
        items,
        metadata,
        trace,
    };
    let answer = call.api.publish_bulk(request).await?;
    let Some(error) = answer.error else {
        return Ok(answer::no_content());
    };
    call.api.telemetry().error(error.code);
    let failed: Vec<_> = answer
        .failed
        .iter()
        .map(|(id, reason)| json!({"entryId": id, "error": reason}))
        .collect();
    Ok(answer::json_value(
        error.http,
        &json!({"failedEntries": failed, "errorCode": error.code.name}),
    ))
}

fn item(entry: Entry<'_>, body: &Bytes) -> Result<BulkItem, String> {
    Ok(BulkItem {
        data: event_bytes(&entry, body)?,
        id: entry.entry_id,
        content_type: entry.content_type,
        metadata: entry.metadata.unwrap_or_default(),
    })
}

/// The bytes of an event, as its content type says that JSON carries them.
fn event_bytes(entry: &Entry<'_>, body: &Bytes) -> Result<Bytes, String> {
    let raw = entry.event.ok_or("event is missing")?;
    let kind = entry.content_type.as_str();
    let media = kind.split(';').next().unwrap_or(kind).trim().to_ascii_lowercase();
    let string = || {
        serde_json::from_str::<String>(raw.get()).map_err(|_| format!("event of type {kind} is not a string"))
    };
    match media.as_str() {
        content::OCTET_STREAM => {
            let decoded = BASE64_STANDARD.decode(string()?);
            decoded
                .map(Bytes::from)
                .map_err(|error| format!("event is not base64: {error}"))
        }
        media if media.starts_with("text/") || media == content::XML => string().map(Bytes::from),
        content::JSON | content::CLOUD_EVENT => Ok(compact(body, raw)),
        media if media.ends_with("+json") => Ok(compact(body, raw)),
        _ => Err(format!(
            "unsupported content type {kind:?}; expected JSON, text/* or application/octet-stream"
        )),
    }
}

fn content_type(map: &HeaderMap) -> String {
    map.get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

/// The trace that a request belongs to: that of its own span.
pub(crate) fn trace(call: &Call<'_>) -> TraceContext {
    outrigger_runtime_api::trace::of(call.request.headers()).unwrap_or_default()
}
