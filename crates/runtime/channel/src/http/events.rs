//! Events on their way to an HTTP app (dapr-runtime.md §3.5).

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST},
};
use outrigger_base_std::Object;
use outrigger_block_pubsub::Metadata;
use outrigger_transport::{Body, hop};
use outrigger_wire_names::{cloud_event, content, headers};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{HttpChannel, rooted};
use crate::{BulkDelivery, BulkEntry, Error, EventDelivery, EventVerdict, Verdicts};

/// Posts an event to its route and reads the verdict.
pub(super) async fn deliver(
    channel: &HttpChannel,
    delivery: EventDelivery<'_>,
) -> Result<EventVerdict, Error> {
    let mut request = channel.own(
        Method::POST,
        &rooted(delivery.path),
        delivery.envelope.clone().into(),
    )?;
    // What a publisher says is laid under what is ours: the app's token.
    let own = std::mem::replace(request.headers_mut(), of_metadata(delivery.metadata));
    let headers = request.headers_mut();
    headers.extend(own);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content::CLOUD_EVENT));
    if let Some(parent) = delivery
        .traceparent
        .and_then(|parent| HeaderValue::from_str(parent).ok())
    {
        headers.insert(headers::TRACEPARENT, parent);
    }
    let response = channel.send(request).await.map_err(|failed| failed.error)?;
    let status = response.status();
    let body = HttpChannel::collect(response).await?;
    Ok(verdict(status, &body))
}

/// Broker metadata as headers. What is no header is left out, and so is what would say something else of the request
/// than what it is: any publisher can send such metadata, and with `content-length` cut the event, or smuggle another.
pub fn of_metadata(metadata: &Metadata) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(metadata.len() + 2);
    for (name, value) in metadata {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            map.insert(name, value);
        }
    }
    hop::strip(&mut map);
    for name in [&CONTENT_LENGTH, &HOST, &EXPECT, &headers::API_TOKEN] {
        map.remove(name);
    }
    map
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(default, borrow)]
    status: std::borrow::Cow<'a, str>,
}

/// What an app's answer to an event says. A 2xx without a status in its body is a success, 404 drops, anything else retries.
pub fn verdict(status: StatusCode, body: &[u8]) -> EventVerdict {
    if status == StatusCode::NOT_FOUND {
        tracing::error!("app has no route for an event (404); the event is dropped");
        return EventVerdict::Drop;
    }
    if !status.is_success() {
        tracing::warn!(%status, body = %String::from_utf8_lossy(&body[..body.len().min(256)]), "app did not take an event");
        return EventVerdict::Retry;
    }
    match first::<Object<Answer<'_>>>(body) {
        Err(_) => EventVerdict::Success,
        Ok(Object(answer)) => of_text(&answer.status).unwrap_or(EventVerdict::Success),
    }
}

/// The first JSON value of a body. What follows it is not looked at, as with the peers.
fn first<'a, T: Deserialize<'a>>(body: &'a [u8]) -> serde_json::Result<T> {
    T::deserialize(&mut serde_json::Deserializer::from_slice(body))
}

/// A status by its name, in the case that it has; `None` for the empty one, which means different things for singles and
/// in bulk.
fn of_text(status: &str) -> Option<EventVerdict> {
    match status {
        "" => None,
        "SUCCESS" => Some(EventVerdict::Success),
        "DROP" => Some(EventVerdict::Drop),
        "RETRY" => Some(EventVerdict::Retry),
        _ => {
            tracing::warn!(
                status,
                "app answered an event with an unknown status; it counts as RETRY"
            );
            Some(EventVerdict::Retry)
        }
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    id: &'a str,
    entries: Vec<Entry<'a>>,
    metadata: Metadata,
    topic: &'a str,
    pubsubname: &'a str,
    #[serde(rename = "type")]
    type_: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    entry_id: &'a str,
    event: Box<RawValue>,
    /// `null` where there is none, as from the peers.
    metadata: Option<&'a Metadata>,
    content_type: &'a str,
}

/// Posts many events in one envelope and reads the verdicts.
pub(super) async fn deliver_bulk(
    channel: &HttpChannel,
    delivery: BulkDelivery<'_>,
) -> Result<Verdicts, Error> {
    let request = bulk_request(channel, &delivery)?;
    let response = channel.send(request).await.map_err(|failed| failed.error)?;
    let status = response.status();
    let body = HttpChannel::collect(response).await?;
    Ok(bulk_verdicts(status, &body, delivery.entries))
}

fn bulk_request(channel: &HttpChannel, delivery: &BulkDelivery<'_>) -> Result<Request<Body>, Error> {
    let body = Bytes::from(bulk_body(delivery)?);
    let mut request = channel.own(Method::POST, &rooted(delivery.path), body.into())?;
    // The name of a broker that cannot be a header's value stands in the body only.
    let metadata = of_metadata(&delivery.metadata());
    let own = std::mem::replace(request.headers_mut(), metadata);
    let headers = request.headers_mut();
    headers.extend(own);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content::JSON));
    Ok(request)
}

/// The body of a bulk delivery, as HTTP apps get it.
///
/// # Errors
/// An envelope that is not JSON.
pub fn bulk_body(delivery: &BulkDelivery<'_>) -> Result<Vec<u8>, Error> {
    let entries = delivery
        .entries
        .iter()
        .map(bulk_entry)
        .collect::<Result<_, _>>()?;
    let envelope = Envelope {
        id: &delivery.id,
        entries,
        metadata: delivery.metadata(),
        topic: delivery.topic,
        pubsubname: delivery.pubsub_name,
        type_: cloud_event::DEFAULT_BULK_TYPE,
    };
    serde_json::to_vec(&envelope).map_err(|error| event_error(&error))
}

/// An envelope goes in as the JSON that it is; raw bytes as base64 text.
fn bulk_entry(entry: &BulkEntry) -> Result<Entry<'_>, Error> {
    let event = if entry.is_envelope {
        serde_json::from_slice(&entry.event)
    } else {
        serde_json::value::to_raw_value(&BASE64_STANDARD.encode(&entry.event))
    };
    Ok(Entry {
        entry_id: &entry.id,
        event: event.map_err(|error| event_error(&error))?,
        metadata: Some(&entry.metadata).filter(|metadata| !metadata.is_empty()),
        content_type: &entry.content_type,
    })
}

fn event_error(error: &serde_json::Error) -> Error {
    Error::Answer {
        call: "bulk delivery",
        reason: format!("an event is not JSON: {error}"),
    }
}

#[derive(Deserialize)]
struct BulkAnswer {
    #[serde(default)]
    statuses: Vec<Object<BulkStatus>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct BulkStatus {
    entry_id: String,
    status: String,
}

/// 404 takes the whole batch, which is lost, as with Dapr: only the log tells. Another failure retries it, and so does an answer that cannot be read: unlike a single
/// event, an entry is taken only where the app says so. Entries without a verdict are retried.
pub fn bulk_verdicts(status: StatusCode, body: &[u8], entries: &[BulkEntry]) -> Verdicts {
    let all = |verdict| entries.iter().map(|entry| (entry.id.clone(), verdict)).collect();
    if status == StatusCode::NOT_FOUND {
        let count = entries.len();
        tracing::error!(
            "app has no route for a batch (404); its {count} events are dropped, without a dead letter"
        );
        return all(EventVerdict::Success);
    }
    if !status.is_success() {
        return all(EventVerdict::Retry);
    }
    match first::<Object<BulkAnswer>>(body) {
        Err(error) => {
            tracing::warn!("failed unmarshalling app response for bulk subscribe: {error}");
            all(EventVerdict::Retry)
        }
        Ok(Object(answer)) => {
            let named = answer.statuses.into_iter();
            named
                .map(|Object(one)| (one.entry_id, of_text(&one.status).unwrap_or(EventVerdict::Retry)))
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_body_decide() {
        let of = |status: u16, body: &str| verdict(StatusCode::from_u16(status).unwrap(), body.as_bytes());
        assert_eq!(of(200, ""), EventVerdict::Success);
        assert_eq!(of(204, "not json"), EventVerdict::Success);
        assert_eq!(of(200, r#"{"status":"SUCCESS"}"#), EventVerdict::Success);
        assert_eq!(of(200, r#"{"status":""}"#), EventVerdict::Success);
        assert_eq!(of(200, r#"{"status":"DROP"}"#), EventVerdict::Drop);
        assert_eq!(of(200, r#"{"status":"RETRY"}"#), EventVerdict::Retry);
        assert_eq!(of(200, r#"{"status":"what"}"#), EventVerdict::Retry);
        assert_eq!(of(200, r#"{"status":"drop"}"#), EventVerdict::Retry);
        assert_eq!(of(200, r#"{"status":"RETRY"} and more"#), EventVerdict::Retry);
        assert_eq!(of(404, ""), EventVerdict::Drop);
        assert_eq!(of(500, ""), EventVerdict::Retry);
    }

    #[test]
    fn a_batch_names_its_broker_and_has_no_empty_metadata() {
        let entry = |id: &str, metadata: &[(&str, &str)]| BulkEntry {
            id: id.to_owned(),
            event: Bytes::from_static(b"\x00"),
            is_envelope: false,
            content_type: "application/octet-stream".to_owned(),
            metadata: metadata
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        let delivery = BulkDelivery {
            id: "i".to_owned(),
            path: "/bulk",
            topic: "t",
            pubsub_name: "ps",
            entries: &[entry("1", &[]), entry("2", &[("k", "v")])],
        };
        let settings = crate::Settings {
            address: "127.0.0.1".to_owned(),
            port: 1,
            protocol: crate::Protocol::Http,
            token: Some("secret".into()),
            app_id: "app".to_owned(),
            max_head: 4096,
            max_body: 4096,
        };
        let channel = HttpChannel::new(&settings, outrigger_base_task::TaskSet::new("test")).unwrap();
        let request = bulk_request(&channel, &delivery).unwrap();
        assert_eq!(request.uri(), "/bulk");
        assert_eq!(request.headers()["pubsubname"], "ps");
        assert_eq!(request.headers()["content-type"], "application/json");
        assert_eq!(request.headers()["dapr-api-token"], "secret");
        assert_eq!(
            String::from_utf8(bulk_body(&delivery).unwrap()).unwrap(),
            concat!(
                r#"{"id":"i","entries":["#,
                r#"{"entryId":"1","event":"AA==","metadata":null,"contentType":"application/octet-stream"},"#,
                r#"{"entryId":"2","event":"AA==","metadata":{"k":"v"},"contentType":"application/octet-stream"}],"#,
                r#""metadata":{"pubsubName":"ps"},"topic":"t","pubsubname":"ps","type":"com.dapr.event.sent.bulk"}"#
            )
        );
    }

    #[test]
    fn bulk_entries_without_a_verdict_are_not_named() {
        let entry = |id: &str| BulkEntry {
            id: id.to_owned(),
            event: Bytes::from_static(b"{}"),
            is_envelope: true,
            content_type: "application/cloudevents+json".to_owned(),
            metadata: Metadata::new(),
        };
        let entries = [entry("1"), entry("2")];
        let body = br#"{"statuses":[{"entryId":"1","status":"SUCCESS"},{"entryId":"x","status":""}]}"#;
        let verdicts = bulk_verdicts(StatusCode::OK, body, &entries);
        assert_eq!(verdicts.get("1"), Some(&EventVerdict::Success));
        assert_eq!(verdicts.get("2"), None);
        assert_eq!(verdicts.get("x"), Some(&EventVerdict::Retry));
        assert_eq!(bulk_verdicts(StatusCode::NOT_FOUND, b"", &entries).len(), 2);
        for unreadable in [&b""[..], b"ok", br#"{"statuses":null}"#, b"[]"] {
            let verdicts = bulk_verdicts(StatusCode::OK, unreadable, &entries);
            assert_eq!(verdicts.len(), 2);
            assert!(verdicts.values().all(|verdict| *verdict == EventVerdict::Retry));
        }
    }

    /// Counts what is logged as an error.
    #[derive(Clone, Default)]
    struct Errors(std::sync::Arc<std::sync::atomic::AtomicUsize>);

    impl tracing::Subscriber for Errors {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }

        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

        fn event(&self, event: &tracing::Event<'_>) {
            if *event.metadata().level() == tracing::Level::ERROR {
                self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }

        fn enter(&self, _: &tracing::span::Id) {}

        fn exit(&self, _: &tracing::span::Id) {}
    }

    #[test]
    fn a_batch_that_is_lost_is_logged_as_an_error() {
        let errors = Errors::default();
        tracing::subscriber::with_default(errors.clone(), || {
            bulk_verdicts(StatusCode::NOT_FOUND, b"", &[]);
            bulk_verdicts(StatusCode::OK, br#"{"statuses":[]}"#, &[]);
        });
        assert_eq!(errors.0.load(std::sync::atomic::Ordering::Relaxed), 1);
    }

    #[test]
    fn metadata_says_nothing_of_the_request_itself() {
        let pairs = [
            ("key", "value"),
            ("content-length", "3"),
            ("Transfer-Encoding", "chunked"),
            ("connection", "close, key2"),
            ("key2", "nominated"),
            ("host", "elsewhere"),
            ("expect", "100-continue"),
            ("dapr-api-token", "guess"),
            ("no header", "x"),
        ];
        let metadata = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let map = of_metadata(&metadata.into());
        assert_eq!(map.len(), 1, "{map:?}");
        assert_eq!(map["key"], "value");
    }
}
