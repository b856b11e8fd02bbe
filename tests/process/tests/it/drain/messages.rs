//! Messages in hand when the sidecar is told to end.

use outrigger_testing_harness::{Folder, Signal, eventually};
use serde_json::json;

use crate::rig::{App, PATIENCE, Plan, component, post, subscriber::Subscriber, subscription};

async fn a_message_in_hand_is_finished(kind: &str, survives: bool) {
    let (folder, app) = (Folder::new("message").unwrap(), App::start("app"));
    let manifests = [
        component("pubsub", kind, &[]),
        subscription("pubsub", "orders", "/held"),
    ];
    let plan = Plan::new("app", folder.path())
        .app(app.port, "http")
        .resources(&folder, &manifests);
    let mut sidecar = plan.start().await;
    post(&sidecar, "/v1.0/publish/pubsub/orders", json!(1).to_string())
        .await
        .ok();
    eventually(PATIENCE, || async { app.held() == 1 }).await;
    sidecar.process.signal(Signal::Terminate).unwrap();
    sidecar
        .process
        .wait_for_line("beginning shutdown", PATIENCE)
        .await
        .unwrap();
    assert!(
        sidecar.process.ended().is_none(),
        "it ended with a message in hand"
    );
    app.open_gate();
    let status = sidecar.process.wait(PATIENCE).await.unwrap();
    assert_eq!(status.code(), Some(0), "{:#?}", sidecar.process.lines());
    assert_eq!(app.events(), [json!(1)]);
    if !survives {
        return;
    }
    // It is done with: what comes after the restart is what is published after it.
    let sidecar = plan.start().await;
    post(&sidecar, "/v1.0/publish/pubsub/orders", json!(2).to_string())
        .await
        .ok();
    eventually(PATIENCE, || async { app.events().contains(&json!(2)) }).await;
    assert_eq!(app.events(), [json!(1), json!(2)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_the_broker_in_memory_is_finished() {
    a_message_in_hand_is_finished("pubsub.in-memory", false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_the_embedded_broker_is_finished_and_acknowledged() {
    a_message_in_hand_is_finished("pubsub.outrigger", true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_a_stream_has_in_hand_is_finished_and_acknowledged() {
    let folder = Folder::new("stream").unwrap();
    let broker = component("pubsub", "pubsub.outrigger", &[]);
    let plan = Plan::new("app", folder.path()).resources(&folder, &[broker]);
    let mut sidecar = plan.start().await;
    let mut stream = Subscriber::open(&sidecar, "pubsub", "orders").await.unwrap();
    let path = "/v1.0/publish/pubsub/orders";
    post(&sidecar, path, json!(1).to_string()).await.ok();
    let event = stream.next().await;
    sidecar.process.signal(Signal::Terminate).unwrap();
    sidecar
        .process
        .wait_for_line("beginning shutdown", PATIENCE)
        .await
        .unwrap();
    assert!(
        sidecar.process.ended().is_none(),
        "it ended with an event in hand"
    );
    stream.take(&event.id).await;
    let status = sidecar.process.wait(PATIENCE).await.unwrap();
    assert_eq!(status.code(), Some(0), "{:#?}", sidecar.process.lines());
    let sidecar = plan.start().await;
    let mut stream = Subscriber::open(&sidecar, "pubsub", "orders").await.unwrap();
    post(&sidecar, path, json!(2).to_string()).await.ok();
    assert_eq!(stream.next().await.data, "2");
}
