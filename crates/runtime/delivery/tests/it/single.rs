//! One event after the other.

use bytes::Bytes;
use outrigger_base_clock::SignedDuration;
use outrigger_base_telemetry::trace::{TraceContext, Tracer};
use outrigger_block_pubsub::{Metadata, Nack};
use outrigger_runtime_api::{BulkItem, BulkPublishRequest, PublishRequest};
use outrigger_runtime_channel::EventVerdict;

use crate::{
    app::{absent, shared},
    fake_broker::{Answer, event, message},
    rig::{Plan, Rig, rule, wants},
};

#[tokio::test]
async fn what_is_published_arrives_in_order_with_its_envelope() {
    let app = shared(vec![wants("bus", "t", "/in")]);
    let rig = Rig::started(&app, "").await;
    for number in 0..100 {
        rig.publish("bus", "t", &number.to_string()).await;
    }
    let seen = app.saw(100).await;
    for (number, seen) in seen.iter().enumerate() {
        assert_eq!(
            (seen.path.as_str(), seen.topic.as_str(), seen.pubsub.as_str()),
            ("/in", "t", "bus")
        );
        assert_eq!(seen.json()["data"], number.to_string());
        assert_eq!(seen.json()["source"], "me");
        assert_eq!(seen.metadata["pubsubName"], "bus");
    }
}

#[tokio::test]
async fn an_event_is_handed_on_without_a_copy() {
    let app = shared(vec![wants("fake", "t", "/in")]);
    let rig = Rig::started(&app, "").await;
    let message = event("t", "order", "x");
    let bytes = message.data.clone();
    assert_eq!(rig.broker.deliver("t", message).await, Answer::Acked);
    let seen = app.saw(1).await.remove(0);
    assert_eq!(seen.envelope.as_ptr(), bytes.as_ptr());
    assert_eq!(rig.counted("success", "success"), 1);
}

#[tokio::test]
async fn rules_choose_the_route_and_without_one_the_event_is_dropped() {
    let mut wanted = wants("fake", "t", "/other");
    wanted.routes.rules = vec![
        rule(r#"event.type == "a""#, "/a"),
        rule(r#"event.type == "b" && event.data == "x""#, "/bx"),
    ];
    let mut narrow = wants("fake", "narrow", "");
    narrow.routes.default = None;
    narrow.routes.rules = vec![rule(r#"event.type == "a""#, "/a")];
    let app = shared(vec![wanted, narrow]);
    let rig = Rig::started(&app, "").await;
    for (kind, data) in [("a", "x"), ("b", "x"), ("b", "y")] {
        assert_eq!(
            rig.broker.deliver("t", event("t", kind, data)).await,
            Answer::Acked
        );
    }
    let paths: Vec<_> = app.saw(3).await.into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths, ["/a", "/bx", "/other"]);
    let unrouted = event("narrow", "b", "x");
    assert_eq!(rig.broker.deliver("narrow", unrouted).await, Answer::Acked);
    assert_eq!(app.seen.borrow().len(), 3);
    assert!(rig.published().is_empty());
}

#[tokio::test]
async fn verdicts_decide_over_the_acknowledgement() {
    let app = shared(vec![wants("fake", "t", "/in")]);
    let rig = Rig::started(&app, "").await;
    app.answers(|seen, _| match seen.json()["data"].as_str().unwrap() {
        "retry" => Ok(EventVerdict::Retry),
        "drop" => Ok(EventVerdict::Drop),
        "absent" => Err(absent()),
        _ => Ok(EventVerdict::Success),
    });
    let deliver = async |data| rig.broker.deliver("t", event("t", "y", data)).await;
    assert_eq!(deliver("fine").await, Answer::Acked);
    assert_eq!(deliver("drop").await, Answer::Acked);
    assert_eq!(
        deliver("retry").await,
        Answer::Nacked(Nack(
            "RETRY status returned from app while processing pub/sub event id-retry".to_owned()
        ))
    );
    assert_eq!(
        deliver("absent").await,
        Answer::Nacked(Nack(
            "error returned from app channel while sending pub/sub event to app: app is not in a healthy state"
                .to_owned()
        ))
    );
    assert_eq!(rig.counted("success", "success"), 1);
    assert_eq!(rig.counted("drop", "success"), 1);
    assert_eq!(rig.counted("retry", "retry"), 2);
}

#[tokio::test]
async fn raw_messages_come_as_events_of_bytes() {
    let mut wanted = wants("fake", "t", "/raw");
    wanted.metadata.insert("rawPayload".to_owned(), "true".to_owned());
    let app = shared(vec![wanted]);
    let rig = Rig::started(&app, "").await;
    let mut raw = message("t", &b"\xff\x00"[..]);
    raw.metadata.insert(
        "traceparent".to_owned(),
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
    );
    assert_eq!(rig.broker.deliver("t", raw).await, Answer::Acked);
    let seen = app.saw(1).await.remove(0);
    let json = seen.json();
    assert_eq!(json["data_base64"], "/wA=");
    assert_eq!(json["datacontenttype"], "application/octet-stream");
    assert_eq!(json["specversion"], "1.0");
    assert_eq!(json["type"], "com.dapr.event.sent");
    assert_eq!(
        (&json["topic"], &json["pubsubname"]),
        (&"t".into(), &"fake".into())
    );
    assert_eq!(json["id"].as_str().unwrap().len(), 36);
    // No tracer: the trace is passed on as it came.
    assert_eq!(
        seen.traceparent.as_deref(),
        Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    );
}

#[tokio::test]
async fn a_raw_message_without_a_trace_has_none_beside_it() {
    let rig = Rig::started(&shared(Vec::new()), "").await;
    let metadata = Metadata::from([("rawPayload".to_owned(), "true".to_owned())]);
    let published = rig.api.publish(PublishRequest {
        pubsub: "fake".to_owned(),
        topic: "t".to_owned(),
        data: "x".into(),
        content_type: String::new(),
        metadata: metadata.clone(),
        trace: TraceContext::default(),
    });
    published.await.unwrap();
    assert_eq!(rig.published()[0].metadata, metadata);
}

#[tokio::test]
async fn binary_mode_takes_its_attributes_from_metadata() {
    let app = shared(vec![wants("fake", "t", "/in")]);
    let rig = Rig::started(&app, "").await;
    let mut binary = message("t", &b"\xff"[..]);
    binary.content_type = Some("application/octet-stream".to_owned());
    binary.metadata.insert("ce_id".to_owned(), "i".to_owned());
    binary.metadata.insert("ce_type".to_owned(), "y".to_owned());
    assert_eq!(rig.broker.deliver("t", binary).await, Answer::Acked);
    let seen = app.saw(1).await.remove(0);
    assert_eq!(seen.json()["id"], "i");
    assert_eq!(seen.json()["data_base64"], "/w==");
    assert_eq!(seen.metadata["content-type"], "application/octet-stream");
}

/// Brokers that carry what a message is would otherwise have an envelope around bytes taken for bytes.
#[tokio::test]
async fn bytes_arrive_as_they_were_published_over_a_broker_that_carries_content_types() {
    const BYTES: &str = "application/octet-stream";
    let app = shared(vec![wants("fake", "t", "/in")]);
    let rig = Rig::started(&app, "").await;
    let single = PublishRequest {
        pubsub: "fake".to_owned(),
        topic: "t".to_owned(),
        data: Bytes::from_static(b"\xff\x00"),
        content_type: BYTES.to_owned(),
        metadata: Metadata::new(),
        trace: TraceContext::NONE,
    };
    let bulk = BulkPublishRequest {
        pubsub: "fake".to_owned(),
        topic: "t".to_owned(),
        items: vec![BulkItem {
            id: "1".to_owned(),
            data: single.data.clone(),
            content_type: BYTES.to_owned(),
            metadata: Metadata::new(),
        }],
        ..BulkPublishRequest::default()
    };
    rig.api.publish(single).await.unwrap();
    assert_eq!(rig.api.publish_bulk(bulk).await.unwrap().error, None);
    for published in rig.published() {
        let mut message = message("t", published.data);
        message.content_type = published.content_type;
        assert_eq!(rig.broker.deliver("t", message).await, Answer::Acked);
    }
    for seen in app.saw(2).await {
        let json = seen.json();
        assert_eq!(
            (&json["data_base64"], &json["datacontenttype"]),
            (&"/wA=".into(), &BYTES.into())
        );
        assert_eq!(json["source"], "me");
    }
}

#[tokio::test]
async fn an_event_whose_time_is_over_is_dropped() {
    let app = shared(vec![wants("fake", "t", "/in")]);
    let rig = Rig::started(&app, "").await;
    let ending = || {
        message(
            "t",
            r#"{"id":"i","data":"x","expiration":"2026-02-03T04:05:10Z"}"#,
        )
    };
    assert_eq!(rig.broker.deliver("t", ending()).await, Answer::Acked);
    app.saw(1).await;
    rig.clock.advance(SignedDuration::from_secs(10));
    assert_eq!(rig.broker.deliver("t", ending()).await, Answer::Acked);
    assert_eq!(app.seen.borrow().len(), 1);
    assert_eq!(rig.counted("drop", "drop"), 1);
}

#[tokio::test]
async fn the_trace_goes_on_and_what_is_no_trace_does_no_harm() {
    let app = shared(vec![wants("fake", "t", "/in")]);
    let mut plan = Plan::new(&app, "");
    let clock = std::sync::Arc::new(outrigger_base_clock::SystemClock);
    let entropy = std::sync::Arc::new(outrigger_base_clock::SystemEntropy);
    let sampler = outrigger_base_telemetry::trace::Sampler::parse("1").unwrap();
    plan.tracer = Tracer::new(clock, entropy, sampler, None);
    let rig = plan.build().await;
    rig.subscriptions.start().await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for text in [
        format!(r#"{{"id":"a","traceparent":"{parent}"}}"#),
        r#"{"id":"a","traceid":12345}"#.to_owned(),
        r#"{"id":"a","traceparent":{"x":1}}"#.to_owned(),
        r#"{"id":"a"}"#.to_owned(),
    ] {
        assert_eq!(rig.broker.deliver("t", message("t", text)).await, Answer::Acked);
    }
    let mut beside = message("t", r#"{"id":"a"}"#);
    beside
        .metadata
        .insert("traceparent".to_owned(), parent.to_owned());
    assert_eq!(rig.broker.deliver("t", beside).await, Answer::Acked);
    let seen = app.saw(5).await;
    for seen in [&seen[0], &seen[4]] {
        let own = seen.traceparent.as_deref().unwrap();
        assert!(own.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{own}");
        assert_ne!(own, parent, "the delivery is a span of its own");
    }
    assert!(seen[1..4].iter().all(|seen| seen.traceparent.is_none()));
}

#[tokio::test]
async fn a_pattern_shows_the_topic_that_the_message_came_on() {
    let app = shared(vec![wants("bus", "orders*", "/in")]);
    let rig = Rig::started(&app, "").await;
    rig.publish("bus", "orders-eu", "x").await;
    assert_eq!(app.saw(1).await[0].topic, "orders-eu");
    assert!(rig.metrics.render().contains(r#"topic="orders-eu""#));
}
