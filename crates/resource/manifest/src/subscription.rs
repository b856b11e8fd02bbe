//! `Subscription`: a declared interest in a topic, in one form for both API versions.

use std::collections::BTreeMap;

use crate::Origin;

/// A declarative subscription. The older API version's single `route` is `routes.default` here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`, if the manifest gives one that is not empty.
    pub namespace: Option<String>,
    /// The pub/sub component.
    pub pubsub_name: String,
    /// The topic.
    pub topic: String,
    /// Where events go in the application.
    pub routes: Routes,
    /// Passed to the component and to delivery (`rawPayload` and the like).
    pub metadata: BTreeMap<String, String>,
    /// Where events go that could not be delivered, on the same component.
    pub dead_letter_topic: Option<String>,
    /// Delivery in batches.
    pub bulk_subscribe: BulkSubscribe,
    /// The apps it is for; empty is every app.
    pub scopes: Vec<String>,
    /// Where it was written.
    pub origin: Origin,
}

/// Ordered rules and what applies when none matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    /// Tested in order; the first that matches decides.
    pub rules: Vec<Rule>,
    /// The path when no rule matches; without one such an event is dropped.
    pub default: Option<String>,
}

/// One rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// A CEL expression over `event`; empty matches every event.
    pub match_: String,
    /// The path that events go to.
    pub path: String,
}

/// Delivery in batches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BulkSubscribe {
    /// Whether batches are wanted.
    pub enabled: bool,
    /// Most messages of one batch; `None` is the runtime's default.
    pub max_messages_count: Option<u32>,
    /// Longest wait for a batch to fill, in milliseconds; `None` is the runtime's default.
    pub max_await_duration_ms: Option<u32>,
}

impl Subscription {
    /// Whether it is for `app_id`.
    pub fn in_scope_of(&self, app_id: &str) -> bool {
        crate::resource::in_scope(&self.scopes, app_id)
    }

    /// Whether two manifests ask for the same thing, wherever they are written and whatever namespace they name.
    pub fn same_definition(&self, other: &Self) -> bool {
        let normal = |subscription: &Self| Self {
            namespace: None,
            origin: other.origin.clone(),
            ..subscription.clone()
        };
        normal(self) == normal(other)
    }
}
