//! Events as apps publish them and as apps get them, whatever carries them.

use http::{HeaderValue, Method};
use outrigger_testing_harness::{Folder, eventually};
use serde_json::{Value, json};

use crate::rig::{
    App, PATIENCE, Plan, Sidecar, call, component, http::request, post, sidecar::lasting_port,
    subscriber::Subscriber, subscription,
};

/// The brokers that need no server.
const BROKERS: [&str; 2] = ["pubsub.in-memory", "pubsub.outrigger"];

/// A subscription whose messages are no events.
fn raw_subscription(topic: &str) -> String {
    format!(
        "{}  metadata:\n    rawPayload: \"true\"\n",
        subscription("pubsub", topic, "/events")
    )
}

/// An app that gets what is published to `orders`, and bytes that are published to `bytes`.
async fn start(folder: &Folder, port: u16, broker: &str, more: &[String]) -> Sidecar {
    let mut manifests = vec![
        component("pubsub", broker, &[]),
        subscription("pubsub", "orders", "/events"),
        raw_subscription("bytes"),
    ];
    manifests.extend_from_slice(more);
    let plan = Plan::new("app", folder.path()).app(port, "http");
    let plan = plan.variable("APP_API_TOKEN", "secret");
    plan.resources(folder, &manifests).start().await
}

/// Publishes a payload of a kind.
async fn publish(sidecar: &Sidecar, path: &str, kind: Option<&'static str>, payload: &'static [u8]) {
    let mut asked = request(Method::POST, path, payload);
    match kind {
        Some(kind) => asked
            .headers_mut()
            .insert("content-type", HeaderValue::from_static(kind)),
        None => asked.headers_mut().remove("content-type"),
    };
    call(sidecar, asked).await.unwrap().ok();
}

/// The app's next event.
async fn next(app: &App, seen: &mut usize) -> Value {
    *seen += 1;
    let seen = *seen;
    eventually(PATIENCE, || async { app.envelopes().get(seen - 1).cloned() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_arrives_as_what_it_is() {
    let own = br#"{"specversion":"1.0","id":"own","source":"me","type":"mine","data_base64":"/wA="}"#;
    let cases: [(Option<&str>, &[u8], &str, Value); 6] = [
        (None, b"bare", "data", json!("bare")),
        (Some("text/plain"), b"text", "data", json!("text")),
        (Some("application/json"), b"{\"a\": 1}", "data", json!({"a": 1})),
        (Some("application/json"), b"no json", "data", json!("no json")),
        (
            Some("application/octet-stream"),
            b"\xff\x00",
            "data_base64",
            json!("/wA="),
        ),
        (
            Some("application/cloudevents+json"),
            own,
            "data_base64",
            json!("/wA="),
        ),
    ];
    for broker in BROKERS {
        let (folder, app) = (Folder::new("forms").unwrap(), App::start("app"));
        let sidecar = start(&folder, app.port, broker, &[]).await;
        let mut seen = 0;
        for (kind, payload, field, expected) in &cases {
            publish(&sidecar, "/v1.0/publish/pubsub/orders", *kind, payload).await;
            let event = next(&app, &mut seen).await;
            assert_eq!(&event[field], expected, "{broker} {kind:?}: {event}");
            let is_own = *kind == Some("application/cloudevents+json");
            assert_eq!(
                event["source"],
                if is_own { "me" } else { "app" },
                "{broker}: {event}"
            );
            assert_eq!(
                (&event["topic"], &event["pubsubname"], &event["specversion"]),
                (&json!("orders"), &json!("pubsub"), &json!("1.0")),
                "{broker}: {event}"
            );
        }
        // The same bytes in bulk, and as they are.
        let entry = r#"[{"entryId":"1","event":"/wA=","contentType":"application/octet-stream"}]"#;
        post(&sidecar, "/v1.0/publish/bulk/pubsub/orders", entry)
            .await
            .ok();
        let event = next(&app, &mut seen).await;
        assert_eq!(
            (&event["data_base64"], &event["source"]),
            (&json!("/wA="), &json!("app")),
            "{broker}: {event}"
        );
        let path = "/v1.0/publish/pubsub/bytes?metadata.rawPayload=true";
        publish(&sidecar, path, Some("application/octet-stream"), b"\xff\x00").await;
        let event = next(&app, &mut seen).await;
        assert_eq!(event["data_base64"], "/wA=", "{broker}: {event}");
        assert_eq!(
            event["datacontenttype"], "application/octet-stream",
            "{broker}: {event}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metadata_of_a_publisher_says_nothing_of_the_request_to_the_app() {
    for broker in BROKERS {
        let (folder, app) = (Folder::new("metadata").unwrap(), App::start("app"));
        let sidecar = start(&folder, app.port, broker, &[]).await;
        let mut seen = 0;
        for metadata in [
            "content-length=3",
            "transfer-encoding=gzip",
            "connection=dapr-api-token",
            "host=elsewhere",
            "expect=100-continue",
            "dapr-api-token=guess",
        ] {
            let path = format!("/v1.0/publish/pubsub/orders?metadata.{metadata}");
            publish(&sidecar, &path, Some("text/plain"), b"whole").await;
            let event = next(&app, &mut seen).await;
            assert_eq!(event["data"], "whole", "{broker} {metadata}: {event}");
            assert_eq!(event["dapr-api-token"], "secret", "{broker} {metadata}: {event}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_event_goes_to_the_dead_letter_topic_as_it_came() {
    let with_dead_letter = "apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata:\n  name: strict\nspec:\n  \
                            pubsubname: pubsub\n  topic: strict\n  routes:\n    default: /events\n  deadLetterTopic: dead\n";
    for broker in BROKERS {
        let (folder, app) = (Folder::new("dead").unwrap(), App::start("app"));
        let more = [with_dead_letter.to_owned(), raw_subscription("dead")];
        let sidecar = start(&folder, app.port, broker, &more).await;
        let path = "/v1.0/publish/pubsub/strict?metadata.rawPayload=true";
        publish(&sidecar, path, Some("application/json"), b"no event").await;
        let event = next(&app, &mut 0).await;
        assert_eq!(
            (&event["data_base64"], &event["topic"]),
            (&json!("bm8gZXZlbnQ="), &json!("dead")),
            "{broker}: {event}"
        );
        publish(
            &sidecar,
            "/v1.0/publish/pubsub/strict",
            Some("text/plain"),
            b"one",
        )
        .await;
        assert_eq!(next(&app, &mut 1).await["data"], "one", "{broker}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_waits_for_an_app_that_has_died() {
    let (folder, port) = (Folder::new("away").unwrap(), lasting_port());
    let app = App::on_port("app", port);
    let sidecar = start(&folder, port, "pubsub.outrigger", &[]).await;
    publish(
        &sidecar,
        "/v1.0/publish/pubsub/orders",
        Some("text/plain"),
        b"first",
    )
    .await;
    assert_eq!(next(&app, &mut 0).await["data"], "first");
    drop(app);
    publish(
        &sidecar,
        "/v1.0/publish/pubsub/orders",
        Some("text/plain"),
        b"second",
    )
    .await;
    let line = "error returned from app channel while sending pub/sub event to app";
    sidecar.process.wait_for_line(line, PATIENCE).await.unwrap();
    let app = App::on_port("app", port);
    // The first may come again: the app may have died before its answer was heard.
    eventually(PATIENCE, || async { app.events().contains(&json!("second")) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_a_stream_did_not_answer_goes_to_the_next_stream() {
    let folder = Folder::new("stream").unwrap();
    let broker = component("pubsub", "pubsub.outrigger", &[]);
    let sidecar = Plan::new("app", folder.path())
        .resources(&folder, &[broker])
        .start()
        .await;
    let path = "/v1.0/publish/pubsub/orders";
    let mut first = Subscriber::open(&sidecar, "pubsub", "orders").await.unwrap();
    for payload in [&b"one"[..], b"two"] {
        publish(&sidecar, path, Some("text/plain"), payload).await;
    }
    let one = first.next().await;
    assert_eq!(one.data, "one");
    first.take(&one.id).await;
    let two = first.next().await;
    assert_eq!(two.data, "two");
    drop(first);
    // What was answered is done with, and what was not comes again; what comes later comes as well.
    let mut second = Subscriber::open(&sidecar, "pubsub", "orders").await.unwrap();
    let mut again = second.next().await;
    if again.id == one.id {
        // Its answer was lost with the stream.
        second.take(&again.id).await;
        again = second.next().await;
    }
    assert_eq!((&again.id, &again.data), (&two.id, &two.data));
    second.take(&again.id).await;
    publish(&sidecar, path, Some("text/plain"), b"three").await;
    let three = second.next().await;
    assert_eq!(three.data, "three");
    second.take(&three.id).await;
}
