//! Events: delivery, rules, retries, dead letters, raw payloads.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use bytes::Bytes;
use outrigger::{
    Body, Caller, Error, Event, Handle, Headers, Mode, Payload, PublishOptions, State, Topic, Verdict,
};
use outrigger_testing_harness::eventually;
use serde::{Deserialize, Serialize};
use tokio::{sync::mpsc, time::timeout};

use crate::world::{Gear, LONG, World};

both! {
    an_event_comes_with_its_attributes
    rules_choose_the_handler
    an_error_brings_the_event_again
    a_panic_brings_the_event_again
    what_is_dropped_goes_into_the_dead_letter_topic
    the_first_error_goes_into_the_dead_letter_topic
    raw_payloads_come_as_bytes
    many_are_published_at_once
    a_handler_publishes
    publishing_has_errors
    a_declared_subscription_may_name_a_method
    a_handler_of_events_is_no_method_for_strangers
    a_publisher_is_no_caller
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
struct Order {
    id: u32,
    what: String,
}

fn order(id: u32) -> Order {
    Order {
        id,
        what: "pen".to_owned(),
    }
}

/// Where handlers tell what they saw.
type Tell<T> = State<mpsc::Sender<T>>;

async fn told<T>(receiver: &mut mpsc::Receiver<T>) -> T {
    timeout(LONG, receiver.recv())
        .await
        .expect("nothing was told in time")
        .expect("nobody tells any more")
}

async fn an_event_comes_with_its_attributes(world: World) {
    async fn seen(State(tell): Tell<(Event<Order>, bool)>, Headers(headers): Headers, event: Event<Order>) {
        let has_trace = headers.contains_key("traceparent");
        tell.send((event, has_trace)).await.unwrap();
    }
    let (sender, mut receiver) = mpsc::channel::<(Event<Order>, bool)>(8);
    let app = world
        .start("app", Gear::in_memory(), |app| {
            app.with(sender).on("pubsub", "orders", seen)
        })
        .await;
    app.handle().publish("pubsub", "orders", &order(1)).await.unwrap();
    let (event, has_trace) = told(&mut receiver).await;
    assert_eq!(event.data, order(1));
    assert_eq!(
        (event.topic.as_str(), event.pubsub.as_str()),
        ("orders", "pubsub")
    );
    assert_eq!(event.source, app.id);
    assert_eq!(event.event_type, "com.dapr.event.sent");
    assert_eq!(event.content_type, "application/json");
    assert!(!event.id.is_empty() && has_trace);
    app.end().await;
}

async fn rules_choose_the_handler(world: World) {
    async fn paid(State(tell): Tell<(&'static str, u32)>, event: Event<Order>) {
        tell.send(("paid", event.data.id)).await.unwrap();
    }
    async fn big(State(tell): Tell<(&'static str, u32)>, event: Event<Order>) {
        tell.send(("big", event.data.id)).await.unwrap();
    }
    async fn other(State(tell): Tell<(&'static str, u32)>, event: Event<Order>) {
        tell.send(("other", event.data.id)).await.unwrap();
    }
    let (sender, mut receiver) = mpsc::channel::<(&'static str, u32)>(8);
    let topic = Topic::new("pubsub", "orders")
        .when("event.type == \"order.paid\"", paid)
        .when("event.data.id > 100", big)
        .otherwise(other);
    let app = world
        .start("app", Gear::in_memory(), |app| app.with(sender).subscribe(topic))
        .await;
    let handle = app.handle();
    handle.publish("pubsub", "orders", &order(1)).await.unwrap();
    assert_eq!(told(&mut receiver).await, ("other", 1));
    handle.publish("pubsub", "orders", &order(101)).await.unwrap();
    assert_eq!(told(&mut receiver).await, ("big", 101));
    let options = PublishOptions {
        metadata: BTreeMap::from([("cloudevent.type".to_owned(), "order.paid".to_owned())]),
        ..PublishOptions::default()
    };
    let data = serde_json::to_vec(&order(102)).unwrap();
    handle
        .publish_bytes("pubsub", "orders", data, options)
        .await
        .unwrap();
    assert_eq!(told(&mut receiver).await, ("paid", 102));
    app.end().await;
}

/// The broker that gives an event back again, on a file of this test.
fn durable(world: &World) -> Gear {
    let path = world.folder.file("broker").to_string_lossy().into_owned();
    Gear {
        components: vec![("pubsub", "pubsub.outrigger", vec![("path", path)])],
        ..Gear::default()
    }
}

async fn an_error_brings_the_event_again(world: World) {
    async fn second_time(State(tell): Tell<String>, event: Event<u32>) -> Result<(), Error> {
        let first = tell.capacity() == tell.max_capacity();
        tell.send(event.id).await.unwrap();
        if first {
            Err(Error::internal("not yet"))
        } else {
            Ok(())
        }
    }
    let (sender, mut receiver) = mpsc::channel::<String>(8);
    let app = world
        .start("app", durable(&world), |app| {
            app.with(sender).on("pubsub", "orders", second_time)
        })
        .await;
    app.handle().publish("pubsub", "orders", &1).await.unwrap();
    // The first message stays in the channel until the second one is there, by which the handler tells them apart.
    eventually(LONG, async || receiver.len() == 2).await;
    let (first, second) = (told(&mut receiver).await, told(&mut receiver).await);
    assert_eq!(first, second);
    app.end().await;
}

async fn a_panic_brings_the_event_again(world: World) {
    async fn second_time(State(tell): Tell<String>, State(count): State<Arc<AtomicU32>>, event: Event<u32>) {
        assert!(count.fetch_add(1, Ordering::Relaxed) > 0, "on purpose");
        tell.send(event.id).await.unwrap();
    }
    let (sender, mut receiver) = mpsc::channel::<String>(8);
    let count = Arc::new(AtomicU32::new(0));
    let app = world
        .start("app", durable(&world), |app| {
            app.with(sender)
                .with(count.clone())
                .on("pubsub", "orders", second_time)
        })
        .await;
    app.handle().publish("pubsub", "orders", &1).await.unwrap();
    assert!(!told(&mut receiver).await.is_empty());
    assert_eq!(count.load(Ordering::Relaxed), 2);
    app.end().await;
}

async fn what_is_dropped_goes_into_the_dead_letter_topic(world: World) {
    async fn picky(event: Event<Order>) -> Verdict {
        if event.data.id == 13 {
            Verdict::Drop
        } else {
            Verdict::Done
        }
    }
    async fn dead(State(tell): Tell<serde_json::Value>, event: Event<serde_json::Value>) {
        tell.send(event.data).await.unwrap();
    }
    let (sender, mut receiver) = mpsc::channel::<serde_json::Value>(8);
    let topic = Topic::new("pubsub", "orders")
        .otherwise(picky)
        .dead_letter("poison");
    let app = world
        .start("app", Gear::in_memory(), |app| {
            app.with(sender).subscribe(topic).on("pubsub", "poison", dead)
        })
        .await;
    let handle = app.handle();
    for id in [12, 13] {
        handle.publish("pubsub", "orders", &order(id)).await.unwrap();
    }
    assert_eq!(
        told(&mut receiver).await,
        serde_json::to_value(order(13)).unwrap()
    );
    // An event that is no order will never be one.
    handle.publish("pubsub", "orders", "no order").await.unwrap();
    assert_eq!(told(&mut receiver).await, "no order");
    app.end().await;
}

async fn the_first_error_goes_into_the_dead_letter_topic(world: World) {
    async fn failing(State(tell): Tell<(&'static str, u32)>, event: Event<u32>) -> Result<(), Error> {
        tell.send(("failing", event.data)).await.unwrap();
        Err(Error::internal("on purpose"))
    }
    async fn dead(State(tell): Tell<(&'static str, u32)>, event: Event<u32>) {
        tell.send(("dead", event.data)).await.unwrap();
    }
    let (sender, mut receiver) = mpsc::channel::<(&str, u32)>(8);
    let topic = Topic::new("pubsub", "orders")
        .otherwise(failing)
        .dead_letter("poison");
    let app = world
        .start("app", durable(&world), |app| {
            app.with(sender).subscribe(topic).on("pubsub", "poison", dead)
        })
        .await;
    // The broker redelivers what fails, and has no turn: nothing of the first event comes with the second.
    for data in [1, 2] {
        app.handle().publish("pubsub", "orders", &data).await.unwrap();
        assert_eq!(told(&mut receiver).await, ("failing", data));
        assert_eq!(told(&mut receiver).await, ("dead", data));
    }
    app.end().await;
}

async fn raw_payloads_come_as_bytes(world: World) {
    async fn raw(State(tell): Tell<Bytes>, event: Event<Payload>) {
        tell.send(event.data.0).await.unwrap();
    }
    let (sender, mut receiver) = mpsc::channel::<Bytes>(8);
    let topic = Topic::new("pubsub", "bytes").otherwise(raw).raw();
    let app = world
        .start("app", Gear::in_memory(), |app| app.with(sender).subscribe(topic))
        .await;
    let options = PublishOptions {
        content_type: Some("application/octet-stream".to_owned()),
        metadata: BTreeMap::from([("rawPayload".to_owned(), "true".to_owned())]),
    };
    let bytes = Bytes::from_static(&[0, 159, 146, 150]);
    app.handle()
        .publish_bytes("pubsub", "bytes", bytes.clone(), options)
        .await
        .unwrap();
    assert_eq!(told(&mut receiver).await, bytes);
    app.end().await;
}

async fn many_are_published_at_once(world: World) {
    async fn seen(State(tell): Tell<u32>, event: Event<Order>) {
        tell.send(event.data.id).await.unwrap();
    }
    let (sender, mut receiver) = mpsc::channel::<u32>(16);
    let app = world
        .start("app", Gear::in_memory(), |app| {
            app.with(sender).on("pubsub", "orders", seen)
        })
        .await;
    let events: Vec<Order> = (0..10).map(order).collect();
    let failed = app
        .handle()
        .publish_all("pubsub", "orders", &events)
        .await
        .unwrap();
    assert_eq!(failed, []);
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(told(&mut receiver).await);
    }
    ids.sort_unstable();
    assert_eq!(ids, (0..10).collect::<Vec<_>>());
    app.end().await;
}

async fn a_handler_publishes(world: World) {
    async fn forward(handle: Handle, event: Event<u32>) -> Result<(), Error> {
        handle.publish("pubsub", "second", &(event.data + 1)).await
    }
    async fn seen(State(tell): Tell<(u32, String)>, Headers(headers): Headers, event: Event<u32>) {
        let trace = headers["traceparent"].to_str().unwrap().to_owned();
        tell.send((event.data, trace)).await.unwrap();
    }
    let (sender, mut receiver) = mpsc::channel::<(u32, String)>(8);
    let app = world
        .start("app", Gear::in_memory(), |app| {
            app.with(sender)
                .on("pubsub", "first", forward)
                .on("pubsub", "second", seen)
        })
        .await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let options = PublishOptions {
        metadata: BTreeMap::from([(
            "cloudevent.traceparent".to_owned(),
            format!("00-{trace}-00f067aa0ba902b7-01"),
        )]),
        ..PublishOptions::default()
    };
    app.handle()
        .publish_bytes("pubsub", "first", "1", options)
        .await
        .unwrap();
    let (number, seen) = told(&mut receiver).await;
    assert_eq!(number, 2);
    assert!(seen.contains(trace), "the trace did not go along: {seen}");
    app.end().await;
}

async fn publishing_has_errors(world: World) {
    let app = world
        .start("app", Gear::in_memory(), |app| app.call("idle", async || ()))
        .await;
    let error = app.handle().publish("nowhere", "t", &1).await.unwrap_err();
    assert_eq!(error.code(), Some("ERR_PUBSUB_NOT_FOUND"));
    assert!(!error.retryable());
    app.end().await;
}

async fn a_declared_subscription_may_name_a_method(world: World) {
    async fn method(State(tell): Tell<u32>, event: Event<u32>) -> Result<(), Error> {
        tell.send(event.data).await.unwrap();
        if event.data == 13 {
            Err(Error::not_found("never"))
        } else {
            Ok(())
        }
    }
    async fn dead(State(tell): Tell<u32>, event: Event<u32>) {
        tell.send(event.data + 1000).await.unwrap();
    }
    let (sender, mut receiver) = mpsc::channel::<u32>(8);
    let manifests = "apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata:\n  name: declared\nspec:\n  pubsubname: \
                     pubsub\n  topic: declared\n  routes:\n    default: /on-declared\n  deadLetterTopic: dead\n";
    let gear = Gear {
        manifests: manifests.to_owned(),
        ..Gear::in_memory()
    };
    let app = world
        .start("app", gear, |app| {
            app.with(sender)
                .post("on-declared", method)
                .on("pubsub", "dead", dead)
        })
        .await;
    app.handle().publish("pubsub", "declared", &1).await.unwrap();
    assert_eq!(told(&mut receiver).await, 1);
    // 404 drops, whatever the reason.
    app.handle().publish("pubsub", "declared", &13).await.unwrap();
    assert_eq!(told(&mut receiver).await, 13);
    assert_eq!(told(&mut receiver).await, 1013);
    app.end().await;
}

/// Beside a sidecar the path of a handler can be called, as with every app of Dapr's; embedded it cannot.
async fn a_handler_of_events_is_no_method_for_strangers(world: World) {
    async fn seen(_: Event<u32>) {}
    let app = world
        .start("app", Gear::in_memory(), |app| app.on("pubsub", "t", seen))
        .await;
    let request = http::Request::post("/outrigger/events/0/otherwise")
        .body(Body::from(r#"{"data":1}"#))
        .unwrap();
    let response = app.handle().request(&app.id, request).await.unwrap();
    let expected = match world.mode {
        Mode::Embedded => 404,
        Mode::Sidecar => 200,
    };
    assert_eq!(response.status(), expected);
    app.end().await;
}

/// What a publisher says of itself in metadata is not taken for what a runtime says of a caller.
async fn a_publisher_is_no_caller(world: World) {
    async fn seen(
        State(tell): Tell<(Caller, Option<String>)>,
        caller: Caller,
        Headers(headers): Headers,
        _: Event<u32>,
    ) {
        let other = headers.get("own").map(|value| value.to_str().unwrap().to_owned());
        tell.send((caller, other)).await.unwrap();
    }
    let (sender, mut receiver) = mpsc::channel::<(Caller, Option<String>)>(8);
    let app = world
        .start("app", Gear::in_memory(), |app| {
            app.with(sender).on("pubsub", "t", seen)
        })
        .await;
    let pair = |name: &str| (name.to_owned(), "forged".to_owned());
    let options = PublishOptions {
        metadata: ["dapr-caller-app-id", "dapr-caller-namespace", "own"]
            .map(pair)
            .into(),
        ..PublishOptions::default()
    };
    app.handle()
        .publish_bytes("pubsub", "t", "1", options)
        .await
        .unwrap();
    assert_eq!(
        told(&mut receiver).await,
        (Caller::default(), Some("forged".to_owned()))
    );
    app.end().await;
}
