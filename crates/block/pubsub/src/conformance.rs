//! The suite that every broker must pass: components.md §4 "pubsub", and what this crate's traits promise beyond it.
//!
//! A test opens its broker and calls [`run`] with the [`Traits`] that say which parts apply. Every topic begins with
//! [`Traits::namespace`] and is used by one rule only, so that a server can be shared as long as each run has a name of
//! its own.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
pub use outrigger_block_kit::conformance::{Failure, Outcome, Report, Rule};
use outrigger_block_kit::{conformance::check_all, ensure, rules};

pub use self::recorder::Recorder;
use crate::{Broker, Error, Feature, Publish, Subscribe, Subscription};

pub mod delivery;
pub mod lifecycle;
mod recorder;
pub mod topics;

/// Which parts of the suite apply to a broker.
#[derive(Debug, Clone)]
pub struct Traits {
    /// Begins every topic of the run. Letters, digits and `-` only.
    pub namespace: String,
    /// Messages can be told to end.
    pub message_ttl: bool,
    /// Many messages go in one round trip.
    pub bulk_publish: bool,
    /// Subscriptions may be patterns.
    pub wildcard: Option<Wildcard>,
    /// Messages of one publisher arrive in the order of publishing.
    pub in_order: bool,
    /// A subscription handles one message at a time.
    pub serial: bool,
    /// A message whose handler failed comes again.
    pub redelivers: bool,
    /// Two subscriptions of one topic at this broker instance each get every message; otherwise they share them.
    pub fan_out: bool,
    /// Metadata given with a message arrives with it.
    pub metadata: bool,
    /// What a subscription did not handle before it was closed comes to the next one.
    pub keeps_unhandled: bool,
    /// How long a delivery, and a redelivery, may take.
    pub patience: Duration,
}

/// A pattern, and topics that it does and does not match. Each is appended to the run's namespace.
#[derive(Debug, Clone, Copy)]
pub struct Wildcard {
    /// The pattern.
    pub pattern: &'static str,
    /// A topic that it matches.
    pub inside: &'static str,
    /// A topic that it does not match.
    pub outside: &'static str,
}

impl Traits {
    /// A broker that delivers at least once, in order, one message at a time, to each subscription, and keeps what was
    /// not handled; without wildcards, times to live or a bulk call of its own. Fields say where a broker differs.
    pub fn durable(namespace: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            message_ttl: false,
            bulk_publish: false,
            wildcard: None,
            in_order: true,
            serial: true,
            redelivers: true,
            fan_out: true,
            metadata: true,
            keeps_unhandled: true,
            patience: Duration::from_secs(20),
        }
    }
}

/// A broker under test.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// Which parts apply.
    pub traits: Traits,
}

/// Every rule, in the order in which they are checked. The last one closes the broker.
pub const RULES: &[Rule<Subject>] = rules![
    declares_what_it_has,
    delivery::answers_ping,
    delivery::messages_arrive_as_published,
    delivery::messages_arrive_in_order,
    delivery::one_message_at_a_time,
    delivery::a_failed_message_does_not_stop_the_rest,
    delivery::a_bulk_publish_reaches_the_topic,
    delivery::a_handler_may_publish_to_its_own_topic,
    topics::a_topic_needs_no_subscriber,
    topics::topics_are_apart,
    topics::two_subscriptions_share_or_each_get_all,
    topics::a_pattern_gets_what_it_matches,
    lifecycle::closing_waits_for_the_message_in_hand,
    lifecycle::a_dropped_subscription_ends,
    lifecycle::what_was_not_handled_stays,
    lifecycle::a_closed_broker_says_so,
];

/// Checks every rule.
///
/// # Errors
///
/// The report of all rules that are broken.
pub async fn run(broker: Arc<dyn Broker>, traits: Traits) -> Result<(), Report> {
    check_all(RULES, &Subject { broker, traits }).await
}

/// Features are declared exactly where the traits say so.
pub async fn declares_what_it_has(subject: &Subject) -> Outcome {
    for (feature, expected) in [
        (Feature::MessageTtl, subject.traits.message_ttl),
        (Feature::BulkPublish, subject.traits.bulk_publish),
        (Feature::SubscribeWildcards, subject.traits.wildcard.is_some()),
    ] {
        let declared = subject.broker.features().contains(&feature);
        ensure!(
            declared == expected,
            "{feature:?}: expected {expected}, declared {declared}"
        );
    }
    Ok(())
}

impl Subject {
    /// The topic `name` of this run.
    pub fn topic(&self, name: &str) -> String {
        format!("{}{name}", self.traits.namespace)
    }

    /// Publishes a text.
    pub async fn publish(&self, topic: &str, text: &str) -> Result<(), Error> {
        self.broker
            .publish(self.message(topic, Bytes::copy_from_slice(text.as_bytes())))
            .await
    }

    fn message(&self, topic: &str, data: Bytes) -> Publish {
        Publish {
            topic: self.topic(topic),
            data,
            ..Publish::default()
        }
    }

    /// Subscribes a recorder.
    pub async fn subscribe(
        &self,
        topic: &str,
        recorder: &Arc<Recorder>,
    ) -> Result<Box<dyn Subscription>, Error> {
        let request = Subscribe {
            topic: self.topic(topic),
            ..Subscribe::default()
        };
        self.broker.subscribe(request, recorder.clone()).await
    }
}
