//! What an HTTP app is asked once it is there (dapr-runtime.md §3.2).

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use outrigger_base_std::Object;
use outrigger_resource_manifest::{BulkSubscribe, Routes, Rule};
use outrigger_transport::Body;
use outrigger_wire_names::{content, headers, routes};
use serde::Deserialize;

use super::HttpChannel;
use crate::{AppSubscription, Error};

/// Asks for the app's configuration; anything but 200 means that it has none.
pub(super) async fn config(channel: &HttpChannel) -> Result<Option<Bytes>, Error> {
    let (status, body) = ask(channel, routes::APP_CONFIG).await?;
    Ok((status == StatusCode::OK).then_some(body))
}

/// Asks for the app's subscriptions; 404 means that it has none.
pub(super) async fn subscriptions(channel: &HttpChannel) -> Result<Vec<AppSubscription>, Error> {
    let (status, body) = ask(channel, routes::APP_SUBSCRIBE).await?;
    match status {
        StatusCode::OK => parse(&body),
        StatusCode::NOT_FOUND => Ok(Vec::new()),
        other => Err(answer(format!("status {other}"))),
    }
}

async fn ask(channel: &HttpChannel, path: &str) -> Result<(StatusCode, Bytes), Error> {
    let mut request = channel.own(Method::GET, path, Body::empty())?;
    request
        .headers_mut()
        .insert(headers::APP_ID, channel.app_id.clone());
    request
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content::JSON));
    let response = channel.send(request).await.map_err(|failed| failed.error)?;
    let status = response.status();
    Ok((status, HttpChannel::collect(response).await?))
}

fn answer(reason: String) -> Error {
    Error::Answer {
        call: routes::APP_SUBSCRIBE,
        reason,
    }
}

/// One entry of the app's answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Entry {
    pubsubname: String,
    topic: String,
    dead_letter_topic: String,
    metadata: Option<BTreeMap<String, String>>,
    route: String,
    routes: Option<Object<EntryRoutes>>,
    bulk_subscribe: Option<Object<EntryBulk>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct EntryRoutes {
    rules: Vec<Object<EntryRule>>,
    default: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct EntryRule {
    #[serde(rename = "match")]
    match_: String,
    path: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct EntryBulk {
    enabled: bool,
    max_messages_count: i64,
    max_await_duration_ms: i64,
}

/// Reads the answer; an entry that has no route at all is dropped with a warning.
fn parse(body: &[u8]) -> Result<Vec<AppSubscription>, Error> {
    let entries: Option<Vec<Object<Entry>>> =
        serde_json::from_slice(body).map_err(|error| answer(error.to_string()))?;
    Ok(entries
        .unwrap_or_default()
        .into_iter()
        .map(|Object(entry)| entry)
        .filter_map(convert)
        .collect())
}

fn convert(entry: Entry) -> Option<AppSubscription> {
    let routes = merge(entry.route, entry.routes.unwrap_or_default().0);
    if routes.rules.is_empty() && routes.default.is_none() {
        tracing::warn!(
            pubsub = entry.pubsubname,
            topic = entry.topic,
            "subscription of the app has neither route nor routes and is left out"
        );
        return None;
    }
    let Object(bulk) = entry.bulk_subscribe.unwrap_or_default();
    Some(AppSubscription {
        pubsub_name: entry.pubsubname,
        topic: entry.topic,
        metadata: entry.metadata.unwrap_or_default(),
        routes,
        dead_letter_topic: Some(entry.dead_letter_topic).filter(|topic| !topic.is_empty()),
        bulk: BulkSubscribe {
            enabled: bulk.enabled,
            max_messages_count: positive(bulk.max_messages_count),
            max_await_duration_ms: positive(bulk.max_await_duration_ms),
        },
    })
}

/// The single route is the default of the rules, unless the rules bring one.
fn merge(route: String, routes: EntryRoutes) -> Routes {
    let default = [routes.default, route].into_iter().find(|path| !path.is_empty());
    let rules = routes
        .rules
        .into_iter()
        .map(|Object(rule)| Rule {
            match_: rule.match_,
            path: rule.path,
        })
        .collect();
    Routes { rules, default }
}

fn positive(number: i64) -> Option<u32> {
    u32::try_from(number).ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms_of_routes() {
        let body = br#"[{"pubsubname":"p","topic":"a","route":"/a"},
            {"pubsubname":"p","topic":"b","routes":{"rules":[{"match":"true","path":"/r"}],"default":"/d"},
             "deadLetterTopic":"dead","metadata":{"rawPayload":"true"},"bulkSubscribe":{"enabled":true,"maxMessagesCount":5}},
            {"pubsubname":"p","topic":"c"}]"#;
        let subscriptions = parse(body).unwrap();
        assert_eq!(subscriptions.len(), 2);
        assert_eq!(subscriptions[0].routes.default.as_deref(), Some("/a"));
        assert_eq!(subscriptions[1].routes.rules[0].path, "/r");
        assert_eq!(subscriptions[1].dead_letter_topic.as_deref(), Some("dead"));
        assert_eq!(subscriptions[1].bulk.max_messages_count, Some(5));
    }

    #[test]
    fn says_what_is_wrong_with_an_answer() {
        let error = parse(b"{").unwrap_err().to_string();
        assert!(
            error.starts_with("cannot understand the app's answer to /dapr/subscribe: "),
            "{error}"
        );
        assert_eq!(parse(b"null").unwrap(), []);
    }
}
