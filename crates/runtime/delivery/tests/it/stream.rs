//! Streams that an app opens.

use std::{sync::Arc, time::Duration};

use outrigger_block_pubsub::Metadata;
use outrigger_resilience::{Backoff, Policy};
use outrigger_runtime_api::{Code, SubscriptionKind};
use outrigger_runtime_channel::EventVerdict;
use outrigger_runtime_delivery::StreamSubscription;

use crate::{
    app::shared,
    fake_broker::{Answer, event},
    rig::{Plan, Rig, component, wants},
};

async fn rig() -> Rig {
    Plan::new(&shared(Vec::new()), "").build().await
}

async fn open(rig: &Rig, pubsub: &str, topic: &str) -> StreamSubscription {
    let opened = rig
        .subscriptions
        .open_stream(pubsub, topic, Metadata::new(), None);
    opened.await.unwrap()
}

fn streams(rig: &Rig) -> usize {
    let all = rig.api.subscriptions();
    all.iter()
        .filter(|info| info.kind == SubscriptionKind::Streaming)
        .count()
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn events_come_with_their_fields_in_order_and_are_answered_by_id() {
    let rig = rig().await;
    let mut stream = open(&rig, "bus", "a").await;
    let info = rig.api.subscriptions().remove(0);
    assert_eq!(
        (info.topic.as_str(), info.routes.default.as_deref()),
        ("a", Some("/"))
    );
    for number in 0..200 {
        rig.publish("bus", "a", &number.to_string()).await;
    }
    for number in 0..200 {
        let event = stream.next().await.unwrap();
        assert_eq!(event.path, "/");
        assert_eq!(&event.event.data[..], number.to_string().as_bytes());
        assert_eq!(
            (event.event.topic.as_str(), event.event.pubsub_name.as_str()),
            ("a", "bus")
        );
        assert!(stream.answer(&event.event.id, EventVerdict::Success));
    }
    assert!(!stream.answer("never sent", EventVerdict::Success));
}

#[tokio::test]
async fn several_streams_of_one_topic_are_independent() {
    let rig = rig().await;
    let mut streams = vec![open(&rig, "bus", "a").await, open(&rig, "bus", "a").await];
    rig.publish("bus", "a", "x").await;
    for stream in &mut streams {
        let event = stream.next().await.unwrap();
        stream.answer(&event.event.id, EventVerdict::Success);
    }
    assert_eq!(self::streams(&rig), 2);
    streams.pop();
    until(|| self::streams(&rig) == 1).await;
    rig.publish("bus", "a", "y").await;
    assert_eq!(&streams[0].next().await.unwrap().event.data[..], b"y");
}

#[tokio::test]
async fn answers_come_in_any_order_and_decide_like_those_of_an_app() {
    let rig = rig().await;
    let mut stream = rig
        .subscriptions
        .open_stream("fake", "a", Metadata::new(), Some("dead".to_owned()))
        .await
        .unwrap();
    let answers = stream.answers();
    let app = async {
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(stream.next().await.unwrap().event.id);
        }
        answers.answer(&ids[2], EventVerdict::Drop);
        answers.answer(&ids[0], EventVerdict::Retry);
        answers.answer(&ids[1], EventVerdict::Success);
    };
    let deliver = |data| rig.broker.deliver("a", event("a", "y", data));
    let (first, second, third, ()) = tokio::join!(deliver("1"), deliver("2"), deliver("3"), app);
    assert_eq!(
        [first, second, third],
        [Answer::Acked, Answer::Acked, Answer::Acked]
    );
    let mut letters: Vec<_> = rig.published().into_iter().map(|letter| letter.data).collect();
    letters.sort();
    assert_eq!(letters, [event("a", "y", "1").data, event("a", "y", "3").data]);
}

#[tokio::test(start_paused = true)]
async fn what_is_unanswered_when_the_app_leaves_stays_with_the_broker() {
    let rig = rig().await;
    let start = tokio::time::Instant::now();
    let mut stream = rig
        .subscriptions
        .open_stream("fake", "a", Metadata::new(), Some("dead".to_owned()))
        .await
        .unwrap();
    let app = async {
        stream.next().await.unwrap();
        drop(stream);
    };
    let deliver = |data| rig.broker.deliver("a", event("a", "y", data));
    let (first, second, ()) = tokio::join!(deliver("1"), deliver("2"), app);
    // Kept: the broker was told of the end before anybody gave up.
    assert!(
        matches!((&first, &second), (Answer::Kept(_), Answer::Kept(_))),
        "{first:?} {second:?}"
    );
    assert!(rig.published().is_empty(), "nobody refused it");
    assert_eq!(
        start.elapsed().as_secs(),
        0,
        "nobody is waited for who will not answer"
    );
    until(|| rig.broker.standing("a") == 0 && streams(&rig) == 0).await;
}

#[tokio::test(start_paused = true)]
async fn the_inbound_policy_repeats_on_the_same_stream() {
    let mut plan = Plan::new(&shared(Vec::new()), "");
    plan.settings.inbound = Arc::new(|_| Policy::retry(Backoff::constant(Duration::from_millis(10)), 4));
    let rig = plan.build().await;
    let mut stream = open(&rig, "bus", "a").await;
    rig.publish("bus", "a", "x").await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let event = stream.next().await.unwrap();
        stream.answer(&event.event.id, EventVerdict::Retry);
        ids.push(event.event.id);
    }
    assert!(ids.iter().all(|id| *id == ids[0]));
    let more = tokio::time::timeout(Duration::from_secs(5), stream.next()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn a_stream_has_a_bound_and_answers_free_it() {
    let rig = Arc::new(rig().await);
    let mut stream = open(&rig, "fake", "a").await;
    for number in 0..300 {
        let rig = rig.clone();
        rig.tasks.clone().spawn("delivery", async move {
            let answer = rig
                .broker
                .deliver("a", event("a", "y", &number.to_string()))
                .await;
            assert_eq!(answer, Answer::Acked);
        });
    }
    let mut ids = Vec::new();
    for _ in 0..256 {
        ids.push(stream.next().await.unwrap().event.id);
    }
    let more = tokio::time::timeout(Duration::from_millis(50), stream.next()).await;
    assert!(more.is_err(), "the bound was passed");
    for id in ids {
        assert!(stream.answer(&id, EventVerdict::Success));
    }
    for _ in 0..44 {
        let event = stream.next().await.unwrap();
        stream.answer(&event.event.id, EventVerdict::Success);
    }
}

#[tokio::test]
async fn what_cannot_be_subscribed_says_why() {
    let metadata = "  metadata:\n  - name: subscriptionScopes\n    value: me=mine";
    let plan = Plan::new(&shared(Vec::new()), &component("scoped", "fake", metadata));
    let rig = plan.build().await;
    let refused = async |pubsub: &str, topic: &str| {
        let opened = rig
            .subscriptions
            .open_stream(pubsub, topic, Metadata::new(), None);
        opened.await.unwrap_err()
    };
    assert_eq!(refused("", "a").await.message, "pubsubName is required");
    assert_eq!(refused("bus", "").await.message, "topic is required");
    let missing = refused("notexist", "b").await;
    assert_eq!(missing.message, "pubsub notexist is not found");
    assert_eq!(missing.grpc, Code::InvalidArgument);
    assert_eq!(
        (missing.reason(), missing.details.len()),
        (Some("DAPR_PUBSUB_NOT_FOUND"), 1)
    );
    let forbidden = refused("scoped", "theirs").await;
    assert_eq!(
        forbidden.message,
        "failed to create subscription for scoped: subscription to topic 'theirs' on pubsub 'scoped' is not allowed"
    );
    rig.broker
        .refuse_subscribe
        .store(1, std::sync::atomic::Ordering::SeqCst);
    let failed = refused("fake", "a").await;
    assert_eq!(
        failed.message,
        "failed to create subscription for fake: failed to subscribe to topic a: subscribe: the test says so"
    );
    assert_eq!(streams(&rig), 0);
    rig.subscriptions.stop().await;
    assert_eq!(refused("fake", "a").await.message, "subscriber is closed");
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_the_stream_and_ends_it_then() {
    let rig = Rig::started(&shared(vec![wants("fake", "t", "/in")]), "").await;
    let mut stream = open(&rig, "fake", "a").await;
    let app = async {
        let event = stream.next().await.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(stream.answer(&event.event.id, EventVerdict::Success));
        assert_eq!(stream.next().await, None);
    };
    let stop = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        rig.subscriptions.stop().await;
    };
    let deliver = rig.broker.deliver("a", event("a", "y", "1"));
    let (answer, (), ()) = tokio::join!(deliver, app, stop);
    assert_eq!(answer, Answer::Acked);
    until(|| rig.api.subscriptions().is_empty()).await;
}
