//! Messages that cannot be delivered.

use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use outrigger_resilience::{Backoff, Policy};
use outrigger_runtime_channel::EventVerdict;
use proptest::prelude::*;

use crate::{
    app::{absent, shared},
    fake_broker::{Answer, event, message},
    rig::{Plan, Rig, component, rule, wants},
};

fn with_dead_letter() -> outrigger_runtime_channel::AppSubscription {
    let mut wanted = wants("fake", "t", "/in");
    wanted.dead_letter_topic = Some("dead".to_owned());
    wanted
}

#[tokio::test]
async fn undeliverable_messages_go_to_the_dead_letter_topic_as_they_came() {
    let mut wanted = with_dead_letter();
    wanted.routes.rules = vec![rule("event.data.deep > 1", "/deep")];
    wanted.routes.default = None;
    let app = shared(vec![wanted]);
    let rig = Rig::started(&app, "").await;
    let cases = [
        ("no json", "not json".to_owned()),
        ("no object", "[1]".to_owned()),
        ("no such field", r#"{"data":"text"}"#.to_owned()),
        ("no route", r#"{"data":{"deep":1}}"#.to_owned()),
        (
            "over",
            r#"{"data":{"deep":2},"expiration":"2020-01-01T00:00:00Z"}"#.to_owned(),
        ),
    ];
    for (number, (case, text)) in cases.iter().enumerate() {
        let mut message = message("t", text.clone());
        message.metadata.insert("key".to_owned(), "value".to_owned());
        assert_eq!(rig.broker.deliver("t", message).await, Answer::Acked, "{case}");
        let letters = rig.published();
        assert_eq!(letters.len(), number + 1, "{case}");
        let letter = &letters[number];
        assert_eq!(
            (letter.topic.as_str(), &letter.data[..]),
            ("dead", text.as_bytes())
        );
        assert_eq!(letter.metadata["key"], "value");
    }
    assert!(app.seen.borrow().is_empty());
}

#[tokio::test]
async fn without_a_dead_letter_topic_what_cannot_be_read_goes_back() {
    let app = shared(vec![wants("fake", "t", "/in")]);
    let rig = Rig::started(&app, "").await;
    let Answer::Nacked(nack) = rig.broker.deliver("t", message("t", "not json")).await else {
        panic!("it was acknowledged");
    };
    let expected = "error deserializing cloud event in pubsub fake and topic t: ";
    assert!(nack.0.starts_with(expected), "{nack}");
    assert_eq!(rig.counted("retry", "retry"), 1);
}

#[tokio::test]
async fn what_the_app_does_not_take_goes_to_the_dead_letter_topic() {
    let app = shared(vec![with_dead_letter()]);
    let rig = Rig::started(&app, "").await;
    app.answers(|seen, _| match seen.json()["data"].as_str().unwrap() {
        "retry" => Ok(EventVerdict::Retry),
        "drop" => Ok(EventVerdict::Drop),
        _ => Err(absent()),
    });
    for data in ["retry", "drop", "absent"] {
        assert_eq!(
            rig.broker.deliver("t", event("t", "y", data)).await,
            Answer::Acked,
            "{data}"
        );
    }
    assert_eq!(rig.published().len(), 3);
    assert_eq!(rig.counted("drop", "drop"), 2);
    assert_eq!(rig.counted("drop", "success"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_fails_gives_the_message_back() {
    let app = shared(vec![with_dead_letter()]);
    let rig = Rig::started(&app, "").await;
    app.answers(|seen, _| {
        Ok(if seen.json()["data"] == "drop" {
            EventVerdict::Drop
        } else {
            EventVerdict::Retry
        })
    });
    rig.broker.refuse_publish.store(true, Ordering::SeqCst);
    for data in ["retry", "drop"] {
        let answer = rig.broker.deliver("t", event("t", "y", data)).await;
        assert!(matches!(answer, Answer::Nacked(_)), "{data}: {answer:?}");
    }
    rig.broker.stuck_publish.store(true, Ordering::SeqCst);
    let start = tokio::time::Instant::now();
    let answer = rig.broker.deliver("t", event("t", "y", "retry")).await;
    assert!(matches!(answer, Answer::Nacked(_)), "{answer:?}");
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test]
async fn a_dead_letter_needs_the_right_to_publish() {
    let app = shared(vec![{
        let mut wanted = with_dead_letter();
        wanted.pubsub_name = "scoped".to_owned();
        wanted
    }]);
    let metadata = "  metadata:\n  - name: publishingScopes\n    value: me=other";
    let rig = Rig::started(&app, &component("scoped", "fake", metadata)).await;
    let answer = rig.broker.deliver("t", message("t", "not json")).await;
    assert!(matches!(answer, Answer::Nacked(_)), "{answer:?}");
    assert!(rig.published().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_inbound_policy_repeats_before_a_message_is_given_up() {
    let app = shared(vec![with_dead_letter()]);
    let mut plan = Plan::new(&app, "");
    plan.settings.inbound = Arc::new(|name| {
        assert_eq!(name, "fake");
        Policy::retry(Backoff::constant(Duration::from_millis(10)), 4)
    });
    let rig = plan.build().await;
    rig.subscriptions.start().await;
    app.answers(|_, before| {
        Ok(if before == 2 {
            EventVerdict::Success
        } else {
            EventVerdict::Retry
        })
    });
    assert_eq!(
        rig.broker.deliver("t", event("t", "y", "third time")).await,
        Answer::Acked
    );
    assert_eq!(app.seen.borrow().len(), 3);
    assert!(rig.published().is_empty());
    app.answers(|_, _| Ok(EventVerdict::Retry));
    assert_eq!(
        rig.broker.deliver("t", event("t", "y", "never")).await,
        Answer::Acked
    );
    assert_eq!(app.seen.borrow().len(), 8, "one attempt and four repeats");
    assert_eq!(rig.published().len(), 1);
    app.answers(|_, _| Ok(EventVerdict::Drop));
    assert_eq!(
        rig.broker.deliver("t", event("t", "y", "drop")).await,
        Answer::Acked
    );
    assert_eq!(app.seen.borrow().len(), 9, "a dropped event is not repeated");
}

#[tokio::test]
async fn metadata_that_cannot_be_read_fails_every_message() {
    let mut wanted = with_dead_letter();
    wanted
        .metadata
        .insert("rawPayload".to_owned(), "perhaps".to_owned());
    let app = shared(vec![wanted]);
    let rig = Rig::started(&app, "").await;
    assert_eq!(rig.broker.deliver("t", event("t", "y", "x")).await, Answer::Acked);
    assert_eq!(rig.published().len(), 1);
    assert!(app.seen.borrow().is_empty());
}

/// Bytes that are no event, nearly one, or one.
fn payloads() -> impl Strategy<Value = Vec<u8>> {
    let attribute = "(id|type|data|data_base64|traceparent|tracestate|expiration|datacontenttype)";
    let value = prop_oneof![
        Just("null".to_owned()),
        Just("1e999".to_owned()),
        Just("{\"a\":[1,{}]}".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
    ];
    let pairs = prop::collection::vec((attribute, value), 0..6);
    let objects = pairs.prop_map(|pairs| {
        let pairs: Vec<_> = pairs
            .into_iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{{}}}", pairs.join(",")).into_bytes()
    });
    prop_oneof![any::<Vec<u8>>(), objects]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// Whatever a broker brings, it is answered: nothing panics, nothing hangs, and a message that was refused is not
    /// acknowledged without a dead letter.
    #[test]
    fn any_message_is_answered(
        data in payloads(),
        content_type in prop::option::of("(application/octet-stream|application/json|.{0,10})"),
        metadata in prop::collection::btree_map("(ce_[a-z]{1,4}|traceparent|content-type|.{0,5})", ".{0,20}", 0..4),
        form in 0..3usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut wanted = wants("fake", "t", "/in");
            wanted.routes.rules = vec![
                rule(r#"event.type == "x" || event.id == "y""#, "/a"),
                rule("has(event.data) && event.data.a.size() > 0", "/b"),
            ];
            wanted.metadata.insert("rawPayload".to_owned(), (form == 1).to_string());
            wanted.bulk.enabled = form == 2;
            wanted.bulk.max_await_duration_ms = Some(1);
            let app = shared(vec![wanted]);
            let rig = Rig::started(&app, "").await;
            let mut message = message("t", data);
            message.content_type = content_type;
            message.metadata = metadata;
            let answer = rig.broker.deliver("t", message).await;
            let events = app.seen.borrow().len() + app.bulks.borrow().len();
            if let Answer::Nacked(_) = &answer {
                assert_eq!(events, 0, "the app took it and it came back: {answer:?}");
            }
            rig.subscriptions.stop().await;
        });
    }
}
