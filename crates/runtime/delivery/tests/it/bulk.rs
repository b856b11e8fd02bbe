//! Many events in one call.

use std::{sync::Arc, time::Duration};

use outrigger_resilience::{Backoff, Policy};
use outrigger_runtime_channel::{AppSubscription, EventVerdict};

use crate::{
    app::{absent, shared, verdicts_by_data},
    fake_broker::{Answer, event, message},
    rig::{Plan, Rig, rule, wants},
};

fn in_bulk(pubsub: &str, messages: u32, wait_ms: u32) -> AppSubscription {
    let mut wanted = wants(pubsub, "t", "/in");
    wanted.bulk.enabled = true;
    wanted.bulk.max_messages_count = Some(messages);
    wanted.bulk.max_await_duration_ms = Some(wait_ms);
    wanted
}

/// Delivers events with these data at the same time; their answers.
async fn deliver(rig: &Rig, data: &[&str]) -> Vec<Answer> {
    let all = data
        .iter()
        .map(|data| rig.broker.deliver("t", event("t", "y", data)));
    futures_util::future::join_all(all).await
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_goes_at_once_and_the_rest_after_the_wait() {
    let app = shared(vec![in_bulk("fake", 3, 500)]);
    let rig = Rig::started(&app, "").await;
    let start = tokio::time::Instant::now();
    let answers = deliver(&rig, &["1", "2", "3", "4"]).await;
    assert!(
        answers.iter().all(|answer| *answer == Answer::Acked),
        "{answers:?}"
    );
    assert_eq!(start.elapsed().as_millis(), 500);
    let calls = app.saw_bulks(2).await;
    assert_eq!((calls[0].entries.len(), calls[1].entries.len()), (3, 1));
    assert_eq!((calls[0].path.as_str(), calls[0].topic.as_str()), ("/in", "t"));
    let entry = &calls[0].entries[0];
    assert!(entry.is_envelope);
    assert_eq!(entry.content_type, "application/cloudevents+json");
    let text = rig.metrics.render();
    assert!(text.contains(r#"bulk_event_count{app_id="me",component="fake",namespace="",process_status="SUCCESS",topic="t"} 4"#), "{text}");
    assert!(
        text.contains(
            r#"ingress_bulk_count{app_id="me",component="fake",namespace="",process_status="",topic="t"} 2"#
        ),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_serial_broker_makes_batches_of_one_after_the_wait() {
    let app = shared(vec![in_bulk("bus", 100, 500)]);
    let rig = Rig::started(&app, "").await;
    let start = tokio::time::Instant::now();
    rig.publish("bus", "t", "1").await;
    rig.publish("bus", "t", "2").await;
    let calls = app.saw_bulks(2).await;
    assert_eq!((calls[0].entries.len(), calls[1].entries.len()), (1, 1));
    assert_eq!(start.elapsed().as_millis(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn each_entry_has_a_verdict_of_its_own() {
    let mut wanted = in_bulk("fake", 4, 500);
    wanted.dead_letter_topic = None;
    let app = shared(vec![wanted]);
    let rig = Rig::started(&app, "").await;
    app.answers_bulk(|bulk, _| {
        let verdicts = [
            ("fine", EventVerdict::Success),
            ("drop", EventVerdict::Drop),
            ("retry", EventVerdict::Retry),
        ];
        Ok(verdicts_by_data(bulk, &verdicts))
    });
    let answers = deliver(&rig, &["fine", "drop", "retry", "unnamed"]).await;
    assert_eq!(answers[..2], [Answer::Acked, Answer::Acked]);
    assert!(
        matches!(answers[2..], [Answer::Nacked(_), Answer::Nacked(_)]),
        "{answers:?}"
    );
    let text = rig.metrics.render();
    for (status, count) in [("SUCCESS", 1), ("DROP", 1), ("RETRY", 2)] {
        assert!(
            text.contains(&format!(r#"process_status="{status}",topic="t"}} {count}"#)),
            "{text}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_goes_to_the_dead_letter_topic_and_what_went_well_does_not() {
    let mut wanted = in_bulk("fake", 5, 500);
    wanted.dead_letter_topic = Some("dead".to_owned());
    let app = shared(vec![wanted]);
    let rig = Rig::started(&app, "").await;
    app.answers_bulk(|bulk, _| {
        let verdicts = [("fine", EventVerdict::Success), ("drop", EventVerdict::Drop)];
        Ok(verdicts_by_data(bulk, &verdicts))
    });
    let bad = rig.broker.deliver("t", message("t", "not json"));
    let (answers, bad) = tokio::join!(deliver(&rig, &["fine", "drop", "unnamed", "fine"]), bad);
    assert!(
        answers
            .iter()
            .chain([&bad])
            .all(|answer| *answer == Answer::Acked),
        "{answers:?}"
    );
    let letters: Vec<_> = rig.published().into_iter().map(|letter| letter.data).collect();
    assert_eq!(letters.len(), 3);
    assert!(letters.contains(&event("t", "y", "drop").data));
    assert!(letters.contains(&event("t", "y", "unnamed").data));
    assert!(letters.iter().any(|letter| &letter[..] == b"not json"));

    rig.broker
        .refuse_publish
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let answers = deliver(&rig, &["fine", "drop", "unnamed"]).await;
    assert_eq!(answers[0], Answer::Acked);
    assert!(
        matches!(answers[1..], [Answer::Nacked(_), Answer::Nacked(_)]),
        "{answers:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn only_what_failed_is_repeated() {
    let app = shared(vec![in_bulk("fake", 3, 500)]);
    let mut plan = Plan::new(&app, "");
    plan.settings.inbound = Arc::new(|_| Policy::retry(Backoff::constant(Duration::from_millis(10)), 2));
    let rig = plan.build().await;
    rig.subscriptions.start().await;
    app.answers_bulk(|bulk, before| match before {
        0 => Ok(verdicts_by_data(
            bulk,
            &[("a", EventVerdict::Success), ("b", EventVerdict::Retry)],
        )),
        1 => Err(absent()),
        _ => Ok(verdicts_by_data(bulk, &[("b", EventVerdict::Success)])),
    });
    let answers = deliver(&rig, &["a", "b", "c"]).await;
    assert_eq!(answers[..2], [Answer::Acked, Answer::Acked]);
    assert!(matches!(answers[2], Answer::Nacked(_)), "{answers:?}");
    let sizes: Vec<_> = app.bulks.borrow().iter().map(|call| call.entries.len()).collect();
    assert_eq!(sizes, [3, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_split_by_route_and_what_has_none_is_dropped() {
    let mut wanted = in_bulk("fake", 4, 500);
    wanted.routes.default = None;
    wanted.routes.rules = vec![
        rule(r#"event.data == "a""#, "/a"),
        rule(r#"event.data in ["b", "c"]"#, "/bc"),
    ];
    let app = shared(vec![wanted]);
    let rig = Rig::started(&app, "").await;
    let answers = deliver(&rig, &["b", "a", "none", "c"]).await;
    assert!(
        answers.iter().all(|answer| *answer == Answer::Acked),
        "{answers:?}"
    );
    let calls: Vec<_> = app
        .bulks
        .borrow()
        .iter()
        .map(|call| (call.path.clone(), call.entries.len()))
        .collect();
    assert_eq!(calls, [("/bc".to_owned(), 2), ("/a".to_owned(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn raw_entries_stay_as_they_are() {
    let mut wanted = in_bulk("fake", 1, 500);
    wanted.metadata.insert("rawPayload".to_owned(), "true".to_owned());
    let app = shared(vec![wanted]);
    let rig = Rig::started(&app, "").await;
    let raw = message("t", &b"\xff"[..]);
    assert_eq!(rig.broker.deliver("t", raw).await, Answer::Acked);
    let entry = app.saw_bulks(1).await[0].entries[0].clone();
    assert!(!entry.is_envelope);
    assert_eq!(
        (&entry.event[..], entry.content_type.as_str()),
        (&b"\xff"[..], "application/octet-stream")
    );
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_closes_does_not_wait_for_a_batch_to_fill() {
    let app = shared(vec![in_bulk("fake", 100, 60_000)]);
    let rig = Rig::started(&app, "").await;
    let start = tokio::time::Instant::now();
    let stop = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        rig.subscriptions.stop().await;
    };
    let (answers, ()) = tokio::join!(deliver(&rig, &["1", "2"]), stop);
    assert_eq!(answers, [Answer::Acked, Answer::Acked]);
    assert!(start.elapsed().as_secs() < 1, "{:?}", start.elapsed());
}
