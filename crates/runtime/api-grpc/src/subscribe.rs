//! Streaming subscriptions: events out, verdicts in, on one call (dapr-runtime.md §2.4).

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use futures_util::stream;
use outrigger_block_pubsub::envelope::TopicEvent;
use outrigger_runtime_api::{Error, EventVerdict, topic_event, verdict};
use outrigger_wire_proto::runtime::{
    SubscribeTopicEventsRequestAlpha1 as Question, SubscribeTopicEventsResponseAlpha1 as Answer,
    subscribe_topic_events_request_alpha1::SubscribeTopicEventsRequestType as Asked,
    subscribe_topic_events_response_alpha1::SubscribeTopicEventsResponseType as Told,
};
use tonic::{Status, Streaming, codegen::BoxStream};

use crate::status;

/// What an app wants to hear of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamTopic {
    /// The broker component.
    pub pubsub: String,
    /// The topic.
    pub topic: String,
    /// Component metadata of the subscription.
    pub metadata: BTreeMap<String, String>,
    /// Where undeliverable events go.
    pub dead_letter_topic: Option<String>,
}

/// An event on its way to the app.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamEvent {
    /// The event; the app answers with its id.
    pub event: TopicEvent,
    /// Its route.
    pub path: &'static str,
}

/// Opens streaming subscriptions. Whoever delivers events implements it.
#[async_trait]
pub trait StreamSubscriber: Send + Sync + fmt::Debug {
    /// Opens a subscription that lasts until what it returns is dropped.
    async fn subscribe(&self, topic: StreamTopic) -> Result<Box<dyn EventStream>, Error>;
}

/// An open streaming subscription. Dropping it is how the app leaves: events without an answer stay with the broker.
#[async_trait]
pub trait EventStream: Send {
    /// The next event; `None` when the runtime has ended the stream. Nothing is lost when the wait is dropped.
    async fn next(&mut self) -> Option<StreamEvent>;

    /// Takes the app's answer to an event.
    fn answer(&self, id: &str, verdict: EventVerdict);
}

/// Opens the subscription that the first message asks for, and carries both directions from then on.
pub(crate) async fn subscribe(
    subscriber: &dyn StreamSubscriber,
    mut questions: Streaming<Question>,
) -> Result<BoxStream<Answer>, Status> {
    let topic = first(&mut questions).await?;
    let opened = subscriber.subscribe(topic).await;
    let events = opened.map_err(|error| status::of(&error))?;
    let begin = Call {
        questions,
        events,
        told_begin: false,
    };
    let answers = stream::unfold(Some(begin), |call| async {
        let mut call = call?;
        match call.next().await {
            Ok(Some(told)) => Some((Ok(message(told)), Some(call))),
            Ok(None) => None,
            Err(status) => Some((Err(status), None)),
        }
    });
    Ok(Box::pin(answers))
}

async fn first(questions: &mut Streaming<Question>) -> Result<StreamTopic, Status> {
    let asked = questions.message().await?;
    let Some(Asked::InitialRequest(initial)) =
        asked.and_then(|asked| asked.subscribe_topic_events_request_type)
    else {
        return Err(Status::invalid_argument("initial request is required"));
    };
    Ok(StreamTopic {
        pubsub: initial.pubsub_name,
        topic: initial.topic,
        metadata: initial.metadata.into_iter().collect(),
        dead_letter_topic: initial.dead_letter_topic.filter(|topic| !topic.is_empty()),
    })
}

fn message(told: Told) -> Answer {
    Answer {
        subscribe_topic_events_response_type: Some(told),
    }
}

/// Both directions of a call. No task of its own: answers are read while the caller reads events.
struct Call {
    questions: Streaming<Question>,
    events: Box<dyn EventStream>,
    told_begin: bool,
}

impl Call {
    /// What the app is told next; `None` when it has left.
    async fn next(&mut self) -> Result<Option<Told>, Status> {
        if !self.told_begin {
            self.told_begin = true;
            return Ok(Some(Told::InitialResponse(Default::default())));
        }
        loop {
            tokio::select! {
                event = self.events.next() => {
                    let event = event.ok_or_else(|| Status::unavailable("stream closed"))?;
                    return Ok(Some(Told::EventMessage(topic_event(event.event, event.path))));
                }
                asked = self.questions.message() => match asked?.map(|asked| asked.subscribe_topic_events_request_type) {
                    None => return Ok(None),
                    Some(Some(Asked::EventProcessed(done))) => {
                        let status = done.status.map_or(0, |status| status.status);
                        self.events.answer(&done.id, verdict(status));
                    }
                    Some(Some(Asked::InitialRequest(_)) | None) => {
                        return Err(Status::invalid_argument("duplicate initial request received"));
                    }
                },
            }
        }
    }
}
