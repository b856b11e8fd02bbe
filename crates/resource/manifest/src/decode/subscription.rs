//! Reads `Subscription` of both API versions.

use super::{
    common,
    field::{Field, Object},
};
use crate::{BulkSubscribe, Routes, Rule, Subscription};

/// The older form: one route.
pub(super) fn v1(root: &Field<'_>) -> Subscription {
    read(root, "route", |spec| Routes {
        rules: Vec::new(),
        default: spec.get("route").some_text(),
    })
}

/// The newer form: rules and a default.
pub(super) fn v2(root: &Field<'_>) -> Subscription {
    read(root, "routes", |spec| {
        let routes = spec.get("routes").object(&["rules", "default"]);
        Routes {
            rules: routes.get("rules").list().iter().map(rule).collect(),
            default: routes.get("default").some_text(),
        }
    })
}

fn rule(field: &Field<'_>) -> Rule {
    let object = field.object(&["match", "path"]);
    Rule {
        match_: object.get("match").text_or_empty(),
        path: object.get("path").text_or_empty(),
    }
}

fn read(
    root: &Field<'_>,
    routes_name: &'static str,
    routes: impl FnOnce(&Object<'_>) -> Routes,
) -> Subscription {
    let document = root.object(&["apiVersion", "kind", "metadata", "spec", "scopes", "status"]);
    let meta = common::meta(&document);
    let spec = document.get("spec").object(&[
        "pubsubname",
        "topic",
        routes_name,
        "metadata",
        "deadLetterTopic",
        "bulkSubscribe",
    ]);
    let subscription = Subscription {
        name: meta.name,
        namespace: meta.namespace,
        pubsub_name: spec.get("pubsubname").text_or_empty(),
        topic: spec.get("topic").text_or_empty(),
        routes: routes(&spec),
        metadata: spec.get("metadata").string_map(),
        dead_letter_topic: spec.get("deadLetterTopic").some_text(),
        bulk_subscribe: bulk_subscribe(&spec.get("bulkSubscribe")),
        scopes: document.get("scopes").string_list(),
        origin: root.origin(),
    };
    warn_of_gaps(&subscription, &spec, routes_name);
    subscription
}

fn warn_of_gaps(subscription: &Subscription, spec: &Object<'_>, routes_name: &'static str) {
    if subscription.pubsub_name.is_empty() {
        spec.get("pubsubname").missing("the name of a pub/sub component");
    }
    if subscription.topic.is_empty() {
        spec.get("topic").missing("the topic to subscribe to");
    }
    if subscription.routes.rules.is_empty() && subscription.routes.default.is_none() {
        spec.get(routes_name)
            .missing("where events go; without it every event is dropped");
    }
}

fn bulk_subscribe(field: &Field<'_>) -> BulkSubscribe {
    let object = field.object(&["enabled", "maxMessagesCount", "maxAwaitDurationMs"]);
    // Zero and negative numbers mean the default, as in Dapr.
    let positive = |name| {
        object
            .get(name)
            .int(i32::MIN.into(), i32::MAX.into())
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| *number > 0)
    };
    BulkSubscribe {
        enabled: object.get("enabled").flag(),
        max_messages_count: positive("maxMessagesCount"),
        max_await_duration_ms: positive("maxAwaitDurationMs"),
    }
}
