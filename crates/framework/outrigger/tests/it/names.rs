//! Names that are empty.

use bytes::Bytes;
use http::Request;
use outrigger::{Body, Error, Json, PublishOptions, WriteOptions};

use crate::world::{Gear, World};

both! {
    empty_names_are_refused_alike
    an_empty_method_is_the_root
}

/// That an operation was refused, and why.
#[track_caller]
fn refused<T: std::fmt::Debug>(done: Result<T, Error>, why: &str) {
    match done {
        Err(Error::Input(text)) => assert_eq!(text, why),
        other => panic!("{other:?}"),
    }
}

async fn empty_names_are_refused_alike(world: World) {
    let app = world
        .start("app", Gear::in_memory(), |app| app.call("idle", async || ()))
        .await;
    let handle = app.handle();
    let (store, nowhere) = (handle.state("statestore"), handle.state(""));
    let why = "the key of a value is empty";
    refused(store.get::<u32>("").await, why);
    refused(store.get_many::<u32>(&["a", ""]).await, why);
    refused(store.set("", &1).await, why);
    refused(store.create("", &1).await, why);
    refused(store.update("", |_: Option<u32>| Ok(1)).await, why);
    refused(store.delete("").await, why);
    refused(store.delete_if("", "1").await, why);
    refused(store.transaction().set("a", &1).set("", &1).commit().await, why);
    refused(store.transaction().set("a", &1).delete("").commit().await, why);
    assert_eq!(store.get::<u32>("a").await.unwrap(), None);
    let why = "the name of the state store is empty";
    refused(nowhere.get::<u32>("a").await, why);
    refused(nowhere.set_with("a", &1, WriteOptions::default()).await, why);
    refused(nowhere.transaction().set("a", &1).commit().await, why);
    let why = "the name of the pub/sub component is empty";
    refused(handle.publish("", "t", &1).await, why);
    refused(handle.publish_all("", "t", &[1]).await, why);
    let why = "the topic to publish to is empty";
    refused(handle.publish("pubsub", "", &1).await, why);
    refused(handle.publish_all("pubsub", "", &[1]).await, why);
    let options = PublishOptions::default();
    refused(
        handle.publish_bytes("pubsub", "", Bytes::new(), options).await,
        why,
    );
    let why = "the id of the app to call is empty";
    refused(handle.invoke::<_, u32>("", "m", &1).await, why);
    refused(handle.fetch::<u32>("", "m").await, why);
    let request = Request::get("/m").body(Body::empty()).unwrap();
    refused(
        handle.request("", request).await.map(|answer| answer.status()),
        why,
    );
    let why = "the name of the secret store is empty";
    refused(handle.secrets("").all().await, why);
    refused(handle.secrets("").get("a").await, why);
    refused(handle.secrets("s").get("").await, "the name of a secret is empty");
    app.end().await;
}

async fn an_empty_method_is_the_root(world: World) {
    let app = world
        .start("app", Gear::default(), |app| app.get("/", async || Json(1)))
        .await;
    assert_eq!(app.handle().fetch::<u32>(&app.id, "").await.unwrap(), 1);
    assert_eq!(app.handle().fetch::<u32>(&app.id, "/").await.unwrap(), 1);
    app.end().await;
}
