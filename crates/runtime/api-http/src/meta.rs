//! Metadata, health and shutdown over HTTP (dapr-runtime.md §1.10).

use http::{Response, StatusCode};
use outrigger_base_std::go::format_duration;
use outrigger_resource_manifest::Routes;
use outrigger_runtime_api::{
    AppConnection, ComponentInfo, Error, Metadata, SubscriptionInfo, SubscriptionKind,
};
use outrigger_transport::Body;
use outrigger_wire_names::{headers, messages};
use serde_json::{Map, Value, json};

use crate::{answer, face::Call, query, state::read};

pub(crate) fn get(call: &Call<'_>) -> Response<Body> {
    answer::json_value(StatusCode::OK, &metadata(&call.api.metadata()))
}

fn metadata(metadata: &Metadata) -> Value {
    let components = metadata.components.iter().map(component);
    let mut body = Map::new();
    body.insert("id".into(), metadata.id.as_str().into());
    body.insert("runtimeVersion".into(), metadata.runtime_version.into());
    body.insert("enabledFeatures".into(), metadata.enabled_features.clone().into());
    // No actor room yet: the block shows as disabled.
    body.insert(
        "actorRuntime".into(),
        json!({"runtimeStatus": "DISABLED", "hostReady": false, "placement": messages::PLACEMENT_DISCONNECTED}),
    );
    body.insert("components".into(), components.collect());
    body.insert("extended".into(), json!(metadata.extended));
    if !metadata.subscriptions.is_empty() {
        let subscriptions = metadata.subscriptions.iter().map(subscription);
        body.insert("subscriptions".into(), subscriptions.collect());
    }
    if !metadata.http_endpoints.is_empty() {
        let endpoints = metadata.http_endpoints.iter().map(|name| json!({"name": name}));
        body.insert("httpEndpoints".into(), endpoints.collect());
    }
    body.insert(
        "appConnectionProperties".into(),
        app_connection(&metadata.app_connection),
    );
    Value::Object(body)
}

/// A component; capabilities only where there are some, as with Dapr.
fn component(component: &ComponentInfo) -> Value {
    let mut body = Map::new();
    body.insert("name".into(), component.name.as_str().into());
    body.insert("type".into(), component.type_.as_str().into());
    body.insert("version".into(), component.version.as_str().into());
    if !component.capabilities.is_empty() {
        body.insert("capabilities".into(), component.capabilities.clone().into());
    }
    Value::Object(body)
}

fn subscription(subscription: &SubscriptionInfo) -> Value {
    let kind = match subscription.kind {
        SubscriptionKind::Declarative => "DECLARATIVE",
        SubscriptionKind::Programmatic => "PROGRAMMATIC",
        SubscriptionKind::Streaming => "STREAMING",
    };
    let mut body = Map::new();
    body.insert("pubsubname".into(), subscription.pubsub_name.as_str().into());
    body.insert("topic".into(), subscription.topic.as_str().into());
    if !subscription.metadata.is_empty() {
        body.insert("metadata".into(), json!(subscription.metadata));
    }
    let rules = rules(&subscription.routes);
    if !rules.is_empty() {
        body.insert("rules".into(), rules.into());
    }
    let dead_letter = subscription.dead_letter_topic.as_deref();
    body.insert("deadLetterTopic".into(), dead_letter.unwrap_or_default().into());
    body.insert("type".into(), kind.into());
    Value::Object(body)
}

/// The rules, the default one last and without a condition.
fn rules(routes: &Routes) -> Vec<Value> {
    let rules = routes.rules.iter().map(|rule| match rule.match_.as_str() {
        "" => json!({"path": rule.path}),
        text => json!({"match": text, "path": rule.path}),
    });
    let default = routes.default.iter().map(|path| json!({"path": path}));
    rules.chain(default).collect()
}

fn app_connection(app: &AppConnection) -> Value {
    let mut body = Map::new();
    if app.port != 0 {
        body.insert("port".into(), app.port.into());
    }
    body.insert("protocol".into(), app.protocol.as_str().into());
    body.insert("channelAddress".into(), app.channel_address.as_str().into());
    if app.max_concurrency > 0 {
        body.insert("maxConcurrency".into(), app.max_concurrency.into());
    }
    if let Some(health) = &app.health {
        body.insert(
            "health".into(),
            json!({
                "healthCheckPath": health.path,
                "healthProbeInterval": format_duration(health.interval),
                "healthProbeTimeout": format_duration(health.timeout),
                "healthThreshold": health.threshold,
            }),
        );
    }
    Value::Object(body)
}

pub(crate) async fn set(call: Call<'_>, key: &str) -> Result<Response<Body>, Error> {
    let body = read(call.request.into_body(), call.max_body).await?;
    call.api
        .set_metadata(&query::unescape(key), String::from_utf8_lossy(&body).into_owned());
    Ok(answer::no_content())
}

pub(crate) fn health(call: &Call<'_>) -> Result<Response<Body>, Error> {
    let app_id = query::parameter(call.query(), "appid");
    call.api
        .check_health(Some(app_id.as_str()).filter(|id| !id.is_empty()))
        .map(|()| answer::no_content())
}

pub(crate) fn shut_down(call: &Call<'_>) -> Response<Body> {
    let force = call
        .request
        .headers()
        .get(headers::FORCE_SHUTDOWN)
        .is_some_and(|value| value.as_bytes() == b"true");
    call.api.shut_down(force);
    answer::no_content()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_shows_capabilities_that_it_has() {
        let mut info = ComponentInfo {
            name: "a".to_owned(),
            type_: "secretstores.local.env".to_owned(),
            version: "v1".to_owned(),
            capabilities: Vec::new(),
        };
        let plain = json!({"name": "a", "type": "secretstores.local.env", "version": "v1"});
        assert_eq!(component(&info), plain);
        info.capabilities.push("ETAG");
        assert_eq!(component(&info)["capabilities"], json!(["ETAG"]));
    }
}
