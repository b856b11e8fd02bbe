//! Lines that people and test suites match on.

use std::sync::{Arc, Mutex};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

use crate::{
    app::shared,
    fake_broker::message,
    rig::{Plan, component, wants},
};

/// Keeps the messages of all events.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Text<'a>(&'a mut String);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            *self.0 = format!("{value:?}");
        }
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = String::new();
        event.record(&mut Text(&mut line));
        self.0.lock().unwrap().push(line);
    }
}

#[tokio::test]
async fn the_lines_are_those_of_the_peers() {
    let lines = Lines::default();
    let _guard = tracing_subscriber::registry().with(lines.clone()).set_default();
    let mut wanted = wants("bus", "t", "/in");
    wanted.dead_letter_topic = None;
    let app = shared(vec![
        wanted,
        wants("fake", "x", "/x"),
        wants("fake", "y", "/y"),
        wants("scoped", "z", "/z"),
    ]);
    let metadata = "  metadata:\n  - name: allowedTopics\n    value: other";
    let rig = Plan::new(&app, &component("scoped", "fake", metadata))
        .build()
        .await;
    rig.subscriptions.start().await;
    rig.broker
        .deliver(
            "x",
            message("x", r#"{"id":"i","expiration":"2020-01-01T00:00:00Z"}"#),
        )
        .await;
    let mut silent = Plan::new(&app, "");
    silent.settings.ask_app = false;
    silent.build().await.subscriptions.start().await;

    let lines = lines.0.lock().unwrap().clone();
    for expected in [
        "app is subscribed to the following topics: [[t]] through pubsub=bus",
        "app is subscribed to the following topics: [[x y]] through pubsub=fake",
        "Failed to start subscription for pubsub scoped, topic z: subscription to topic 'z' on pubsub 'scoped' is not allowed",
        "Skipping programmatic subscription loading (see 'disable-init-endpoints' flag/annotation)",
        "dropping expired pub/sub event i as of 2020-01-01T00:00:00Z",
    ] {
        assert!(
            lines.iter().any(|line| line == expected),
            "{expected} is not in {lines:#?}"
        );
    }
}
