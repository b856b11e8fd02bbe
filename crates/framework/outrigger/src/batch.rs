//! Events that come in bulk: one delivery, whose events are handed to their handler one after the other.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, header::CONTENT_TYPE};
use outrigger_block_pubsub::{
    Metadata,
    envelope::{self, Event},
};
use outrigger_runtime_channel::{BulkDelivery, BulkEntry, Error};
use outrigger_wire_names::{cloud_event, content};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Request, Verdict, channel::event_request, handler::EventFn, program::Program, status::Status};

/// Hands the events of a delivery to their handler, in their order. Gives back what it made of each, by the entry's id.
pub(crate) async fn deliver<'d>(
    program: &Program,
    handler: &EventFn,
    delivery: &BulkDelivery<'d>,
) -> Result<Vec<(&'d str, Verdict)>, Error> {
    let mut verdicts = Vec::with_capacity(delivery.entries.len());
    for entry in delivery.entries {
        let request = entry_request(delivery, entry)?;
        verdicts.push((entry.id.as_str(), program.event(handler, request).await));
    }
    Ok(verdicts)
}

/// One entry as a delivery of its own: bytes that are no event become one, and the event's own trace goes along.
fn entry_request(delivery: &BulkDelivery<'_>, entry: &BulkEntry) -> Result<Request, Error> {
    let (topic, pubsub) = (delivery.topic, delivery.pubsub_name);
    let event = if entry.is_envelope {
        entry.event.clone()
    } else {
        envelope::from_raw(&entry.id, topic, pubsub, &entry.event, &entry.metadata)
    };
    let parsed = Event::parse(&event).ok();
    let parent = parsed.as_ref().and_then(Event::trace_parent);
    event_request(delivery.path, event.clone(), &entry.metadata, parent.as_deref())
}

/// A bulk delivery in the body of a request, as an HTTP app gets it.
#[derive(Deserialize)]
pub(crate) struct Batch<'a> {
    #[serde(rename = "type", default, borrow)]
    type_: Cow<'a, str>,
    #[serde(default)]
    id: String,
    #[serde(default)]
    topic: String,
    #[serde(default)]
    pubsubname: String,
    #[serde(default, borrow)]
    entries: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(default)]
    entry_id: String,
    #[serde(borrow)]
    event: &'a RawValue,
    #[serde(default)]
    content_type: String,
    #[serde(default)]
    metadata: Option<Metadata>,
}

/// Whether the body of a request may be a bulk delivery: a single event says that it is one.
pub(crate) fn may_be(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.and_then(|kind| kind.split(';').next())
        .is_some_and(|media| media.trim().eq_ignore_ascii_case(content::JSON))
}

impl<'a> Batch<'a> {
    /// Reads a body; `None` where it is no bulk delivery.
    pub(crate) fn parse(body: &'a [u8]) -> Option<Self> {
        let batch: Self = serde_json::from_slice(body).ok()?;
        (batch.type_ == cloud_event::DEFAULT_BULK_TYPE).then_some(batch)
    }

    /// Hands its events to their handler, and gives back the answer for the sidecar. `body` is what it was read from.
    pub(crate) async fn deliver(
        self,
        body: &Bytes,
        path: &str,
        program: &Program,
        handler: &EventFn,
    ) -> Result<Statuses, Error> {
        let entries: Vec<BulkEntry> = self.entries.into_iter().map(|entry| entry.read(body)).collect();
        let delivery = BulkDelivery {
            id: self.id,
            path,
            topic: &self.topic,
            pubsub_name: &self.pubsubname,
            entries: &entries,
        };
        let verdicts = deliver(program, handler, &delivery).await?.into_iter();
        let statuses = verdicts.map(|(id, verdict)| EntryStatus {
            entry_id: id.to_owned(),
            status: verdict.into(),
        });
        Ok(Statuses {
            statuses: statuses.collect(),
        })
    }
}

impl Entry<'_> {
    /// A text stands for bytes that are no event, in base64. One that is not base64 is left as it is: no event either.
    fn read(self, body: &Bytes) -> BulkEntry {
        let json = self.event.get();
        let text = serde_json::from_str::<Cow<'_, str>>(json).ok();
        let raw = text.and_then(|text| BASE64_STANDARD.decode(&*text).ok());
        BulkEntry {
            id: self.entry_id,
            is_envelope: raw.is_none(),
            event: raw.map_or_else(|| body.slice_ref(json.as_bytes()), Bytes::from),
            content_type: self.content_type,
            metadata: self.metadata.unwrap_or_default(),
        }
    }
}

/// The answer to a bulk delivery.
#[derive(Debug, Serialize)]
pub(crate) struct Statuses {
    statuses: Vec<EntryStatus>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryStatus {
    entry_id: String,
    #[serde(flatten)]
    status: Status,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bulk_delivery_is_told_from_an_event() {
        let body = Bytes::from_static(
            br#"{"id":"d","type":"com.dapr.event.sent.bulk","topic":"t","pubsubname":"p","entries":[
                {"entryId":"1","event":{"data":7},"contentType":"application/cloudevents+json"},
                {"entryId":"2","event":"AAE=","contentType":"application/octet-stream","metadata":{"k":"v"}},
                {"entryId":"3","event":"!"}]}"#,
        );
        let batch = Batch::parse(&body).unwrap();
        let entries: Vec<BulkEntry> = batch.entries.into_iter().map(|entry| entry.read(&body)).collect();
        let seen: Vec<_> = entries
            .iter()
            .map(|entry| (entry.id.as_str(), entry.is_envelope, &entry.event[..]))
            .collect();
        let expected: [(&str, bool, &[u8]); 3] = [
            ("1", true, br#"{"data":7}"#),
            ("2", false, &[0, 1]),
            ("3", true, br#""!""#),
        ];
        assert_eq!(seen, expected);
        assert_eq!(entries[1].metadata["k"], "v");
        assert!(Batch::parse(br#"{"type":"com.dapr.event.sent","data":{}}"#).is_none());
        assert!(Batch::parse(b"[]").is_none());
    }

    #[test]
    fn only_plain_json_may_be_a_bulk_delivery() {
        let of = |kind: &'static str| may_be(&HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]));
        assert!(of("application/json; charset=utf-8"));
        assert!(!of("application/cloudevents+json"));
        assert!(!may_be(&HeaderMap::new()));
    }
}
