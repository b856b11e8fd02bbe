//! Subscriptions of an app.

use std::{collections::BTreeMap, fmt, time::Duration};

use outrigger_resource_manifest::{BulkSubscribe, Routes, Rule};
use outrigger_runtime_channel::AppSubscription;
use outrigger_wire_names::app as names;

use crate::{
    Handler, IntoVerdict, Provided,
    handler::{EventFn, event_fn},
};

/// Says what a handler misses.
pub(crate) type Check = fn(&Provided) -> Result<(), String>;

/// A subscription to a topic: which handler gets which events, and what becomes of those that nobody can take.
///
/// ```
/// use outrigger::{App, Event, Topic};
///
/// async fn big(_: Event<u32>) {}
/// async fn any(_: Event<u32>) {}
///
/// let app = App::new("shop").subscribe(
///     Topic::new("pubsub", "orders")
///         .when("event.data > 100", big)
///         .otherwise(any)
///         .dead_letter("poison"),
/// );
/// ```
#[must_use = "a topic is subscribed to by App::subscribe"]
pub struct Topic {
    pubsub: String,
    topic: String,
    rules: Vec<(String, EventFn)>,
    otherwise: Option<EventFn>,
    dead_letter: Option<String>,
    metadata: BTreeMap<String, String>,
    bulk: BulkSubscribe,
    checks: Vec<Check>,
}

impl Topic {
    /// The topic of a broker component.
    pub fn new(pubsub: impl Into<String>, topic: impl Into<String>) -> Self {
        Self {
            pubsub: pubsub.into(),
            topic: topic.into(),
            rules: Vec::new(),
            otherwise: None,
            dead_letter: None,
            metadata: BTreeMap::new(),
            bulk: BulkSubscribe::default(),
            checks: Vec::new(),
        }
    }

    /// The handler of events that match a CEL expression over `event`, such as `event.type == "order.paid"`. Rules are
    /// tested in the order given.
    pub fn when<M, H>(mut self, expression: impl Into<String>, handler: H) -> Self
    where
        H: Handler<M>,
        H::Output: IntoVerdict,
    {
        self.checks.push(H::check);
        self.rules.push((expression.into(), event_fn(handler)));
        self
    }

    /// The handler of events that no rule matches. Without one such events are dropped.
    pub fn otherwise<M, H>(mut self, handler: H) -> Self
    where
        H: Handler<M>,
        H::Output: IntoVerdict,
    {
        self.checks.push(H::check);
        self.otherwise = Some(event_fn(handler));
        self
    }

    /// Where events go, on the same broker, that were dropped or that failed. As with Dapr the first failure is enough,
    /// unless a retry policy of the sidecar beside the app delivers the event again before: see
    /// [`Verdict::Retry`](crate::Verdict::Retry).
    pub fn dead_letter(mut self, topic: impl Into<String>) -> Self {
        self.dead_letter = Some(topic.into());
        self
    }

    /// Messages of this topic are no CloudEvents: each becomes one whose data are the message's bytes; take them as
    /// [`Payload`](crate::Payload).
    pub fn raw(self) -> Self {
        self.metadata(names::RAW_PAYLOAD, "true")
    }

    /// Metadata of the subscription, for the broker.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// Events are delivered in bulk: up to `most` at a time, gathered for up to `wait` (by whole milliseconds); a zero
    /// leaves either to the runtime. The handlers still get one event at a time, and each has its own verdict. It saves
    /// round trips to an app beside a sidecar.
    pub fn bulk(mut self, most: u32, wait: Duration) -> Self {
        let wait = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
        let given = |number: u32| (number > 0).then_some(number);
        self.bulk = BulkSubscribe {
            enabled: true,
            max_messages_count: given(most),
            max_await_duration_ms: given(wait),
        };
        self
    }

    pub(crate) fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// What is wrong with it, for the developer.
    pub(crate) fn problem(&self) -> Option<String> {
        let name = format!("the subscription to {:?} of {:?}", self.topic, self.pubsub);
        if self.pubsub.is_empty() || self.topic.is_empty() {
            return Some(format!(
                "{name} needs the names of a broker component and of a topic"
            ));
        }
        let is_empty = self.rules.is_empty() && self.otherwise.is_none();
        is_empty.then(|| format!("{name} has no handler: use Topic::otherwise or Topic::when"))
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.pubsub == other.pubsub && self.topic == other.topic
    }

    /// As a runtime asks for it, and the handlers by the paths that stand in it. `index` tells the topics of an app apart.
    pub(crate) fn split(self, index: usize) -> (AppSubscription, Vec<(String, EventFn)>) {
        let path = |rule: &str| format!("{}/{index}/{rule}", names::EVENTS);
        let mut handlers = Vec::new();
        let mut rules = Vec::new();
        for (number, (match_, handler)) in self.rules.into_iter().enumerate() {
            let path = path(&number.to_string());
            handlers.push((path.clone(), handler));
            rules.push(Rule { match_, path });
        }
        let default = self.otherwise.map(|handler| {
            let path = path("otherwise");
            handlers.push((path.clone(), handler));
            path
        });
        let subscription = AppSubscription {
            pubsub_name: self.pubsub,
            topic: self.topic,
            metadata: self.metadata,
            routes: Routes { rules, default },
            dead_letter_topic: self.dead_letter,
            bulk: self.bulk,
        };
        (subscription, handlers)
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topic")
            .field("pubsub", &self.pubsub)
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}
