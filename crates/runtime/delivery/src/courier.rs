//! From a message to its fate: the one path that every delivery takes.

mod attempt;
mod dead_letter;
mod event;

use std::{borrow::Cow, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_base_std::chain;
use outrigger_block_pubsub::{
    Delivery, Handler, Message, Nack,
    envelope::{self, Event},
};
use outrigger_engine_routing::Router;
use outrigger_resilience::Policy;
use outrigger_runtime_api::Api;
use outrigger_runtime_host::PubSub;
use outrigger_wire_names::pubsub as words;

use crate::{
    life::Life,
    metrics::{Outcome, TopicMetrics},
    outlet::Outlet,
};

pub(crate) use attempt::describe;
pub(crate) use event::{EventText, RawText};

/// What a subscription needs to deliver.
pub(crate) struct Courier {
    pub(crate) api: Arc<Api>,
    pub(crate) pubsub: PubSub,
    /// The topic as the app named it.
    pub(crate) topic: Arc<str>,
    pub(crate) router: Router,
    pub(crate) form: Form,
    /// Where undeliverable messages go.
    pub(crate) dead_letter: Option<String>,
    pub(crate) outlet: Outlet,
    /// The component's inbound policy.
    pub(crate) policy: Policy,
    pub(crate) metrics: TopicMetrics,
    pub(crate) life: Life,
}

/// What the messages of a subscription are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// Events.
    Events,
    /// Bytes of any kind (`rawPayload`).
    Raw,
    /// Nobody knows: the subscription's metadata says it in a way that cannot be read. Every message fails with this.
    Unclear(String),
}

/// What is to become of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The app has it.
    Done,
    /// It is nothing for the app: its time is over, or it has no route.
    Ignored,
    /// The app will never take it.
    Dropped(Nack),
    /// It could not be brought to the app.
    Unusable(Nack),
    /// The app did not take it.
    Failed(Nack),
    /// It stays with the broker, because the subscription ends.
    Kept(Nack),
}

/// A message that goes to the app.
pub(crate) struct Addressed<'a> {
    pub(crate) topic: &'a str,
    pub(crate) path: &'a str,
    pub(crate) envelope: &'a Bytes,
    pub(crate) event: &'a Event<'a>,
    pub(crate) message: &'a Message,
}

#[async_trait]
impl Handler for Courier {
    async fn handle(&self, delivery: Delivery) -> Result<(), Nack> {
        let mut message = delivery.message;
        self.label(&mut message);
        let fate = self.process(&message).await;
        self.settle(fate, message).await
    }
}

impl Courier {
    /// Adds what apps expect beside the broker's own metadata.
    fn label(&self, message: &mut Message) {
        if let Some(content_type) = &message.content_type {
            message
                .metadata
                .insert(words::CONTENT_TYPE.to_owned(), content_type.clone());
        }
        message
            .metadata
            .insert(words::PUBSUB_NAME.to_owned(), self.pubsub.name.to_string());
    }

    async fn process(&self, message: &Message) -> Fate {
        let topic = self.app_topic(&message.topic);
        let envelope = match self.envelope(message, topic) {
            Ok(envelope) => envelope,
            Err(problem) => {
                tracing::error!("error deserializing pubsub metadata: {problem}");
                return Fate::Unusable(Nack(problem.clone()));
            }
        };
        let mut event = match Event::parse(&envelope) {
            Ok(event) => event,
            Err(error) => return Fate::Unusable(self.unreadable(&chain(&error), topic)),
        };
        event.fill_trace(&message.metadata);
        if self.is_over(&event) {
            self.metrics.record(topic, Outcome::GivenUp, None);
            return Fate::Ignored;
        }
        let path = match self.router.route(&EventText(&event)) {
            Ok(Some(path)) => path,
            Ok(None) => {
                self.metrics.record(topic, Outcome::Drop, None);
                self.tell_unrouted(&event, topic);
                return Fate::Ignored;
            }
            Err(error) => return Fate::Unusable(self.misrouted(&chain(&error), &event, topic)),
        };
        let addressed = Addressed {
            topic,
            path,
            envelope: &envelope,
            event: &event,
            message,
        };
        self.send(&addressed).await
    }

    /// The event around a message; the message itself where it is one. The error says why nobody can know.
    pub(crate) fn envelope(&self, message: &Message, topic: &str) -> Result<Bytes, &String> {
        let name = &*self.pubsub.name;
        match &self.form {
            Form::Unclear(problem) => Err(problem),
            Form::Raw => {
                let id = outrigger_base_clock::uuid_v4(&*self.api.host().entropy).to_string();
                Ok(envelope::from_raw(
                    &id,
                    topic,
                    name,
                    &message.data,
                    &message.metadata,
                ))
            }
            Form::Events => Ok(match content_type(message) {
                Some(kind) if envelope::is_binary(kind) => {
                    envelope::from_binary(topic, name, &message.data, kind, &message.metadata)
                }
                _ => message.data.clone(),
            }),
        }
    }

    /// The topic without the namespace that this component puts before it.
    pub(crate) fn app_topic<'a>(&'a self, topic: &'a str) -> &'a str {
        let topic = topic.strip_prefix(&*self.pubsub.topic_prefix).unwrap_or(topic);
        if topic == &*self.topic { &self.topic } else { topic }
    }

    /// Whether the event's time is over.
    pub(crate) fn is_over(&self, event: &Event<'_>) -> bool {
        // The clock is only asked for events that end at all.
        let over = event
            .expiration()
            .is_some_and(|end| end < self.api.host().clock.now());
        if over {
            let end = event.expiration().map(|end| end.to_string()).unwrap_or_default();
            tracing::warn!("dropping expired pub/sub event {} as of {end}", id(event));
        }
        over
    }

    pub(crate) fn unreadable(&self, problem: &str, topic: &str) -> Nack {
        let name = &self.pubsub.name;
        let text = format!("error deserializing cloud event in pubsub {name} and topic {topic}: {problem}");
        tracing::error!("{text}");
        Nack(text)
    }

    pub(crate) fn misrouted(&self, problem: &str, event: &Event<'_>, topic: &str) -> Nack {
        let (name, id) = (&self.pubsub.name, id(event));
        let text = format!(
            "error finding matching route for event {id} in pubsub {name} and topic {topic}: {problem}"
        );
        tracing::error!("{text}");
        Nack(text)
    }

    fn tell_unrouted(&self, event: &Event<'_>, topic: &str) {
        tracing::debug!(
            "no matching route for event {} in pubsub {} and topic {topic}; skipping",
            id(event),
            self.pubsub.name,
        );
    }

    /// Lets a fate happen: the answer to the broker.
    async fn settle(&self, fate: Fate, message: Message) -> Result<(), Nack> {
        let (failed, unusable) = match &fate {
            Fate::Done => return Ok(()),
            Fate::Kept(nack) => return Err(nack.clone()),
            Fate::Ignored | Fate::Dropped(_) => (false, false),
            Fate::Failed(_) => (true, false),
            Fate::Unusable(_) => (true, true),
        };
        let origin = message.topic.clone();
        let buried = self.bury(message).await;
        let topic = self.app_topic(&origin);
        if failed && buried == Some(true) {
            self.metrics.record(topic, Outcome::GivenUp, None);
        } else if unusable {
            // What reached the app was counted there.
            self.metrics.record(topic, Outcome::Retry, None);
        }
        fate.once_buried(buried)
    }
}

impl Fate {
    /// The answer to the broker once a dead letter was published (`true`), was not (`false`), or there is no topic for it.
    pub(crate) fn once_buried(self, buried: Option<bool>) -> Result<(), Nack> {
        match (self, buried) {
            // Of what is ignored nobody waits for a dead letter: one that failed is told in the log.
            (Self::Done | Self::Ignored, _) => Ok(()),
            (Self::Kept(nack), _) => Err(nack),
            (Self::Dropped(_), None | Some(true)) => Ok(()),
            (Self::Unusable(_) | Self::Failed(_), Some(true)) => Ok(()),
            (Self::Dropped(nack), Some(false)) => Err(nack),
            (Self::Unusable(nack) | Self::Failed(nack), None | Some(false)) => Err(nack),
        }
    }
}

/// What a message's payload is, where anyone says.
fn content_type(message: &Message) -> Option<&str> {
    message
        .content_type
        .as_deref()
        .or_else(|| message.metadata.get(words::CONTENT_TYPE).map(String::as_str))
}

/// The event's id for messages to people.
pub(crate) fn id<'a>(event: &Event<'a>) -> Cow<'a, str> {
    event.id().unwrap_or(Cow::Borrowed("without an id"))
}
