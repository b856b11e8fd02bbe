//! Apps of both modes in one mesh.

use outrigger::{App, Caller, Error, Json, Mode};

use crate::world::{Gear, LONG, Started, World};

async fn greet(caller: Caller, Json(name): Json<String>) -> Json<String> {
    Json(format!("{name} from {}", caller.app_id().unwrap_or_default()))
}

fn greeter(app: App) -> App {
    app.call("greet", greet)
}

/// Each calls the other by its id.
async fn greet_each_other(one: &Started, other: &Started) {
    for (from, to) in [(one, other), (other, one)] {
        let greeting: String = from.handle().invoke(&to.id, "greet", "hello").await.unwrap();
        assert_eq!(greeting, format!("hello from {}", from.id));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_apps_in_one_process_invoke_each_other() {
    let world = World::embedded();
    let one = world.start("one", Gear::in_memory(), greeter).await;
    let other = world.start("other", Gear::in_memory(), greeter).await;
    greet_each_other(&one, &other).await;
    // Each has a store of its own.
    one.handle().state("statestore").set("k", &1).await.unwrap();
    assert_eq!(
        other.handle().state("statestore").get::<u32>("k").await.unwrap(),
        None
    );
    one.end().await;
    // The one that is left goes on.
    other.handle().state("statestore").set("k", &2).await.unwrap();
    let greeting: String = other.handle().invoke(&other.id, "greet", "still").await.unwrap();
    assert_eq!(greeting, format!("still from {}", other.id));
    other.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_embedded_app_and_one_beside_a_sidecar_invoke_each_other() {
    let world = World::beside_sidecars();
    let beside = world.start("beside", Gear::default(), greeter).await;
    let embedded = world
        .start_in(Mode::Embedded, "embedded", Gear::default(), greeter)
        .await;
    greet_each_other(&embedded, &beside).await;
    embedded.end().await;
    beside.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sidecar_that_is_gone_is_unreachable() {
    let world = World::beside_sidecars();
    let mut app = world.start("app", Gear::in_memory(), greeter).await;
    app.handle().state("statestore").set("k", &1).await.unwrap();
    app.sidecar.take().unwrap().terminate(LONG).await.unwrap();
    let handle = app.handle();
    let errors = [
        handle.state("statestore").get::<u32>("k").await.unwrap_err(),
        handle.publish("pubsub", "t", &1).await.unwrap_err(),
        handle.fetch::<u32>(&app.id, "greet").await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
        assert!(error.retryable());
    }
    app.end().await;
}

#[tokio::test(flavor = "current_thread")]
async fn an_app_runs_on_one_thread() {
    let world = World::embedded();
    let one = world.start("one", Gear::in_memory(), greeter).await;
    let other = world.start("other", Gear::in_memory(), greeter).await;
    greet_each_other(&one, &other).await;
    one.end().await;
    other.end().await;
}
