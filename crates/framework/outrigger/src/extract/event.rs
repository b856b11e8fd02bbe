//! An event of a topic.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use outrigger_block_pubsub::envelope;
use outrigger_wire_names::cloud_event;
use serde::de::DeserializeOwned;

use super::{FromRequest, body::whole};
use crate::{Error, Request};

/// An event, its payload read into `T`.
///
/// `T` is any type that JSON can be read into, or [`Payload`] for the bytes as they are. A payload that is not what is
/// expected will not become it by waiting: such an event is dropped, into the dead-letter topic where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<T> {
    /// Its id, the same on every delivery of it.
    pub id: String,
    /// Who published it: an app id, unless the publisher said something else.
    pub source: String,
    /// Its type.
    pub event_type: String,
    /// What it is about; empty where nothing was said.
    pub subject: String,
    /// The topic that it was published to.
    pub topic: String,
    /// The broker component.
    pub pubsub: String,
    /// What the payload is.
    pub content_type: String,
    /// The payload.
    pub data: T,
}

/// The payload of an event as bytes: JSON as it was written, texts as UTF-8, anything else as it was published.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Payload(pub Bytes);

/// What the payload of an event can be read into. Every type that JSON can be read into is one, and [`Payload`].
pub trait EventData: Sized {
    /// Reads a payload.
    ///
    /// # Errors
    /// What is wrong with it.
    fn from_data(data: Data<'_>) -> Result<Self, Error>;
}

/// A payload as its envelope carries it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Data<'a> {
    /// One JSON value as text; a string for texts of other content types.
    Json(&'a str),
    /// Bytes of no JSON form.
    Bytes(Vec<u8>),
    /// No payload.
    None,
}

impl<T: DeserializeOwned> EventData for T {
    fn from_data(data: Data<'_>) -> Result<Self, Error> {
        let read = match &data {
            Data::Json(text) => serde_json::from_str(text),
            Data::Bytes(bytes) => serde_json::from_slice(bytes),
            Data::None => serde_json::from_str("null"),
        };
        read.map_err(|error| Error::bad_request(format!("the event's data is not what is expected: {error}")))
    }
}

impl EventData for Payload {
    fn from_data(data: Data<'_>) -> Result<Self, Error> {
        Ok(Self(match data {
            Data::Json(text) if text.starts_with('"') => match serde_json::from_str::<String>(text) {
                Ok(text) => text.into(),
                Err(error) => {
                    return Err(Error::bad_request(format!(
                        "the event's data is no text: {error}"
                    )));
                }
            },
            Data::Json(text) => Bytes::copy_from_slice(text.as_bytes()),
            Data::Bytes(bytes) => bytes.into(),
            Data::None => Bytes::new(),
        }))
    }
}

impl<T: EventData> FromRequest for Event<T> {
    async fn from_request(request: Request) -> Result<Self, Error> {
        let body = whole(request).await?;
        Self::parse(&body)
    }
}

impl<T: EventData> Event<T> {
    fn parse(body: &[u8]) -> Result<Self, Error> {
        let event = envelope::Event::parse(body).map_err(|error| {
            Error::bad_request(format!("this is no event: {}", outrigger_base_std::chain(&error)))
        })?;
        let owned = |text: Option<Cow<'_, str>>| text.map_or_else(String::new, Cow::into_owned);
        Ok(Self {
            id: owned(event.id()),
            source: owned(event.source()),
            event_type: owned(event.event_type()),
            subject: owned(event.text("subject")),
            topic: owned(event.topic()),
            pubsub: owned(event.pubsub_name()),
            content_type: owned(event.data_content_type()),
            data: T::from_data(data(&event)?)?,
        })
    }
}

fn data<'a>(event: &envelope::Event<'a>) -> Result<Data<'a>, Error> {
    if let Some(json) = event.data() {
        return Ok(Data::Json(json.get()));
    }
    match event.text(cloud_event::DATA_BASE64) {
        None => Ok(Data::None),
        Some(text) => BASE64_STANDARD
            .decode(&*text)
            .map(Data::Bytes)
            .map_err(|error| Error::bad_request(format!("the event's data is not base64: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_texts_and_bytes_are_read() {
        let event: Event<Vec<u8>> = Event::parse(
            br#"{"id":"1","source":"s","type":"t","topic":"o","pubsubname":"p","datacontenttype":"application/json","data":[1,2]}"#,
        )
        .unwrap();
        assert_eq!(
            (
                event.id.as_str(),
                event.source.as_str(),
                event.event_type.as_str()
            ),
            ("1", "s", "t")
        );
        assert_eq!((event.topic.as_str(), event.pubsub.as_str()), ("o", "p"));
        assert_eq!(event.data, [1, 2]);
        let text: Event<String> = Event::parse(br#"{"data":"hello"}"#).unwrap();
        assert_eq!(text.data, "hello");
        let bytes: Event<Payload> = Event::parse(br#"{"data_base64":"AAE="}"#).unwrap();
        assert_eq!(bytes.data.0, [0u8, 1][..]);
        let json: Event<Payload> = Event::parse(br#"{"data":{"a": 1}}"#).unwrap();
        assert_eq!(json.data.0, r#"{"a": 1}"#);
        let none: Event<Option<u8>> = Event::parse(b"{}").unwrap();
        assert_eq!(none.data, None);
    }

    #[test]
    fn what_cannot_be_read_is_a_bad_request() {
        for bad in [&b"no json"[..], br#"{"data":"x"}"#, br#"{"data_base64":"!"}"#] {
            let error = Event::<u32>::parse(bad).unwrap_err();
            assert_eq!(error.status(), Some(http::StatusCode::BAD_REQUEST), "{error}");
        }
    }
}
