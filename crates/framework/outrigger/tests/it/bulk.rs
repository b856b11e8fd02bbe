//! Events in bulk: what is gathered comes to its handler one by one, or to a method as the batch that it is.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use outrigger::{Event, Headers, Json, Payload, PublishOptions, State, Topic, Verdict};
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::timeout};

use crate::world::{Gear, LONG, World};

both! {
    a_topic_in_bulk_brings_one_event_at_a_time
    raw_payloads_in_bulk_come_as_bytes
    a_declared_bulk_subscription_reaches_a_handler_of_events
    a_declared_bulk_subscription_reaches_a_method_as_a_batch
}

/// How long batches are gathered.
const WAIT: Duration = Duration::from_millis(20);

type Tell<T> = State<mpsc::Sender<T>>;

async fn told<T>(receiver: &mut mpsc::Receiver<T>) -> T {
    timeout(LONG, receiver.recv())
        .await
        .expect("nothing was told in time")
        .expect("nobody tells any more")
}

async fn all_of<T: Ord>(receiver: &mut mpsc::Receiver<T>, count: usize) -> Vec<T> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(told(receiver).await);
    }
    all.sort_unstable();
    all
}

/// Drops an event that is 3.
async fn picky(
    State(tell): Tell<(&'static str, u32)>,
    Headers(headers): Headers,
    event: Event<u32>,
) -> Verdict {
    assert_eq!(headers["content-type"], "application/cloudevents+json");
    tell.send(("taken", event.data)).await.unwrap();
    if event.data == 3 {
        Verdict::Drop
    } else {
        Verdict::Done
    }
}

async fn dead(State(tell): Tell<(&'static str, u32)>, event: Event<u32>) {
    tell.send(("dead", event.data)).await.unwrap();
}

const EXPECTED: [(&str, u32); 6] = [
    ("dead", 3),
    ("taken", 1),
    ("taken", 2),
    ("taken", 3),
    ("taken", 4),
    ("taken", 5),
];

async fn a_topic_in_bulk_brings_one_event_at_a_time(world: World) {
    let (sender, mut receiver) = mpsc::channel::<(&'static str, u32)>(16);
    let topic = Topic::new("pubsub", "orders")
        .otherwise(picky)
        .dead_letter("poison")
        .bulk(10, WAIT);
    let app = world
        .start("app", Gear::in_memory(), |app| {
            app.with(sender).subscribe(topic).on("pubsub", "poison", dead)
        })
        .await;
    let events = [1_u32, 2, 3, 4, 5];
    let failed = app.handle().publish_all("pubsub", "orders", &events).await;
    assert_eq!(failed.unwrap(), []);
    assert_eq!(all_of(&mut receiver, 6).await, EXPECTED);
    app.end().await;
}

async fn raw_payloads_in_bulk_come_as_bytes(world: World) {
    async fn raw(State(tell): Tell<Bytes>, event: Event<Payload>) {
        assert_eq!((event.topic.as_str(), event.pubsub.as_str()), ("bytes", "pubsub"));
        tell.send(event.data.0).await.unwrap();
    }
    let (sender, mut receiver) = mpsc::channel::<Bytes>(8);
    let topic = Topic::new("pubsub", "bytes").otherwise(raw).raw().bulk(10, WAIT);
    let app = world
        .start("app", Gear::in_memory(), |app| app.with(sender).subscribe(topic))
        .await;
    let options = PublishOptions {
        content_type: Some("application/octet-stream".to_owned()),
        metadata: BTreeMap::from([("rawPayload".to_owned(), "true".to_owned())]),
    };
    let bytes = Bytes::from_static(&[0, 159, 146, 150]);
    let published = app
        .handle()
        .publish_bytes("pubsub", "bytes", bytes.clone(), options)
        .await;
    published.unwrap();
    assert_eq!(told(&mut receiver).await, bytes);
    app.end().await;
}

/// Routes the topic `orders` in bulk to `/on-bulk`.
fn declared() -> Gear {
    let manifests = "apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata:\n  name: declared\nspec:\n  pubsubname: \
                     pubsub\n  topic: orders\n  routes:\n    default: /on-bulk\n  deadLetterTopic: poison\n  \
                     bulkSubscribe:\n    enabled: true\n    maxMessagesCount: 10\n    maxAwaitDurationMs: 20\n";
    Gear {
        manifests: manifests.to_owned(),
        ..Gear::in_memory()
    }
}

async fn a_declared_bulk_subscription_reaches_a_handler_of_events(world: World) {
    let (sender, mut receiver) = mpsc::channel::<(&'static str, u32)>(16);
    let app = world
        .start("app", declared(), |app| {
            app.with(sender)
                .on_route("on-bulk", picky)
                .on("pubsub", "poison", dead)
        })
        .await;
    let events = [1_u32, 2, 3, 4, 5];
    let failed = app.handle().publish_all("pubsub", "orders", &events).await;
    assert_eq!(failed.unwrap(), []);
    assert_eq!(all_of(&mut receiver, 6).await, EXPECTED);
    app.end().await;
}

async fn a_declared_bulk_subscription_reaches_a_method_as_a_batch(world: World) {
    async fn batch(State(tell): Tell<(&'static str, u32)>, Json(batch): Json<Value>) -> Json<Value> {
        assert_eq!(batch["type"], "com.dapr.event.sent.bulk");
        assert_eq!(
            (&batch["topic"], &batch["pubsubname"]),
            (&json!("orders"), &json!("pubsub"))
        );
        let mut statuses = Vec::new();
        for entry in batch["entries"].as_array().unwrap() {
            let number = entry["event"]["data"].as_u64().unwrap() as u32;
            tell.send(("taken", number)).await.unwrap();
            let status = if number == 3 { "DROP" } else { "SUCCESS" };
            statuses.push(json!({"entryId": entry["entryId"], "status": status}));
        }
        Json(json!({ "statuses": statuses }))
    }
    let (sender, mut receiver) = mpsc::channel::<(&'static str, u32)>(16);
    let app = world
        .start("app", declared(), |app| {
            app.with(sender)
                .post("on-bulk", batch)
                .on("pubsub", "poison", dead)
        })
        .await;
    let events = [1_u32, 2, 3, 4, 5];
    let failed = app.handle().publish_all("pubsub", "orders", &events).await;
    assert_eq!(failed.unwrap(), []);
    assert_eq!(all_of(&mut receiver, 6).await, EXPECTED);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn embedded_a_batch_without_a_handler_goes_where_a_single_event_goes() {
    let world = World::embedded();
    let (sender, mut receiver) = mpsc::channel::<(&'static str, u32)>(16);
    let app = world
        .start("app", declared(), |app| {
            app.with(sender).on("pubsub", "poison", dead)
        })
        .await;
    let failed = app.handle().publish_all("pubsub", "orders", &[1_u32, 2, 3]).await;
    assert_eq!(failed.unwrap(), []);
    assert_eq!(
        all_of(&mut receiver, 3).await,
        [("dead", 1), ("dead", 2), ("dead", 3)]
    );
    app.end().await;
}
