//! Which subscriptions a gRPC app asks for: `ListTopicSubscriptions` (dapr-runtime.md §3.2).

use http::HeaderMap;
use outrigger_resource_manifest::{BulkSubscribe, Routes, Rule};
use outrigger_wire_names::grpc;
use outrigger_wire_proto::runtime::{TopicRoutes, TopicSubscription};
use tonic::Code;

use super::{GrpcChannel, status};
use crate::{AppSubscription, Error};

/// The path of the events of a subscription that names none: empty, by which the SDKs' servers know their default
/// handler.
const DEFAULT_PATH: &str = "";

/// Asks the app; one that does not implement the call has none.
pub(super) async fn list(channel: &GrpcChannel) -> Result<Vec<AppSubscription>, Error> {
    let request = channel.request((), HeaderMap::new());
    let mut callback = channel.callback();
    let call = callback.list_topic_subscriptions(request);
    match channel.count(grpc::LIST_TOPIC_SUBSCRIPTIONS, 0, call).await {
        Ok(answer) => Ok(answer
            .into_inner()
            .subscriptions
            .into_iter()
            .map(convert)
            .collect()),
        Err(status) if status.code() == Code::Unimplemented => Ok(Vec::new()),
        Err(status) => Err(status::lost(&status).map_or_else(|| status.into(), Error::from)),
    }
}

fn convert(entry: TopicSubscription) -> AppSubscription {
    let bulk = entry.bulk_subscribe.unwrap_or_default();
    AppSubscription {
        pubsub_name: entry.pubsub_name,
        topic: entry.topic,
        metadata: entry.metadata.into_iter().collect(),
        routes: routes(entry.routes.unwrap_or_default()),
        dead_letter_topic: Some(entry.dead_letter_topic).filter(|topic| !topic.is_empty()),
        bulk: BulkSubscribe {
            enabled: bulk.enabled,
            max_messages_count: positive(bulk.max_messages_count),
            max_await_duration_ms: positive(bulk.max_await_duration_ms),
        },
    }
}

/// Without any route, events go to the default path.
fn routes(given: TopicRoutes) -> Routes {
    let rules: Vec<Rule> = given
        .rules
        .into_iter()
        .map(|rule| Rule {
            match_: rule.r#match,
            path: rule.path,
        })
        .collect();
    let default = match given.default {
        path if !path.is_empty() => Some(path),
        _ if rules.is_empty() => Some(DEFAULT_PATH.to_owned()),
        _ => None,
    };
    Routes { rules, default }
}

fn positive(number: i32) -> Option<u32> {
    u32::try_from(number).ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_without_routes_gets_the_default_one() {
        assert_eq!(routes(TopicRoutes::default()).default.as_deref(), Some(""));
        let ruled = TopicRoutes {
            rules: vec![outrigger_wire_proto::runtime::TopicRule::default()],
            default: String::new(),
        };
        assert_eq!(routes(ruled).default, None);
    }
}
