//! State over HTTP (dapr-runtime.md §1.4).

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{ETAG, IF_MATCH},
};
use outrigger_base_std::Object;
use outrigger_block_state::{DeleteRequest, ETag, GetRequest, Item, Metadata, Options, SetRequest, Value};
use outrigger_runtime_api::{BulkStateItem, Error, TransactionOp, options, parse_consistency};
use outrigger_transport::Body;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{answer, face::Call, json::compact, publish::trace, query};

/// What a missing value is stored as.
const NULL: &[u8] = b"null";

pub(crate) async fn get(call: Call<'_>, store: &str, key: &str) -> Result<Response<Body>, Error> {
    call.api.check_state(store)?;
    let consistency =
        parse_consistency(&query::parameter(call.query(), "consistency")).map_err(Error::bad_body)?;
    let request = GetRequest {
        key: query::unescape(key).into_owned(),
        consistency,
        metadata: query::metadata(call.query()),
    };
    match call.api.get_state(store, request).await? {
        None => Ok(answer::no_content()),
        Some(item) => Ok(found(item)),
    }
}

fn found(item: Item) -> Response<Body> {
    let mut response = answer::json_bytes(StatusCode::OK, item.data);
    if let Some(etag) = item
        .etag
        .and_then(|etag| HeaderValue::from_str(etag.as_str()).ok())
    {
        response.headers_mut().insert(ETAG, etag);
    }
    answer::add_metadata(&mut response, &item.metadata);
    response
}

/// One item of a save, or the request of an upsert.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(default)]
    key: String,
    #[serde(borrow, default)]
    value: Option<&'a RawValue>,
    #[serde(default)]
    etag: Option<String>,
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    options: Option<Object<EntryOptions>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct EntryOptions {
    concurrency: String,
    consistency: String,
}

impl Entry<'_> {
    fn set(self, body: &Bytes, extra: &Metadata) -> Result<SetRequest, Error> {
        let value = self
            .value
            .map_or(Bytes::from_static(NULL), |raw| compact(body, raw));
        let Object(words) = self.options.unwrap_or_default();
        Ok(SetRequest {
            key: self.key,
            value: Value::Json(value),
            etag: self.etag.and_then(ETag::new),
            options: options(&words.concurrency, &words.consistency).map_err(Error::bad_body)?,
            metadata: merged(self.metadata, extra),
        })
    }

    fn delete(self, extra: &Metadata) -> Result<DeleteRequest, Error> {
        let Object(words) = self.options.unwrap_or_default();
        Ok(DeleteRequest {
            key: self.key,
            etag: self.etag.and_then(ETag::new),
            options: options(&words.concurrency, &words.consistency).map_err(Error::bad_body)?,
            metadata: merged(self.metadata, extra),
        })
    }
}

/// An item's metadata with the query's laid over it.
fn merged(own: Option<Metadata>, extra: &Metadata) -> Metadata {
    let mut all = own.unwrap_or_default();
    all.extend(extra.iter().map(|(key, value)| (key.clone(), value.clone())));
    all
}

pub(crate) async fn save(call: Call<'_>, store: &str) -> Result<Response<Body>, Error> {
    call.api.check_state(store)?;
    let metadata = query::metadata(call.query());
    let body = read(call.request.into_body(), call.max_body).await?;
    let entries: Option<Vec<Object<Entry<'_>>>> =
        serde_json::from_slice(&body).map_err(|error| Error::bad_body(error.to_string()))?;
    let entries = entries.unwrap_or_default();
    if entries.iter().any(|Object(entry)| entry.key.is_empty()) {
        return Err(Error::bad_body("\"key\" is a required field"));
    }
    let requests = entries
        .into_iter()
        .map(|Object(entry)| entry.set(&body, &metadata))
        .collect::<Result<_, _>>()?;
    call.api.save_state(store, requests).await?;
    Ok(answer::no_content())
}

pub(crate) async fn delete(call: Call<'_>, store: &str, key: &str) -> Result<Response<Body>, Error> {
    call.api.check_state(store)?;
    let options = write_options(call.query())?;
    let etag = call
        .request
        .headers()
        .get(IF_MATCH)
        .and_then(|etag| etag.to_str().ok())
        .map(str::to_owned);
    let request = DeleteRequest {
        key: query::unescape(key).into_owned(),
        etag: etag.and_then(ETag::new),
        options,
        metadata: query::metadata(call.query()),
    };
    call.api.delete_state(store, request).await?;
    Ok(answer::no_content())
}

fn write_options(query: Option<&str>) -> Result<Options, Error> {
    let (concurrency, consistency) = (
        query::parameter(query, "concurrency"),
        query::parameter(query, "consistency"),
    );
    options(&concurrency, &consistency).map_err(Error::bad_body)
}

#[derive(Deserialize)]
struct BulkGet {
    #[serde(default)]
    keys: Option<Vec<String>>,
    #[serde(default)]
    parallelism: i64,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Serialize)]
struct BulkGetAnswer<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(crate) async fn bulk_get(call: Call<'_>, store: &str) -> Result<Response<Body>, Error> {
    call.api.check_state(store)?;
    let metadata = query::metadata(call.query());
    let body = read(call.request.into_body(), call.max_body).await?;
    let Object(request): Object<BulkGet> = serde_json::from_slice(&body).map_err(Error::malformed)?;
    let parallelism = usize::try_from(request.parallelism).unwrap_or(0);
    let keys = request.keys.unwrap_or_default();
    let items = call
        .api
        .get_bulk_state(store, keys, parallelism, merged(request.metadata, &metadata))
        .await?;
    let answers: Vec<_> = items.iter().map(bulk_answer).collect();
    let text = serde_json::to_vec(&answers).map_err(|error| Error::bad_body(error.to_string()))?;
    Ok(answer::json_bytes(StatusCode::OK, text))
}

fn bulk_answer(item: &BulkStateItem) -> BulkGetAnswer<'_> {
    let mut answer = BulkGetAnswer {
        key: &item.key,
        data: None,
        etag: None,
        metadata: None,
        error: item.error.clone(),
    };
    if let Some(found) = &item.item {
        match serde_json::from_slice(&found.data) {
            Ok(raw) => answer.data = Some(raw),
            // A gRPC caller may have stored what is no JSON; the other items are still good.
            Err(_) => {
                answer.error = Some(format!(
                    "the value of {:?} is not JSON; read it by itself",
                    item.key
                ));
            }
        }
        answer.etag = found.etag.as_ref().map(ETag::as_str);
        answer.metadata = Some(&found.metadata).filter(|metadata| !metadata.is_empty());
    }
    answer
}

#[derive(Deserialize)]
struct Transaction<'a> {
    #[serde(borrow, default)]
    operations: Option<Vec<Object<TransactionEntry<'a>>>>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct TransactionEntry<'a> {
    #[serde(default)]
    operation: String,
    #[serde(borrow)]
    request: Object<Entry<'a>>,
}

pub(crate) async fn transact(call: Call<'_>, store: &str) -> Result<Response<Body>, Error> {
    call.api.check_transactional(store)?;
    let trace = trace(&call);
    let metadata = query::metadata(call.query());
    let body = read(call.request.into_body(), call.max_body).await?;
    let Object(request): Object<Transaction<'_>> = serde_json::from_slice(&body).map_err(Error::malformed)?;
    let entries = request.operations.unwrap_or_default().into_iter();
    let operations = entries
        .map(|Object(entry)| operation(entry, &body, &metadata))
        .collect::<Result<Vec<_>, _>>()?;
    let metadata = merged(request.metadata, &metadata);
    call.api
        .transact_state_in(store, operations, metadata, &trace)
        .await?;
    Ok(answer::no_content())
}

fn operation(entry: TransactionEntry<'_>, body: &Bytes, metadata: &Metadata) -> Result<TransactionOp, Error> {
    let Object(request) = entry.request;
    match entry.operation.as_str() {
        "upsert" => Ok(TransactionOp::Upsert(request.set(body, metadata)?)),
        "delete" => Ok(TransactionOp::Delete(request.delete(metadata)?)),
        other => Err(Error::state_operation(other)),
    }
}

/// The whole body of a request.
pub(crate) async fn read(body: Body, max: u64) -> Result<Bytes, Error> {
    body.collect(max)
        .await
        .map_err(|error| Error::body_read(outrigger_base_std::chain(&error)))
}
