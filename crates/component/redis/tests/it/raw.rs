//! The server as anybody sees it, and stores opened on it.

use std::sync::Arc;

use bytes::Bytes;
use outrigger_block_kit::{Context, Properties};
use outrigger_block_state::{
    Concurrency, DeleteRequest, ETag, GetRequest, Item, Metadata, Options, SetRequest, Store, Value,
};
use outrigger_testing_harness::RedisServer;
use redis::{FromRedisValue, aio::MultiplexedConnection};

/// A plain connection that sends what it is told.
#[derive(Clone)]
pub(crate) struct Raw(MultiplexedConnection);

impl Raw {
    pub(crate) async fn to(server: &RedisServer) -> Self {
        let client = redis::Client::open(server.url()).unwrap();
        Self(client.get_multiplexed_async_connection().await.unwrap())
    }

    pub(crate) async fn try_ask<T: FromRedisValue>(&self, words: &[&str]) -> redis::RedisResult<T> {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut self.0.clone()).await
    }

    pub(crate) async fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        self.try_ask(words)
            .await
            .unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// Sends what changes something and answers nothing of interest.
    pub(crate) async fn tell(&self, words: &[&str]) {
        self.ask::<redis::Value>(words).await;
    }
}

/// Properties for a server, with more of them.
pub(crate) fn properties(server: &RedisServer, more: &[(&str, &str)]) -> Properties {
    let mut properties = Properties::new(more.iter().copied());
    if properties.get("redisHost").is_none() {
        properties.set("redisHost", server.address());
    }
    properties
}

pub(crate) async fn store_with(server: &RedisServer, more: &[(&str, &str)]) -> Arc<dyn Store> {
    let context = Context::for_test("redis");
    outrigger_component_redis::store(context, properties(server, more))
        .await
        .unwrap()
}

/// A server, a store on it and a plain connection.
pub(crate) async fn setup() -> (RedisServer, Arc<dyn Store>, Raw) {
    let server = RedisServer::start().await.unwrap();
    let store = store_with(&server, &[]).await;
    let raw = Raw::to(&server).await;
    (server, store, raw)
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

pub(crate) fn set_if(key: &str, value: &str, etag: &str) -> SetRequest {
    SetRequest {
        etag: ETag::new(etag),
        ..set(key, value)
    }
}

pub(crate) fn first(mut request: SetRequest) -> SetRequest {
    request.options.concurrency = Concurrency::FirstWrite;
    request
}

pub(crate) fn last(mut request: SetRequest) -> SetRequest {
    request.options.concurrency = Concurrency::LastWrite;
    request
}

pub(crate) fn ttl(mut request: SetRequest, seconds: &str) -> SetRequest {
    request
        .metadata
        .insert("ttlInSeconds".to_owned(), seconds.to_owned());
    request
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

pub(crate) fn get(key: &str) -> GetRequest {
    GetRequest {
        key: key.to_owned(),
        ..GetRequest::default()
    }
}

pub(crate) async fn read(store: &dyn Store, key: &str) -> Option<(String, Option<String>)> {
    let item: Item = store.get(get(key)).await.unwrap()?;
    assert!(item.metadata.is_empty(), "Dapr's store gives no metadata");
    let data = String::from_utf8(item.data.to_vec()).unwrap();
    Some((data, item.etag.map(|etag| etag.as_str().to_owned())))
}

/// What [`read`] gives for a value with a version.
#[allow(clippy::unnecessary_wraps, reason = "it is compared with what read gives")]
pub(crate) fn held(data: &str, version: &str) -> Option<(String, Option<String>)> {
    Some((data.to_owned(), Some(version.to_owned())))
}
