//! What the tests share: stores over files, requests, and a look at the file behind the store's back.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use outrigger_base_clock::Clock;
use outrigger_block_kit::{Context, OpenError, Properties};
use outrigger_block_state::{
    DeleteRequest, ETag, Error, GetRequest, Item, Metadata, Operation, Options, SetRequest, Store, Value,
};
use rusqlite::Connection;

/// Enough for whatever is waited for, also on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(10);

pub(crate) type Shared = Arc<dyn Store>;

/// Opens a store over `path` with more properties.
pub(crate) async fn try_open(path: &Path, more: &[(&str, &str)]) -> Result<Shared, OpenError> {
    try_open_string(&format!("file:{}", path.display()), more).await
}

/// As [`try_open`], with a connection string.
pub(crate) async fn try_open_string(string: &str, more: &[(&str, &str)]) -> Result<Shared, OpenError> {
    open_with(Context::for_test("store"), string, more).await
}

pub(crate) async fn open(path: &Path, more: &[(&str, &str)]) -> Shared {
    try_open(path, more).await.unwrap()
}

/// A store whose wall clock is `clock`.
pub(crate) async fn open_at(path: &Path, clock: Arc<dyn Clock>, more: &[(&str, &str)]) -> Shared {
    let context = Context {
        clock,
        ..Context::for_test("store")
    };
    open_with(context, &format!("file:{}", path.display()), more)
        .await
        .unwrap()
}

async fn open_with(context: Context, string: &str, more: &[(&str, &str)]) -> Result<Shared, OpenError> {
    let pairs = more.iter().copied().chain([("connectionString", string)]);
    outrigger_component_sqlite::open(context, Properties::new(pairs)).await
}

pub(crate) fn set(key: &str, value: &str) -> SetRequest {
    SetRequest {
        key: key.to_owned(),
        value: Value::Bytes(Bytes::copy_from_slice(value.as_bytes())),
        etag: None,
        options: Options::default(),
        metadata: Metadata::new(),
    }
}

pub(crate) fn set_json(key: &str, text: &str) -> SetRequest {
    SetRequest {
        value: Value::Json(Bytes::copy_from_slice(text.as_bytes())),
        ..set(key, "")
    }
}

pub(crate) fn set_ttl(key: &str, value: &str, ttl: &str) -> SetRequest {
    SetRequest {
        metadata: Metadata::from([("ttlInSeconds".to_owned(), ttl.to_owned())]),
        ..set(key, value)
    }
}

pub(crate) fn set_if(key: &str, value: &str, etag: &str) -> SetRequest {
    SetRequest {
        etag: ETag::new(etag),
        ..set(key, value)
    }
}

pub(crate) fn delete(key: &str) -> DeleteRequest {
    DeleteRequest {
        key: key.to_owned(),
        ..DeleteRequest::default()
    }
}

pub(crate) fn delete_if(key: &str, etag: &str) -> DeleteRequest {
    DeleteRequest {
        etag: ETag::new(etag),
        ..delete(key)
    }
}

pub(crate) async fn get(store: &Shared, key: &str) -> Result<Option<Item>, Error> {
    let request = GetRequest {
        key: key.to_owned(),
        ..GetRequest::default()
    };
    store.get(request).await
}

/// The text under `key`, if there is any.
pub(crate) async fn text(store: &Shared, key: &str) -> Option<String> {
    let item = get(store, key).await.unwrap()?;
    Some(String::from_utf8(item.data.to_vec()).unwrap())
}

pub(crate) async fn etag(store: &Shared, key: &str) -> String {
    get(store, key)
        .await
        .unwrap()
        .unwrap()
        .etag
        .unwrap()
        .as_str()
        .to_owned()
}

pub(crate) async fn transact(store: &Shared, operations: Vec<Operation>) -> Result<(), Error> {
    let view = store.transactional().unwrap();
    view.transact(operations, Metadata::new()).await
}

/// A connection of someone else, as Dapr's test harness keeps one: WAL, five seconds of patience.
pub(crate) fn raw(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(5)).unwrap();
    connection
}

/// The one value that `query` gives, as text.
pub(crate) fn one(connection: &Connection, query: &str) -> String {
    connection
        .query_row(query, [], |row| {
            Ok(match row.get_ref(0)? {
                rusqlite::types::ValueRef::Null => "NULL".to_owned(),
                rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                other => other.as_str()?.to_owned(),
            })
        })
        .unwrap()
}

/// The tables exactly as Dapr's component makes them.
pub(crate) const DAPR_TABLES: &str = "
    CREATE TABLE IF NOT EXISTS metadata (
        key text NOT NULL PRIMARY KEY,
        value text NOT NULL
    );
    CREATE TABLE IF NOT EXISTS state (
        key TEXT NOT NULL PRIMARY KEY,
        value TEXT NOT NULL,
        is_binary BOOLEAN NOT NULL,
        etag TEXT NOT NULL,
        expiration_time TIMESTAMP DEFAULT NULL,
        update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
    );
    REPLACE INTO metadata (key, value) VALUES ('migrations', '1');";
