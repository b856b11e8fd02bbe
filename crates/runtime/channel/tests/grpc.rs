//! The gRPC form of the app channel against a small app.

#[path = "grpc/app.rs"]
mod app;

use std::collections::BTreeMap;

use app::{App, Seen, Serving};
use bytes::Bytes;
use http::Request;
use outrigger_base_std::Secret;
use outrigger_base_task::TaskSet;
use outrigger_block_pubsub::envelope::Event;
use outrigger_runtime_channel::{
    AppChannel, AppStatus, BulkDelivery, BulkEntry, Error, EventDelivery, EventVerdict, GrpcChannel,
    Protocol, Settings,
};
use outrigger_transport::Body;
use outrigger_wire_proto::common::http_extension::Verb;
use tonic::Code;

const EVENT: &[u8] = br#"{"id":"1","source":"s","type":"t","specversion":"1.0","datacontenttype":"application/json","data":{"a": 1},"x":[1,null]}"#;

fn channel(port: u16) -> GrpcChannel {
    let settings = Settings {
        address: "127.0.0.1".to_owned(),
        port,
        protocol: Protocol::Grpc,
        token: Some(Secret::new("app-token")),
        app_id: "a".to_owned(),
        max_head: 16 * 1024,
        max_body: 1024 * 1024,
    };
    GrpcChannel::new(&settings, TaskSet::new("test")).unwrap()
}

async fn serving(app: App) -> (GrpcChannel, Serving) {
    let serving = Serving::start(app).await;
    (channel(serving.port), serving)
}

fn request(path: &str) -> Request<Body> {
    Request::put(path)
        .header("content-type", "text/plain")
        .header("x-own", "1")
        .header("cookie", "c")
        .header("dapr-api-token", "callers-own")
        .body(Body::from("ping"))
        .unwrap()
}

#[tokio::test]
async fn an_invocation_goes_to_on_invoke_and_its_answer_comes_back() {
    let (channel, app) = serving(App::default()).await;
    let response = channel.invoke(request("/echo/a%20b?q=1")).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/x-echo");
    assert_eq!(response.headers()["x-answer"], "2");
    assert!(!response.headers().contains_key("grpc-status"));
    assert_eq!(response.extensions().get::<AppStatus>(), Some(&AppStatus::OK));
    assert_eq!(response.into_body().collect(100).await.unwrap(), "ping");
    let Seen {
        invoked, metadata, ..
    } = app.seen();
    let message = &invoked[0];
    assert_eq!(message.method, "echo/a b");
    assert_eq!(message.content_type, "text/plain");
    let extension = message.http_extension.as_ref().unwrap();
    assert_eq!(
        (extension.verb(), extension.querystring.as_str()),
        (Verb::Put, "q=1")
    );
    let sent = &metadata[0];
    assert_eq!(sent.get("x-own").unwrap(), "1");
    assert_eq!(sent.get("dapr-cookie").unwrap(), "c");
    assert_eq!(sent.get("dapr-content-type").unwrap(), "text/plain");
    assert_eq!(sent.get("dapr-api-token").unwrap(), "app-token");
}

#[tokio::test]
async fn an_error_of_the_app_is_an_answer_with_its_status() {
    let (channel, _app) = serving(App::default()).await;
    let response = channel.invoke(request("/fail")).await.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["x-failed"], "yes");
    let status = response.extensions().get::<AppStatus>().unwrap().to_tonic();
    assert_eq!(
        (status.code(), status.message()),
        (Code::NotFound, "no such thing")
    );
    assert_eq!(status.details(), app::details());
    let body = response.into_body().collect(1000).await.unwrap();
    let expected = r#"{"code":5,"message":"no such thing","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"GONE"}]}"#;
    assert_eq!(body, expected);
}

#[tokio::test]
async fn an_error_with_long_details_is_an_answer_all_the_same() {
    let (channel, _app) = serving(App::default()).await;
    let response = channel.invoke(request("/explain")).await.unwrap();
    let status = response.extensions().get::<AppStatus>().unwrap();
    assert_eq!((status.code(), status.message()), (Code::Aborted, "long story"));
}

#[tokio::test]
async fn an_app_that_is_not_there_is_an_error_of_the_transport() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let channel = channel(port);
    let error = channel.invoke(request("/echo")).await.unwrap_err();
    let Error::Transport(error) = error else {
        panic!("{error}")
    };
    assert!(error.nothing_sent(), "{error}");
    assert!(matches!(channel.probe("").await, Err(Error::Transport(_))));
}

#[tokio::test]
async fn subscriptions_are_listed_and_an_app_without_has_none() {
    let (channel, _app) = serving(App::default()).await;
    let found = channel.subscriptions().await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].routes.default.as_deref(), Some(""));
    assert_eq!(found[1].routes.rules[0].path, "/r");
    assert_eq!(found[1].routes.default, None);
    assert_eq!(found[1].dead_letter_topic.as_deref(), Some("dead"));
    assert_eq!(found[1].bulk.max_messages_count, Some(7));
    let (channel, _app) = serving(App {
        bare: true,
        ..App::default()
    })
    .await;
    assert_eq!(channel.subscriptions().await.unwrap(), []);
    assert_eq!(channel.app_config().await.unwrap(), None);
}

async fn deliver(channel: &GrpcChannel, topic: &str) -> Result<EventVerdict, Error> {
    let envelope = Bytes::from_static(EVENT);
    let event = Event::parse(&envelope).unwrap();
    let metadata = BTreeMap::from([("Partition".to_owned(), "3".to_owned())]);
    channel
        .deliver(EventDelivery {
            path: "/orders",
            topic,
            pubsub_name: "p",
            envelope: &envelope,
            event: &event,
            metadata: &metadata,
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        })
        .await
}

#[tokio::test]
async fn an_event_is_delivered_and_the_verdict_read() {
    let (channel, app) = serving(App::default()).await;
    assert_eq!(deliver(&channel, "ok").await.unwrap(), EventVerdict::Success);
    assert_eq!(deliver(&channel, "retry").await.unwrap(), EventVerdict::Retry);
    assert_eq!(deliver(&channel, "drop").await.unwrap(), EventVerdict::Drop);
    assert_eq!(deliver(&channel, "unknown").await.unwrap(), EventVerdict::Retry);
    assert_eq!(
        deliver(&channel, "unimplemented").await.unwrap(),
        EventVerdict::Success
    );
    assert!(matches!(deliver(&channel, "error").await, Err(Error::Status(_))));
    let Seen { events, metadata, .. } = app.seen();
    let event = &events[0];
    assert_eq!((event.id.as_str(), event.path.as_str()), ("1", "/orders"));
    assert_eq!((event.topic.as_str(), event.pubsub_name.as_str()), ("ok", "p"));
    assert_eq!(event.data, r#"{"a":1}"#);
    assert!(event.extensions.as_ref().unwrap().fields.contains_key("x"));
    let sent = &metadata[0];
    assert_eq!(sent.get("partition").unwrap(), "3");
    assert_eq!(sent.get("dapr-api-token").unwrap(), "app-token");
    assert_eq!(
        sent.get("traceparent").unwrap(),
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    );
    assert_eq!(
        sent.get_bin("grpc-trace-bin").unwrap().to_bytes().unwrap().len(),
        29
    );
}

fn entry(id: &str, event: &'static [u8], is_envelope: bool) -> BulkEntry {
    BulkEntry {
        id: id.to_owned(),
        event: Bytes::from_static(event),
        is_envelope,
        content_type: "c".to_owned(),
        metadata: BTreeMap::new(),
    }
}

#[tokio::test]
async fn events_in_bulk_fall_back_to_the_older_call() {
    let entries = [
        entry("e", EVENT, true),
        entry("r", b"raw", false),
        entry("b", b"no event", true),
    ];
    let delivery = || BulkDelivery {
        id: "id".to_owned(),
        path: "/bulk",
        topic: "t",
        pubsub_name: "p",
        entries: &entries,
    };
    for alpha in [false, true] {
        let (channel, app) = serving(App {
            alpha,
            ..App::default()
        })
        .await;
        let verdicts = channel.deliver_bulk(delivery()).await.unwrap();
        let expected = [("e", EventVerdict::Success), ("r", EventVerdict::Retry)];
        let expected: BTreeMap<_, _> = expected.map(|(id, verdict)| (id.to_owned(), verdict)).into();
        assert_eq!(verdicts, expected);
        let bulk = &app.seen().bulk[0];
        assert_eq!(
            (bulk.r#type.as_str(), bulk.path.as_str()),
            ("com.dapr.event.sent.bulk", "/bulk")
        );
        assert_eq!(bulk.metadata["pubsubName"], "p");
        assert_eq!(app.seen().metadata[0].get("pubsubname").unwrap(), "p");
        assert_eq!(app.seen().alpha, alpha);
    }
    let (channel, _app) = serving(App {
        bare: true,
        ..App::default()
    })
    .await;
    let verdicts = channel.deliver_bulk(delivery()).await.unwrap();
    assert_eq!(verdicts.len(), 3);
    assert_eq!(verdicts["b"], EventVerdict::Success);
}

#[tokio::test]
async fn a_probe_says_what_the_app_says() {
    let (well, app) = serving(App::default()).await;
    assert!(well.probe("").await.unwrap());
    assert!(app.seen().metadata[0].get("dapr-api-token").is_none());
    let (unwell, _app) = serving(App {
        unwell: true,
        ..App::default()
    })
    .await;
    assert!(!unwell.probe("").await.unwrap());
}
