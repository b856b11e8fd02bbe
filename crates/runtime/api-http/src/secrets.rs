//! Secrets over HTTP (dapr-runtime.md §1.6).

use std::collections::BTreeMap;

use http::{Response, StatusCode};
use outrigger_base_std::Secret;
use outrigger_runtime_api::Error;
use outrigger_transport::Body;

use crate::{answer, face::Call, query};

pub(crate) async fn get(call: Call<'_>, store: &str, name: &str) -> Result<Response<Body>, Error> {
    let keys = call
        .api
        .get_secret(store, &query::unescape(name), &query::metadata(call.query()))
        .await?;
    Ok(json(&texts(&keys)))
}

pub(crate) async fn bulk(call: Call<'_>, store: &str) -> Result<Response<Body>, Error> {
    let all = call
        .api
        .get_bulk_secret(store, &query::metadata(call.query()))
        .await?;
    let all: BTreeMap<_, _> = all
        .iter()
        .map(|(name, keys)| (name.as_str(), texts(keys)))
        .collect();
    Ok(json(&all))
}

/// The texts of a secret: this is where they are meant to leave.
fn texts(keys: &BTreeMap<String, Secret>) -> BTreeMap<&str, &str> {
    keys.iter()
        .map(|(key, secret)| (key.as_str(), secret.expose()))
        .collect()
}

fn json<T: serde::Serialize>(value: &T) -> Response<Body> {
    match serde_json::to_vec(value) {
        Ok(text) => answer::json_bytes(StatusCode::OK, text),
        // Maps from text to text always serialise.
        Err(_) => answer::empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
