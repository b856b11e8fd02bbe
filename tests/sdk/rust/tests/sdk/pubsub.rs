//! Publishing, and delivery to apps over gRPC and to streams.

use std::collections::HashMap;

use dapr::Client;
use dapr::appcallback::{AppCallbackService, Handler, HandlerMethod, TopicEventRequest, TopicEventResponse};
use dapr::client::{TonicClient, TonicClientWithAuth};
use dapr::dapr::proto::runtime::v1::subscribe_topic_events_request_alpha1::SubscribeTopicEventsRequestType as ToSidecar;
use dapr::dapr::proto::runtime::v1::subscribe_topic_events_response_alpha1::SubscribeTopicEventsResponseType as FromSidecar;
use dapr::dapr::proto::runtime::v1::topic_event_response::TopicEventResponseStatus as Answer;
use dapr::dapr::proto::runtime::v1::{
    BulkPublishRequest, BulkPublishRequestEntry, SubscribeTopicEventsRequestAlpha1,
    SubscribeTopicEventsRequestInitialAlpha1, SubscribeTopicEventsRequestProcessedAlpha1,
    SubscribeTopicEventsResponseAlpha1,
};
use outrigger_sdk_tests::{App, AppServer, Inbox, Mesh, patient};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Response, Status, Streaming};

use crate::is_code;

async fn publish(client: &mut Client<TonicClientWithAuth>, pubsub: &str, topic: &str, text: &str) {
    patient(client.publish_event(pubsub, topic, "text/plain", text.into(), None))
        .await
        .unwrap();
}

fn text(event: &TopicEventRequest) -> &str {
    std::str::from_utf8(&event.data).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_gets_events() {
    let mesh = Mesh::default();
    let app = App::default();
    let server = AppServer::start(&mesh, "rust-events", app.clone()).await;
    let mut client = server.sidecar.client().await;
    let json = r#"{"id":7}"#;
    patient(client.publish_event("pubsub", "orders", "application/json", json.into(), None))
        .await
        .unwrap();
    let event = app.inbox.wait_for("orders", 1).await.remove(0);
    assert_eq!(text(&event), json);
    assert_eq!(
        (event.pubsub_name.as_str(), event.topic.as_str()),
        ("pubsub", "orders")
    );
    assert_eq!(
        (event.source.as_str(), event.r#type.as_str()),
        ("rust-events", "com.dapr.event.sent")
    );
    assert_eq!(
        (event.spec_version.as_str(), event.data_content_type.as_str()),
        ("1.0", "application/json")
    );

    let entries = ["a", "b"].map(|one| BulkPublishRequestEntry {
        entry_id: one.into(),
        event: one.into(),
        content_type: "text/plain".into(),
        ..Default::default()
    });
    let request = BulkPublishRequest {
        pubsub_name: "pubsub".into(),
        topic: "orders".into(),
        entries: entries.into(),
        ..Default::default()
    };
    let answer = patient(server.sidecar.raw_client().await.bulk_publish_event(request))
        .await
        .unwrap();
    assert!(answer.into_inner().failed_entries.is_empty());
    let events = app.inbox.wait_for("orders", 3).await;
    let mut texts: Vec<_> = events[1..].iter().map(text).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_app_answers_counts() {
    let mesh = Mesh::default();
    let app = App::default();
    let server = AppServer::start(&mesh, "rust-answers", app.clone()).await;
    let mut client = server.sidecar.client().await;

    publish(&mut client, "pubsub", "dropped", "one").await;
    publish(&mut client, "pubsub", "dropped", "two").await;
    let dropped = app.inbox.wait_for("dropped", 2).await;
    assert_eq!(dropped.iter().map(text).collect::<Vec<_>>(), ["one", "two"]);

    publish(&mut client, "pubsub", "poison", "bad").await;
    let dead = app.inbox.wait_for("poison-dead", 1).await;
    let poison = app.inbox.get("poison");
    assert_eq!((text(&dead[0]), poison.len()), ("bad", 1));
    assert_eq!(dead[0].id, poison[0].id);

    publish(&mut client, "broker", "retried", "again").await;
    let retried = app.inbox.wait_for("retried", 2).await;
    assert_eq!((text(&retried[1]), &retried[1].id), ("again", &retried[0].id));
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_choose_the_path() {
    let mesh = Mesh::default();
    let app = App::default();
    let server = AppServer::start(&mesh, "rust-rules", app.clone()).await;
    let mut client = server.sidecar.client().await;
    for kind in ["cat", "dog"] {
        let metadata = HashMap::from([("cloudevent.type".to_owned(), kind.to_owned())]);
        let published = client.publish_event("pubsub", "animals", "text/plain", kind.into(), Some(metadata));
        patient(published).await.unwrap();
    }
    assert_eq!(text(&app.inbox.wait_for("cats", 1).await[0]), "cat");
    assert_eq!(text(&app.inbox.wait_for("others", 1).await[0]), "dog");
}

struct Keep(Inbox);

#[tonic::async_trait]
impl HandlerMethod for Keep {
    async fn handler(&self, request: TopicEventRequest) -> Result<Response<TopicEventResponse>, Status> {
        self.0.put("kept", request);
        Ok(Response::new(TopicEventResponse::default()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdks_own_service_is_an_app() {
    let mesh = Mesh::default();
    let inbox = Inbox::default();
    let mut service = AppCallbackService::new();
    service.add_handler(Handler {
        pub_sub_name: "pubsub".into(),
        topic: "orders".into(),
        handler: Box::new(Keep(inbox.clone())),
    });
    let server = AppServer::start(&mesh, "rust-service", service).await;
    publish(&mut server.sidecar.client().await, "pubsub", "orders", "hello").await;
    assert_eq!(text(&inbox.wait_for("kept", 1).await[0]), "hello");
}

/// A streaming subscription. The SDK has the call, but no words of its own for it.
struct Stream {
    answers: mpsc::Sender<SubscribeTopicEventsRequestAlpha1>,
    events: Streaming<SubscribeTopicEventsResponseAlpha1>,
}

impl Stream {
    async fn open(
        client: &mut TonicClient,
        pubsub: &str,
        topic: &str,
        dead: Option<&str>,
    ) -> Result<Self, Status> {
        let (answers, receiver) = mpsc::channel(4);
        let initial = SubscribeTopicEventsRequestInitialAlpha1 {
            pubsub_name: pubsub.into(),
            topic: topic.into(),
            dead_letter_topic: dead.map(str::to_owned),
            ..Default::default()
        };
        let first = SubscribeTopicEventsRequestAlpha1 {
            subscribe_topic_events_request_type: Some(ToSidecar::InitialRequest(initial)),
        };
        answers.send(first).await.unwrap();
        let events = client
            .subscribe_topic_events_alpha1(ReceiverStream::new(receiver))
            .await?
            .into_inner();
        let mut stream = Self { answers, events };
        match stream.next().await? {
            FromSidecar::InitialResponse(_) => Ok(stream),
            other => panic!("the first message is {other:?}"),
        }
    }

    async fn next(&mut self) -> Result<FromSidecar, Status> {
        let message = patient(self.events.message()).await?.expect("the stream goes on");
        Ok(message
            .subscribe_topic_events_response_type
            .expect("a message has a kind"))
    }

    async fn event(&mut self) -> TopicEventRequest {
        match self.next().await.unwrap() {
            FromSidecar::EventMessage(event) => event,
            other => panic!("{other:?} is no event"),
        }
    }

    async fn answer(&self, event: &TopicEventRequest, status: Answer) {
        let processed = SubscribeTopicEventsRequestProcessedAlpha1 {
            id: event.id.clone(),
            status: Some(TopicEventResponse {
                status: status.into(),
            }),
        };
        let answer = SubscribeTopicEventsRequestAlpha1 {
            subscribe_topic_events_request_type: Some(ToSidecar::EventProcessed(processed)),
        };
        self.answers.send(answer).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_read_and_answered() {
    let mesh = Mesh::default();
    let sidecar = mesh.start("rust-streams");
    let (mut client, mut raw) = (sidecar.client().await, sidecar.raw_client().await);
    let mut stream = Stream::open(&mut raw, "broker", "streamed", None).await.unwrap();
    publish(&mut client, "broker", "streamed", "retry me").await;
    let first = stream.event().await;
    stream.answer(&first, Answer::Retry).await;
    let second = stream.event().await;
    assert_eq!((text(&second), &second.id), ("retry me", &first.id));
    stream.answer(&second, Answer::Success).await;
    publish(&mut client, "broker", "streamed", "next").await;
    let third = stream.event().await;
    assert_eq!(text(&third), "next");
    stream.answer(&third, Answer::Success).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stream_drops_goes_to_its_dead_letters() {
    let mesh = Mesh::default();
    let sidecar = mesh.start("rust-streams");
    let mut raw = sidecar.raw_client().await;
    let mut dead = Stream::open(&mut raw, "pubsub", "dead", None).await.unwrap();
    let mut stream = Stream::open(&mut raw, "pubsub", "poison", Some("dead"))
        .await
        .unwrap();
    publish(&mut sidecar.client().await, "pubsub", "poison", "bad").await;
    let event = stream.event().await;
    stream.answer(&event, Answer::Drop).await;
    let letter = dead.event().await;
    assert_eq!((text(&letter), &letter.id), ("bad", &event.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_not_there() {
    let mesh = Mesh::default();
    let sidecar = mesh.start("rust-nowhere");
    let mut client = sidecar.client().await;
    let published = client.publish_event("nowhere", "orders", "text/plain", "x".into(), None);
    let error = patient(published).await.unwrap_err();
    assert!(is_code(&error, Code::InvalidArgument), "{error:?}");
    assert!(
        Stream::open(&mut sidecar.raw_client().await, "nowhere", "orders", None)
            .await
            .is_err()
    );
}
