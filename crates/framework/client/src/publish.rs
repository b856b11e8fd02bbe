//! Publishing.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use outrigger_transport::Body;
use outrigger_wire_names::{content, routes};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    Client, Error, Pairs,
    exchange::{refusal, request},
    path::PathBuilder,
    state::{raw, to_json},
};

/// Bytes that the answer to a bulk publish may have: an entry for each event that failed.
const ANSWER_LIMIT: u64 = 16 * 1024 * 1024;

/// One event of a bulk publish.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BulkEvent {
    /// The caller's name for it, unique in the request.
    pub id: String,
    /// The payload.
    pub data: Bytes,
    /// What the payload is.
    pub content_type: String,
    /// For the component, laid over the request's.
    pub metadata: Pairs,
}

/// An event of a bulk publish that was not published.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedEvent {
    /// The caller's name for it.
    #[serde(rename = "entryId")]
    pub id: String,
    /// Why.
    #[serde(default)]
    pub error: String,
}

impl Client {
    /// Publishes one event: in an envelope, unless metadata asks for it raw.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such broker, the topic is out of scope, or the broker failed.
    pub async fn publish(
        &self,
        pubsub: &str,
        topic: &str,
        data: impl Into<Bytes>,
        content_type: &str,
        metadata: &Pairs,
    ) -> Result<(), Error> {
        let path = PathBuilder::new(&[routes::V1, routes::PUBLISH])
            .segment(pubsub)
            .tail(topic)
            .metadata(metadata)
            .into_string();
        let mut request = request(Method::POST, &path, Body::from(data.into()))?;
        if !content_type.is_empty() {
            let value = HeaderValue::from_str(content_type)
                .map_err(|_| Error::Input(format!("{content_type:?} is not a content type")))?;
            request.headers_mut().insert(CONTENT_TYPE, value);
        }
        self.ask_with(request, "publish").await.map(drop)
    }

    /// Publishes many events; gives back those that were not published.
    ///
    /// # Errors
    /// [`Error::Refused`] when none was tried.
    pub async fn publish_bulk(
        &self,
        pubsub: &str,
        topic: &str,
        events: &[BulkEvent],
        metadata: &Pairs,
    ) -> Result<Vec<FailedEvent>, Error> {
        let entries: Result<Vec<_>, Error> = events.iter().map(entry).collect();
        let path = PathBuilder::new(&[routes::V1, routes::PUBLISH, routes::BULK])
            .segment(pubsub)
            .tail(topic)
            .metadata(metadata)
            .into_string();
        let mut request = request(Method::POST, &path, to_json(&entries?, "events")?.into())?;
        request
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(content::JSON));
        let attempted = "publish in bulk";
        let response = self.send(request, attempted).await?;
        let status = response.status();
        let body = response.into_body().collect(ANSWER_LIMIT).await;
        let body = body.map_err(|error| Error::unreachable(attempted, error))?;
        failed(status, &body)
    }
}

/// A partial failure has an error status and a list; a refusal has the status alone.
fn failed(status: StatusCode, body: &[u8]) -> Result<Vec<FailedEvent>, Error> {
    #[derive(Deserialize)]
    struct Partial {
        #[serde(rename = "failedEntries")]
        failed_entries: Vec<FailedEvent>,
    }
    if status.is_success() {
        return Ok(Vec::new());
    }
    match serde_json::from_slice::<Partial>(body) {
        Ok(partial) => Ok(partial.failed_entries),
        Err(_) => Err(Error::Refused(Box::new(refusal(status, body)))),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    entry_id: &'a str,
    event: Event<'a>,
    content_type: &'a str,
    #[serde(skip_serializing_if = "Pairs::is_empty")]
    metadata: &'a Pairs,
}

/// How JSON carries a payload: as it is, as a text, or as base64, by its content type.
#[derive(Serialize)]
#[serde(untagged)]
enum Event<'a> {
    Json(&'a RawValue),
    Text(String),
}

fn entry(event: &BulkEvent) -> Result<Entry<'_>, Error> {
    let kind = event.content_type.split(';').next().unwrap_or_default().trim();
    let carried = if kind == content::JSON || kind.ends_with("+json") {
        Event::Json(raw(&event.data, "an event")?)
    } else if kind.starts_with("text/") {
        let text = String::from_utf8(event.data.to_vec());
        Event::Text(text.map_err(|error| Error::Encode {
            what: "an event".into(),
            source: error.into(),
        })?)
    } else {
        Event::Text(BASE64_STANDARD.encode(&event.data))
    };
    Ok(Entry {
        entry_id: &event.id,
        event: carried,
        content_type: &event.content_type,
        metadata: &event.metadata,
    })
}
