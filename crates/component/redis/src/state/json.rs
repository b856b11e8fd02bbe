//! The document layout: `{"data":…,"version":n,"first-write":0}` in a RedisJSON key.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use outrigger_block_state::{ETag, Error, Item, Metadata, Value};
use serde_json::value::RawValue;

use crate::{fault::Fault, link::Link};

/// The metadata of a request that asks for it.
const KEY: &str = "contentType";
const VALUE: &str = "application/json";

/// Whether a request asks for the document layout.
pub(super) fn is_asked_for(metadata: &Metadata) -> bool {
    metadata.get(KEY).is_some_and(|value| value == VALUE)
}

/// Whether the server has RedisJSON: a command without its arguments is refused one way or the other.
pub(super) async fn is_supported(link: &Link) -> Result<bool, Fault> {
    match link.send(&redis::cmd("JSON.GET"), link.reading()).await {
        Ok(_) => Ok(true),
        Err(Fault::Refused(error)) => {
            let reason = error.details().unwrap_or_default();
            Ok(!(error.code() == "ERR" && reason.starts_with("unknown command")))
        }
        Err(fault) => Err(fault),
    }
}

/// The document of a value; the script adds the version. Bytes that are no JSON become base64, as Go writes them.
pub(super) fn document(value: &Value) -> Vec<u8> {
    let mut document = Vec::with_capacity(value.bytes().len() + 16);
    document.extend_from_slice(b"{\"data\":");
    match value {
        Value::Json(text) => document.extend_from_slice(text),
        Value::Bytes(bytes) if serde_json::from_slice::<&RawValue>(bytes).is_ok() => {
            document.extend_from_slice(bytes);
        }
        Value::Bytes(bytes) => {
            document.push(b'"');
            document.extend_from_slice(STANDARD.encode(bytes).as_bytes());
            document.push(b'"');
        }
    }
    document.push(b'}');
    document
}

/// The value and the version in a document.
pub(super) fn item(document: &[u8]) -> Result<Item, Error> {
    let fields: std::collections::BTreeMap<String, &RawValue> =
        serde_json::from_slice(document).map_err(|error| Error::failed("read a document of Redis", error))?;
    let text = |name: &str| fields.get(name).map(|value| value.get());
    Ok(Item {
        data: Bytes::from(text("data").unwrap_or("null").to_owned()),
        etag: text("version").and_then(ETag::new),
        metadata: Metadata::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_hold_json_as_it_is_and_other_bytes_as_base64() {
        let of = |value: Value| String::from_utf8(document(&value)).unwrap();
        assert_eq!(
            of(Value::Json(Bytes::from_static(b"{\"a\":1.0}"))),
            r#"{"data":{"a":1.0}}"#
        );
        assert_eq!(
            of(Value::Bytes(Bytes::from_static(b"[1, 2]"))),
            r#"{"data":[1, 2]}"#
        );
        assert_eq!(
            of(Value::Bytes(Bytes::from_static(b"\x01"))),
            r#"{"data":"AQ=="}"#
        );
    }

    #[test]
    fn documents_are_read_without_changing_numbers() {
        let item = item(br#"{"data":{"n":1.000000000000000000001},"version":3,"first-write":0}"#).unwrap();
        assert_eq!(&item.data[..], br#"{"n":1.000000000000000000001}"#);
        assert_eq!(item.etag.unwrap().as_str(), "3");
        assert!(super::item(b"[]").is_err());
    }
}
