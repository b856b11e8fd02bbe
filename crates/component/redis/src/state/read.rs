//! Reading a key.

use bytes::Bytes;
use outrigger_block_state::{ETag, Error, GetRequest, Item, Metadata};
use redis::{Cmd, Value};

use super::{RedisStore, json};
use crate::{fault::Fault, value};

/// What every failure here was about.
const ATTEMPTED: &str = "read a key from Redis";

/// The value of a key: a hash, or a plain string that somebody else wrote, which has no version.
pub(super) async fn get(store: &RedisStore, request: &GetRequest) -> Result<Option<Item>, Error> {
    if store.wants_json(&request.metadata) {
        let answer = ask(store, "JSON.GET", &request.key).await;
        return match answer.map_err(|fault| fault.into_state(ATTEMPTED))? {
            Value::Nil => Ok(None),
            document => {
                let document = value::bytes(document).map_err(|fault| fault.into_state(ATTEMPTED))?;
                json::item(&document).map(Some)
            }
        };
    }
    let found = match ask(store, "HGETALL", &request.key).await {
        Err(fault) if fault.code() == Some("WRONGTYPE") => plain(ask(store, "GET", &request.key).await),
        answer => answer.and_then(hash),
    };
    found.map_err(|fault| fault.into_state(ATTEMPTED))
}

async fn ask(store: &RedisStore, name: &str, key: &str) -> Result<Value, Fault> {
    let mut command = Cmd::with_capacity(2, name.len() + key.len());
    command.arg(name).arg(key);
    store.link.send(&command, store.link.reading()).await
}

fn hash(answer: Value) -> Result<Option<Item>, Fault> {
    let fields = value::pairs(answer)?;
    if fields.is_empty() {
        return Ok(None);
    }
    let (mut data, mut version) = (None, None);
    for (name, content) in fields {
        match &value::bytes(name)?[..] {
            b"data" => data = Some(value::bytes(content)?),
            b"version" => version = Some(value::text(content)?),
            _ => {}
        }
    }
    match (data, version) {
        (Some(data), Some(version)) => Ok(Some(item(data, Some(version)))),
        _ => Err(Fault::Strange(
            "a hash without the field 'data' or 'version'".to_owned(),
        )),
    }
}

fn plain(answer: Result<Value, Fault>) -> Result<Option<Item>, Fault> {
    match answer? {
        Value::Nil => Ok(None),
        text => Ok(Some(item(value::bytes(text)?, None))),
    }
}

fn item(data: Vec<u8>, version: Option<String>) -> Item {
    Item {
        data: Bytes::from(data),
        etag: version.and_then(ETag::new),
        metadata: Metadata::new(),
    }
}
