//! Which subscriptions there are.

use std::sync::atomic::Ordering;

use outrigger_runtime_api::SubscriptionKind;

use crate::{
    app::shared,
    fake_broker::{Answer, event},
    rig::{Plan, Rig, component, declared, rule, wants},
};

fn kinds(rig: &Rig) -> Vec<(String, String, SubscriptionKind)> {
    let all = rig.api.subscriptions().into_iter();
    all.map(|info| (info.topic, info.routes.default.unwrap_or_default(), info.kind))
        .collect()
}

#[tokio::test]
async fn the_app_replaces_what_is_declared_and_the_first_declaration_counts() {
    let app = shared(vec![wants("fake", "b", "/app")]);
    let yaml = [
        declared("one", "fake", "a", "/first"),
        declared("two", "fake", "b", "/declared"),
        declared("three", "fake", "a", "/second"),
    ];
    let rig = Rig::started(&app, &yaml.concat()).await;
    for topic in ["a", "b"] {
        assert_eq!(rig.broker.standing(topic), 1);
        assert_eq!(
            rig.broker.deliver(topic, event(topic, "y", "x")).await,
            Answer::Acked
        );
    }
    let paths: Vec<_> = app.saw(2).await.into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths, ["/first", "/app"]);
    let expected = [
        ("a", "/first", SubscriptionKind::Declarative),
        ("b", "/app", SubscriptionKind::Programmatic),
    ];
    let expected = expected.map(|(topic, path, kind)| (topic.to_owned(), path.to_owned(), kind));
    assert_eq!(kinds(&rig), expected);
}

#[tokio::test]
async fn declarations_are_reported_before_anything_starts_and_without_an_app() {
    let app = shared(Vec::new());
    let mut plan = Plan::new(&app, &declared("one", "bus", "a", "/a"));
    plan.app = None;
    let rig = plan.build().await;
    assert_eq!(kinds(&rig).len(), 1);
    rig.subscriptions.start().await;
    assert_eq!(kinds(&rig).len(), 1);
    rig.publish("bus", "a", "x").await;
}

#[tokio::test]
async fn an_app_that_is_not_to_be_asked_is_not() {
    let app = shared(vec![wants("fake", "b", "/app")]);
    let mut plan = Plan::new(&app, &declared("one", "fake", "a", "/a"));
    plan.settings.ask_app = false;
    let rig = plan.build().await;
    rig.subscriptions.start().await;
    assert_eq!(app.asked.load(Ordering::SeqCst), 0);
    assert_eq!((rig.broker.standing("a"), rig.broker.standing("b")), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn an_app_is_asked_again_when_it_does_not_answer_and_once_when_it_does() {
    let app = shared(vec![wants("fake", "b", "/app")]);
    app.mute.store(3, Ordering::SeqCst);
    let rig = Rig::started(&app, "").await;
    assert_eq!(app.asked.load(Ordering::SeqCst), 4);
    assert_eq!(rig.broker.standing("b"), 1);
    rig.subscriptions.pause().await;
    assert_eq!(rig.broker.standing("b"), 0);
    rig.subscriptions.start().await;
    assert_eq!(
        (app.asked.load(Ordering::SeqCst), rig.broker.standing("b")),
        (4, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn an_app_that_never_answers_still_gets_what_is_declared() {
    let app = shared(Vec::new());
    app.mute.store(usize::MAX, Ordering::SeqCst);
    let rig = Rig::started(&app, &declared("one", "fake", "a", "/a")).await;
    assert_eq!(rig.broker.standing("a"), 1);
}

#[tokio::test]
async fn scopes_missing_brokers_and_bad_rules_skip_one_and_not_the_others() {
    let mut bad = wants("fake", "bad", "/x");
    bad.routes.rules = vec![rule("event.type ==", "/x")];
    let app = shared(vec![
        bad,
        wants("nowhere", "a", "/a"),
        wants("scoped", "mine", "/mine"),
        wants("scoped", "theirs", "/theirs"),
    ]);
    let metadata = "  metadata:\n  - name: subscriptionScopes\n    value: me=mine;other=theirs";
    let rig = Rig::started(&app, &component("scoped", "fake", metadata)).await;
    let standing = ["bad", "a", "mine", "theirs"].map(|topic| rig.broker.standing(topic));
    assert_eq!(standing, [0, 0, 1, 0]);
    assert_eq!(
        kinds(&rig).len(),
        4,
        "what is wanted is reported, whether or not it stands"
    );
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_refuses_is_asked_again() {
    let app = shared(vec![wants("fake", "a", "/a")]);
    let rig = Plan::new(&app, "").build().await;
    rig.broker.refuse_subscribe.store(2, Ordering::SeqCst);
    let start = tokio::time::Instant::now();
    rig.subscriptions.start().await;
    assert_eq!((rig.broker.standing("a"), start.elapsed().as_millis()), (0, 0));
    while rig.broker.standing("a") == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(start.elapsed().as_millis() >= 1_250, "{:?}", start.elapsed());
    assert_eq!(rig.broker.deliver("a", event("a", "y", "x")).await, Answer::Acked);
}

#[tokio::test]
async fn metadata_and_namespace_reach_the_broker() {
    let mut wanted = wants("scoped", "t", "/in");
    wanted.metadata.insert("queue".to_owned(), "q".to_owned());
    wanted.dead_letter_topic = Some("dead".to_owned());
    let app = shared(vec![wanted]);
    let metadata = "  metadata:\n  - name: consumerID\n    value: '{namespace}'";
    let mut plan = Plan::new(&app, &component("scoped", "fake", metadata));
    plan.namespace = "ns";
    let rig = plan.build().await;
    rig.subscriptions.start().await;
    let request = rig.broker.requests.lock().unwrap()[0].clone();
    assert_eq!(
        (request.topic.as_str(), request.metadata["queue"].as_str()),
        ("nst", "q")
    );
    assert_eq!(
        rig.broker.deliver("nst", event("nst", "y", "x")).await,
        Answer::Acked
    );
    assert_eq!(app.saw(1).await[0].topic, "t");
    app.answers(|_, _| Ok(outrigger_runtime_channel::EventVerdict::Drop));
    assert_eq!(
        rig.broker.deliver("nst", event("nst", "y", "x")).await,
        Answer::Acked
    );
    assert_eq!(rig.published()[0].topic, "nsdead");
}
