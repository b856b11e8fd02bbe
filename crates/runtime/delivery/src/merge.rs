//! What is subscribed to: declarations and the app's own wishes in one list.

use std::collections::HashMap;

use outrigger_resource_manifest::{BulkSubscribe, Subscription};
use outrigger_runtime_api::{SubscriptionInfo, SubscriptionKind};
use outrigger_runtime_channel::AppSubscription;

/// A subscription that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) info: SubscriptionInfo,
    pub(crate) bulk: BulkSubscribe,
}

/// One subscription for each broker and topic: of declarations the first counts; the app's own takes the place of a
/// declaration, and of several of its own the last counts (dapr-runtime.md §3.2).
pub(crate) fn merge(declared: &[Subscription], asked: &[AppSubscription]) -> Vec<Wanted> {
    let mut places: HashMap<(&str, &str), usize> = HashMap::with_capacity(declared.len() + asked.len());
    let mut wanted = Vec::with_capacity(declared.len() + asked.len());
    for subscription in declared {
        let key = (subscription.pubsub_name.as_str(), subscription.topic.as_str());
        places.entry(key).or_insert_with(|| {
            wanted.push(of_declaration(subscription));
            wanted.len() - 1
        });
    }
    for subscription in asked {
        let key = (subscription.pubsub_name.as_str(), subscription.topic.as_str());
        match places.get(&key) {
            Some(place) => wanted[*place] = of_app(subscription),
            None => {
                places.insert(key, wanted.len());
                wanted.push(of_app(subscription));
            }
        }
    }
    wanted
}

fn of_declaration(subscription: &Subscription) -> Wanted {
    Wanted {
        info: SubscriptionInfo {
            pubsub_name: subscription.pubsub_name.clone(),
            topic: subscription.topic.clone(),
            metadata: subscription.metadata.clone(),
            routes: subscription.routes.clone(),
            dead_letter_topic: subscription.dead_letter_topic.clone(),
            kind: SubscriptionKind::Declarative,
        },
        bulk: subscription.bulk_subscribe,
    }
}

fn of_app(subscription: &AppSubscription) -> Wanted {
    Wanted {
        info: SubscriptionInfo {
            pubsub_name: subscription.pubsub_name.clone(),
            topic: subscription.topic.clone(),
            metadata: subscription.metadata.clone(),
            routes: subscription.routes.clone(),
            dead_letter_topic: subscription.dead_letter_topic.clone(),
            kind: SubscriptionKind::Programmatic,
        },
        bulk: subscription.bulk,
    }
}

#[cfg(test)]
mod tests {
    use outrigger_resource_manifest::{Origin, Routes};

    use super::*;

    fn routes(path: &str) -> Routes {
        Routes {
            default: Some(path.to_owned()),
            ..Routes::default()
        }
    }

    fn declared(topic: &str, path: &str) -> Subscription {
        Subscription {
            name: format!("sub-{path}"),
            namespace: None,
            pubsub_name: "bus".to_owned(),
            topic: topic.to_owned(),
            routes: routes(path),
            metadata: Default::default(),
            dead_letter_topic: None,
            bulk_subscribe: BulkSubscribe::default(),
            scopes: Vec::new(),
            origin: Origin::of_file(std::path::PathBuf::from("sub.yaml")),
        }
    }

    fn asked(topic: &str, path: &str) -> AppSubscription {
        AppSubscription {
            pubsub_name: "bus".to_owned(),
            topic: topic.to_owned(),
            routes: routes(path),
            ..AppSubscription::default()
        }
    }

    #[test]
    fn the_first_declaration_counts_and_the_app_replaces_it_in_its_place() {
        let declared = [declared("a", "/1"), declared("b", "/2"), declared("a", "/3")];
        let asked = [asked("c", "/4"), asked("a", "/5"), asked("c", "/6")];
        let seen: Vec<_> = merge(&declared, &asked)
            .into_iter()
            .map(|wanted| {
                (
                    wanted.info.topic,
                    wanted.info.routes.default.unwrap(),
                    wanted.info.kind,
                )
            })
            .collect();
        let expected = [
            ("a", "/5", SubscriptionKind::Programmatic),
            ("b", "/2", SubscriptionKind::Declarative),
            ("c", "/6", SubscriptionKind::Programmatic),
        ];
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(topic, path, kind)| (topic.to_owned(), path.to_owned(), kind))
            .collect();
        assert_eq!(seen, expected);
    }
}
