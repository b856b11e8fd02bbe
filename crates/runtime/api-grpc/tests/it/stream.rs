//! Streaming subscriptions, over a source that the test holds.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use outrigger_block_pubsub::envelope::TopicEvent;
use outrigger_runtime_api::{Error, Stage};
use outrigger_runtime_api_grpc::{
    EventStream, GrpcFace, Options, StreamEvent, StreamSubscriber, StreamTopic,
};
use outrigger_runtime_channel::EventVerdict;
use outrigger_runtime_delivery::{StreamSubscription, Subscriptions};
use outrigger_wire_proto::runtime::{
    GetMetadataRequest, PublishEventRequest, SubscribeTopicEventsRequestAlpha1 as Question,
    SubscribeTopicEventsRequestInitialAlpha1 as Initial,
    SubscribeTopicEventsRequestProcessedAlpha1 as Processed, TopicEventResponse,
    subscribe_topic_events_request_alpha1::SubscribeTopicEventsRequestType as Asked,
    subscribe_topic_events_response_alpha1::SubscribeTopicEventsResponseType as Told,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use crate::rig::{Directory, Runtime};

/// Time within which something that should happen does.
const SOON: Duration = Duration::from_secs(10);

/// A subscriber whose events the test sends.
#[derive(Debug, Default)]
struct Source {
    asked: Mutex<Vec<StreamTopic>>,
    sender: Mutex<Option<mpsc::Sender<StreamEvent>>>,
    answers: Mutex<Vec<(String, EventVerdict)>>,
}

struct Subscription(Arc<Source>, mpsc::Receiver<StreamEvent>);

#[async_trait]
impl EventStream for Subscription {
    async fn next(&mut self) -> Option<StreamEvent> {
        self.1.recv().await
    }

    fn answer(&self, id: &str, verdict: EventVerdict) {
        self.0.answers.lock().unwrap().push((id.to_owned(), verdict));
    }
}

/// What the face holds.
#[derive(Debug, Clone, Default)]
struct Subscriber(Arc<Source>);

#[async_trait]
impl StreamSubscriber for Subscriber {
    async fn subscribe(&self, topic: StreamTopic) -> Result<Box<dyn EventStream>, Error> {
        if topic.topic == "forbidden" {
            return Err(Error::unbuilt("forbidden topic"));
        }
        let (sender, receiver) = mpsc::channel(8);
        self.0.asked.lock().unwrap().push(topic);
        *self.0.sender.lock().unwrap() = Some(sender);
        Ok(Box::new(Subscription(self.0.clone(), receiver)))
    }
}

async fn runtime(subscriber: &Subscriber) -> Runtime {
    let options = Options {
        streams: Some(Arc::new(subscriber.clone())),
        ..Options::default()
    };
    let runtime = Runtime::start("app", None, "", &Directory::default(), options).await;
    runtime.api.readiness().enter(Stage::Ready);
    runtime
}

fn ask(asked: Asked) -> Question {
    Question {
        subscribe_topic_events_request_type: Some(asked),
    }
}

fn initial(pubsub: &str, topic: &str) -> Question {
    ask(Asked::InitialRequest(Initial {
        pubsub_name: pubsub.to_owned(),
        topic: topic.to_owned(),
        metadata: HashMap::from([("k".to_owned(), "v".to_owned())]),
        dead_letter_topic: Some("dead".to_owned()),
    }))
}

fn processed(id: &str, status: Option<i32>) -> Question {
    ask(Asked::EventProcessed(Processed {
        id: id.to_owned(),
        status: status.map(|status| TopicEventResponse { status }),
    }))
}

type Answers = Streaming<outrigger_wire_proto::runtime::SubscribeTopicEventsResponseAlpha1>;

async fn open(runtime: &Runtime, first: Question) -> Result<(mpsc::Sender<Question>, Answers), Status> {
    let (sender, receiver) = mpsc::channel(8);
    sender.send(first).await.unwrap();
    let asked = ReceiverStream::new(receiver);
    let answers = runtime.client().subscribe_topic_events_alpha1(asked).await?;
    Ok((sender, answers.into_inner()))
}

async fn told(answers: &mut Answers) -> Option<Told> {
    let answer = answers.message().await.unwrap().unwrap();
    answer.subscribe_topic_events_response_type
}

fn event(id: &str) -> StreamEvent {
    StreamEvent {
        event: TopicEvent {
            id: id.to_owned(),
            topic: "t".to_owned(),
            data: "d".into(),
            ..TopicEvent::default()
        },
        path: "/",
    }
}

#[tokio::test]
async fn events_go_out_and_verdicts_come_in() {
    let subscriber = Subscriber::default();
    let runtime = runtime(&subscriber).await;
    let (questions, mut answers) = open(&runtime, initial("p", "t")).await.unwrap();
    assert!(matches!(told(&mut answers).await, Some(Told::InitialResponse(_))));
    let expected = StreamTopic {
        pubsub: "p".to_owned(),
        topic: "t".to_owned(),
        metadata: [("k".to_owned(), "v".to_owned())].into(),
        dead_letter_topic: Some("dead".to_owned()),
    };
    assert_eq!(*subscriber.0.asked.lock().unwrap(), [expected]);
    let source = subscriber.0.sender.lock().unwrap().clone().unwrap();
    for id in ["1", "2", "3"] {
        source.send(event(id)).await.unwrap();
    }
    for id in ["1", "2", "3"] {
        let Some(Told::EventMessage(message)) = told(&mut answers).await else {
            panic!("no event")
        };
        assert_eq!(
            (message.id.as_str(), message.path.as_str(), &message.data[..]),
            (id, "/", &b"d"[..])
        );
    }
    // In another order than they came.
    for (id, status) in [("2", Some(1)), ("3", Some(2)), ("1", None)] {
        questions.send(processed(id, status)).await.unwrap();
    }
    // The app leaves in order: the stream ends without an error, and everything it said was heard.
    drop(questions);
    assert_eq!(answers.message().await.unwrap(), None);
    let expected = [
        ("2", EventVerdict::Retry),
        ("3", EventVerdict::Drop),
        ("1", EventVerdict::Success),
    ];
    let expected: Vec<_> = expected.map(|(id, verdict)| (id.to_owned(), verdict)).into();
    assert_eq!(*subscriber.0.answers.lock().unwrap(), expected);
    tokio::time::timeout(SOON, source.closed()).await.unwrap();
}

#[tokio::test]
async fn a_stream_begins_with_a_whole_request() {
    let subscriber = Subscriber::default();
    let runtime = runtime(&subscriber).await;
    let status = open(&runtime, processed("1", None)).await.unwrap_err();
    let expected = (Code::InvalidArgument, "initial request is required");
    assert_eq!((status.code(), status.message()), expected);
    let status = open(&runtime, initial("p", "forbidden")).await.unwrap_err();
    assert!(
        status.message().starts_with("the forbidden topic building block"),
        "{status}"
    );
    let (questions, mut answers) = open(&runtime, initial("p", "t")).await.unwrap();
    assert!(matches!(told(&mut answers).await, Some(Told::InitialResponse(_))));
    questions.send(initial("p", "t")).await.unwrap();
    let status = answers.message().await.unwrap_err();
    assert_eq!(status.message(), "duplicate initial request received");
}

#[tokio::test]
async fn a_caller_that_breaks_off_ends_the_subscription_and_a_runtime_that_ends_says_so() {
    let subscriber = Subscriber::default();
    let runtime = runtime(&subscriber).await;
    let (questions, answers) = open(&runtime, initial("p", "t")).await.unwrap();
    let source = subscriber.0.sender.lock().unwrap().take().unwrap();
    drop((questions, answers));
    tokio::time::timeout(SOON, source.closed()).await.unwrap();

    let (_questions, mut answers) = open(&runtime, initial("p", "t")).await.unwrap();
    assert!(matches!(told(&mut answers).await, Some(Told::InitialResponse(_))));
    drop(subscriber.0.sender.lock().unwrap().take());
    let status = answers.message().await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::Unavailable, "stream closed")
    );
}

/// The delivery room as the face asks for it.
#[derive(Debug)]
struct Deliveries(Subscriptions);

#[async_trait]
impl StreamSubscriber for Deliveries {
    async fn subscribe(&self, asked: StreamTopic) -> Result<Box<dyn EventStream>, Error> {
        let StreamTopic {
            pubsub,
            topic,
            metadata,
            dead_letter_topic,
        } = asked;
        let opened = self
            .0
            .open_stream(&pubsub, &topic, metadata, dead_letter_topic)
            .await?;
        Ok(Box::new(Opened(opened)))
    }
}

struct Opened(StreamSubscription);

#[async_trait]
impl EventStream for Opened {
    async fn next(&mut self) -> Option<StreamEvent> {
        let event = self.0.next().await?;
        Some(StreamEvent {
            event: event.event,
            path: event.path,
        })
    }

    fn answer(&self, id: &str, verdict: EventVerdict) {
        assert!(self.0.answer(id, verdict), "nobody waits for {id}");
    }
}

#[tokio::test]
async fn the_runtimes_own_deliveries_come_over_a_stream() {
    let directory = Directory::default();
    let yaml = crate::rig::component("p", "pubsub.in-memory");
    let tasks = outrigger_base_task::TaskSet::new("deliveries");
    let metrics = outrigger_base_telemetry::metrics::Registry::new();
    let first = Runtime::start("app", None, &yaml, &directory, Options::default()).await;
    let subscriptions = Subscriptions::new(first.api.clone(), tasks.child("all"), &metrics).unwrap();
    let options = Options {
        streams: Some(Arc::new(Deliveries(subscriptions))),
        ..Options::default()
    };
    let face = crate::rig::serve(GrpcFace::new(first.api.clone(), options), &tasks);
    let runtime = first.behind(face);

    for (pubsub, topic, message) in [
        ("", "t", "pubsubName is required"),
        ("p", "", "topic is required"),
        ("x", "t", "pubsub x is not found"),
    ] {
        let status = open(&runtime, initial(pubsub, topic)).await.unwrap_err();
        assert_eq!(
            (status.code(), status.message()),
            (Code::InvalidArgument, message)
        );
    }
    let (questions, mut answers) = open(&runtime, initial("p", "t")).await.unwrap();
    assert!(matches!(told(&mut answers).await, Some(Told::InitialResponse(_))));
    let publish = PublishEventRequest {
        pubsub_name: "p".to_owned(),
        topic: "t".to_owned(),
        data: "hello".into(),
        data_content_type: "text/plain".to_owned(),
        metadata: HashMap::new(),
    };
    runtime.client().publish_event(publish).await.unwrap();
    let Some(Told::EventMessage(event)) = told(&mut answers).await else {
        panic!("no event")
    };
    assert_eq!(
        (&event.data[..], event.path.as_str(), event.topic.as_str()),
        (&b"hello"[..], "/", "t")
    );
    assert_eq!(event.pubsub_name, "p");
    questions.send(processed(&event.id, Some(2))).await.unwrap();
    let dead = runtime
        .client()
        .get_metadata(GetMetadataRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (
            dead.subscriptions[0].r#type,
            dead.subscriptions[0].dead_letter_topic.as_str()
        ),
        (3, "dead")
    );
    drop(questions);
    assert_eq!(answers.message().await.unwrap(), None);
}
