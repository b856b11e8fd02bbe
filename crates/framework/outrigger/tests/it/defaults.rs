//! The default resources.

use outrigger::{App, Event, State};
use tokio::{sync::mpsc, time::timeout};

use crate::world::{LONG, World};

async fn seen(State(tell): State<mpsc::Sender<u32>>, event: Event<u32>) {
    tell.send(event.data).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_resources_there_are_a_store_and_a_broker_that_last() {
    let world = World::embedded();
    let (sender, mut receiver) = mpsc::channel::<u32>(8);
    let app = || -> App { world.app("app", &[]).with(sender.clone()).on("pubsub", "t", seen) };
    let running = app().start().await.unwrap();
    running
        .handle()
        .state("statestore")
        .set("k", "kept")
        .await
        .unwrap();
    running.handle().publish("pubsub", "t", &7).await.unwrap();
    assert_eq!(timeout(LONG, receiver.recv()).await.unwrap(), Some(7));
    assert_eq!(running.shutdown().await, Vec::<String>::new());
    assert!(world.folder.file("home").join("state.sqlite").is_file());
    let running = app().start().await.unwrap();
    let kept: Option<String> = running.handle().state("statestore").get("k").await.unwrap();
    assert_eq!(kept.as_deref(), Some("kept"));
    running.shutdown().await;
}

#[tokio::test]
async fn folders_of_resources_come_from_the_environment_or_the_app() {
    let manifest = |name: &str| {
        format!(
            "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  type: state.in-memory\n  \
             version: v1\n"
        )
    };
    let world = World::embedded();
    let folder = world.folder.file("named");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("a.yaml"), manifest("named")).unwrap();
    let variables = [("OUTRIGGER_RESOURCES_PATH", folder.to_string_lossy().into_owned())];
    let running = world.app("app", &variables).start().await.unwrap();
    running.handle().state("named").set("k", &1).await.unwrap();
    assert!(running.handle().state("statestore").set("k", &1).await.is_err());
    running.shutdown().await;
    // The user's own folder takes the place of what is built in.
    let own = world.folder.file("home").join("components");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(own.join("a.yaml"), manifest("mine")).unwrap();
    let running = world.app("app", &[]).start().await.unwrap();
    running.handle().state("mine").set("k", &1).await.unwrap();
    assert!(running.handle().state("statestore").set("k", &1).await.is_err());
    running.shutdown().await;
    let doubled = world
        .app("app", &[])
        .resources(&folder)
        .component("named", "state.in-memory", []);
    let error = crate::world::chain(&doubled.start().await.unwrap_err());
    assert!(error.contains("is given in code and in"), "{error}");
}

#[tokio::test]
async fn without_a_home_folder_there_are_no_default_resources() {
    let world = World::embedded();
    let run = world.folder.file("run").to_string_lossy().into_owned();
    let app = App::new(world.id("homeless"))
        .environment(move |name| (name == "OUTRIGGER_RUN_DIR").then(|| run.clone()))
        .internal("127.0.0.1:0".parse().unwrap())
        .multicast(false);
    let running = app.start().await.unwrap();
    let error = running
        .handle()
        .state("statestore")
        .set("k", &1)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("ERR_STATE_STORE_NOT_CONFIGURED"));
    running.shutdown().await;
}
