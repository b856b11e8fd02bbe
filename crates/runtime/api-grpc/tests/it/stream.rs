//! Streaming subscriptions, over a source that the test holds.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use outrigger_block_pubsub::envelope::TopicEvent;
use outrigger_runtime_api::{Error, Stage};
use outrigger_runtime_api_grpc::{EventStream, Options, StreamEvent, StreamSubscriber, StreamTopic};
use outrigger_runtime_channel::EventVerdict;
use outrigger_wire_proto::runtime::{
    SubscribeTopicEventsRequestAlpha1 as Question, SubscribeTopicEventsRequestInitialAlpha1 as Initial,
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
    let cases = [
        (processed("1", None), "initial request is required"),
        (initial("", "t"), "pubsubName is required"),
        (initial("p", ""), "topic is required"),
    ];
    for (first, message) in cases {
        let status = open(&runtime, first).await.unwrap_err();
        assert_eq!(
            (status.code(), status.message()),
            (Code::InvalidArgument, message)
        );
    }
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
