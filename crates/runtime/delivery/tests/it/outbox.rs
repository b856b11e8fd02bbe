//! The transactional outbox.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use outrigger_base_telemetry::trace::TraceContext;
use outrigger_block_state::{Consistency, ETag, GetRequest, Metadata, Options, SetRequest, Value};
use outrigger_runtime_api::{Error, TransactionOp};

use crate::{
    app::{App, shared},
    fake_broker::{Answer, message},
    rig::{Plan, Rig, wants},
};

fn store(publish: &str, more: &str) -> String {
    format!(
        "---\napiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: store\nspec:\n  type: state.in-memory\n  version: v1\n  metadata:\n  - name: outboxPublishPubsub\n    value: {publish}\n  - name: outboxPublishTopic\n    value: test\n{more}\n"
    )
}

async fn rig(app: &Arc<App>, yaml: &str) -> Rig {
    let rig = Plan::new(app, yaml).build().await;
    rig.subscriptions.start().await;
    rig
}

fn upsert(key: &str, json: &'static str, metadata: &[(&str, &str)]) -> TransactionOp {
    let pairs = metadata
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    TransactionOp::Upsert(SetRequest {
        key: key.to_owned(),
        value: Value::Json(Bytes::from_static(json.as_bytes())),
        etag: None,
        options: Options::default(),
        metadata: pairs.collect(),
    })
}

async fn transact(rig: &Rig, operations: Vec<TransactionOp>) -> Result<(), Error> {
    let trace = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
    rig.api
        .transact_state_in("store", operations, Metadata::new(), &trace)
        .await
}

async fn stored(rig: &Rig, key: &str) -> Option<Bytes> {
    let request = GetRequest {
        key: key.to_owned(),
        consistency: Consistency::Unspecified,
        metadata: Metadata::new(),
    };
    let state = rig.api.host().snapshot().state("store").cloned().unwrap();
    state.store.get(request).await.unwrap().map(|item| item.data)
}

#[tokio::test]
async fn what_a_transaction_writes_is_published_once_it_happened() {
    let app = shared(vec![wants("bus", "test", "/test")]);
    let rig = rig(&app, &store("bus", "")).await;
    let metadata = [("outbox.cloudevent.myapp", "myapp1"), ("data", "a"), ("id", "b")];
    let operations = vec![
        upsert("1", "\"2\"", &metadata),
        upsert(
            "big",
            "12345678901234567890",
            &[("contentType", "application/json")],
        ),
        TransactionOp::Delete(outrigger_block_state::DeleteRequest {
            key: "gone".to_owned(),
            ..Default::default()
        }),
    ];
    transact(&rig, operations).await.unwrap();
    let seen = app.saw(2).await;
    let event = seen[0].json();
    assert_eq!(
        (&event["data"], &event["outbox.cloudevent.myapp"]),
        (&"2".into(), &"myapp1".into())
    );
    assert_eq!(
        (&event["topic"], &event["pubsubname"]),
        (&"test".into(), &"bus".into())
    );
    assert_eq!(
        (&event["source"], &event["type"]),
        (&"me".into(), &"com.dapr.event.sent".into())
    );
    assert_eq!(
        event["traceid"],
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    );
    let marker = event["id"].as_str().unwrap().to_owned();
    assert!(marker.starts_with("outbox-"), "{marker}");
    let text = std::str::from_utf8(&seen[1].envelope).unwrap();
    assert!(text.contains(r#""data":12345678901234567890,"#), "{text}");

    assert_eq!(stored(&rig, "me||1").await.as_deref(), Some(&b"\"2\""[..]));
    while stored(&rig, &marker).await.is_some() {
        tokio::task::yield_now().await;
    }
    assert_eq!(app.seen.borrow().len(), 2, "a removal announces nothing");
}

#[tokio::test]
async fn a_projection_is_published_in_place_of_what_is_stored() {
    let app = shared(vec![wants("bus", "test", "/test")]);
    let rig = rig(&app, &store("bus", "")).await;
    let operations = vec![
        upsert("1", "\"2\"", &[]),
        upsert("1", "\"3\"", &[("outbox.projection", "true")]),
    ];
    transact(&rig, operations).await.unwrap();
    assert_eq!(app.saw(1).await[0].json()["data"], "3");
    assert_eq!(stored(&rig, "me||1").await.as_deref(), Some(&b"\"2\""[..]));
}

/// A transaction that fails after it was announced.
async fn fail(rig: &Rig) -> outrigger_block_pubsub::Message {
    let mut write = upsert("1", "\"2\"", &[]);
    if let TransactionOp::Upsert(set) = &mut write {
        set.etag = ETag::new("77");
    }
    assert!(transact(rig, vec![write]).await.is_err());
    let announced = rig.published().remove(0);
    assert_eq!(announced.topic, "metestoutbox");
    message("metestoutbox", announced.data)
}

#[tokio::test(start_paused = true)]
async fn without_its_transaction_nothing_is_published_and_the_message_comes_again() {
    let app = shared(Vec::new());
    let rig = rig(&app, &store("fake", "")).await;
    let announcement = fail(&rig).await;
    let start = tokio::time::Instant::now();
    let answer = rig.broker.deliver("metestoutbox", announcement).await;
    assert!(matches!(answer, Answer::Nacked(_)), "{answer:?}");
    let seconds = start.elapsed().as_secs();
    assert!((8..=11).contains(&seconds), "{seconds}");
    assert_eq!(rig.published().len(), 1, "the announcement and nothing else");
}

#[tokio::test(start_paused = true)]
async fn an_announcement_without_its_transaction_can_be_discarded() {
    let app = shared(Vec::new());
    let yaml = store(
        "fake",
        "  - name: outboxDiscardWhenMissingState\n    value: 'true'",
    );
    let rig = rig(&app, &yaml).await;
    let announcement = fail(&rig).await;
    assert_eq!(
        rig.broker.deliver("metestoutbox", announcement).await,
        Answer::Acked
    );
    assert_eq!(rig.published().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_is_slow_to_commit_is_waited_for() {
    let app = shared(Vec::new());
    let rig = rig(&app, &store("fake", "")).await;
    let announcement = fail(&rig).await;
    let json: serde_json::Value = serde_json::from_slice(&announcement.data).unwrap();
    let commit = async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        let state = rig.api.host().snapshot().state("store").cloned().unwrap();
        let TransactionOp::Upsert(marker) = upsert(json["id"].as_str().unwrap(), "\"0\"", &[]) else {
            unreachable!()
        };
        state.store.set(marker).await.unwrap();
    };
    let (answer, ()) = tokio::join!(rig.broker.deliver("metestoutbox", announcement), commit);
    assert_eq!(answer, Answer::Acked);
    let event = rig.published().remove(1);
    assert_eq!((event.topic.as_str(), event.content_type), ("test", None));
    let published: serde_json::Value = serde_json::from_slice(&event.data).unwrap();
    assert_eq!(published["datacontenttype"], "text/plain");
    assert_eq!(stored(&rig, json["id"].as_str().unwrap()).await, None);
}

#[tokio::test]
async fn a_transaction_that_cannot_be_announced_does_not_happen() {
    let app = shared(Vec::new());
    let rig = rig(&app, &store("bus", "  - name: outboxPubsub\n    value: fake")).await;
    rig.broker
        .refuse_publish
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let error = transact(&rig, vec![upsert("1", "\"2\"", &[])]).await.unwrap_err();
    assert_eq!(
        (error.code.name, error.http.as_u16()),
        ("ERR_PUBLISH_OUTBOX", 500)
    );
    assert_eq!(error.reason(), Some("DAPR_PUBSUB_OUTBOX"));
    assert_eq!(
        error.message,
        "error while publishing outbox message: error when publishing to topic metestoutbox in pubsub fake: publish: the test says so"
    );
    assert_eq!(stored(&rig, "me||1").await, None);
}

#[tokio::test]
async fn what_is_no_announcement_goes_back() {
    let app = shared(Vec::new());
    let rig = rig(&app, &store("fake", "")).await;
    for text in ["not json", "{}", r#"{"id":7}"#] {
        let answer = rig
            .broker
            .deliver("metestoutbox", message("metestoutbox", text))
            .await;
        assert!(matches!(answer, Answer::Nacked(_)), "{text}: {answer:?}");
    }
    rig.subscriptions.stop().await;
    assert_eq!(rig.broker.standing("metestoutbox"), 0);
}
