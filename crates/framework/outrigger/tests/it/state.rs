//! State.

use std::collections::BTreeMap;

use outrigger::{Error, Handle, Json, Versioned, WriteOptions};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::world::{Gear, Started, World};

both! {
    values_are_written_read_and_removed
    versions_guard_writes
    an_update_survives_others
    transactions_are_all_or_nothing
    errors_have_codes_and_reasons
    handlers_have_state
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
struct Stock {
    name: String,
    left: u64,
    price: f64,
    tags: BTreeMap<String, Option<String>>,
}

fn stock(left: u64) -> Stock {
    Stock {
        name: "pen \"blue\" é".to_owned(),
        left,
        price: 1.25,
        tags: BTreeMap::from([("a".to_owned(), None), ("b".to_owned(), Some("c".to_owned()))]),
    }
}

async fn keep(handle: Handle, Json(left): Json<u64>) -> Result<(), Error> {
    handle.state("statestore").set("kept", &left).await
}

async fn app(world: &World) -> Started {
    world
        .start("app", Gear::in_memory(), |app| app.call("idle", async || ()))
        .await
}

async fn values_are_written_read_and_removed(world: World) {
    let app = app(&world).await;
    let store = app.handle().state("statestore");
    assert_eq!(store.get::<Stock>("pen").await.unwrap(), None);
    store.set("pen", &stock(3)).await.unwrap();
    assert_eq!(store.get::<Stock>("pen").await.unwrap(), Some(stock(3)));
    store.set("a/b c?d=é", "text").await.unwrap();
    assert_eq!(
        store.get::<String>("a/b c?d=é").await.unwrap().as_deref(),
        Some("text")
    );
    let big = serde_json::json!({"big": 12_345_678_901_234_567_890u64});
    store.set("big", &big).await.unwrap();
    assert_eq!(store.get::<serde_json::Value>("big").await.unwrap(), Some(big));
    let many = store
        .get_many::<serde_json::Value>(&["none", "pen", "a/b c?d=é"])
        .await
        .unwrap();
    let expected = serde_json::to_value(stock(3)).unwrap();
    assert_eq!(many, [None, Some(expected), Some("text".into())]);
    store.delete("pen").await.unwrap();
    store.delete("pen").await.unwrap();
    assert_eq!(store.get::<Stock>("pen").await.unwrap(), None);
    let error = store.get::<u32>("a/b c?d=é").await.unwrap_err();
    assert!(
        matches!(error, Error::Decode { .. }) && !error.retryable(),
        "{error:?}"
    );
    app.end().await;
}

async fn versions_guard_writes(world: World) {
    let app = app(&world).await;
    let store = app.handle().state("statestore");
    store.create("k", &1).await.unwrap();
    let error = store.create("k", &2).await.unwrap_err();
    assert!(error.is_conflict() && !error.retryable(), "{error:?}");
    assert_eq!(error.code(), Some("ERR_STATE_SAVE"));
    let Versioned { value, etag } = store.get_versioned::<u32>("k").await.unwrap().unwrap();
    assert_eq!(value, 1);
    store.set_if("k", &3, &etag).await.unwrap();
    assert!(store.set_if("k", &4, &etag).await.unwrap_err().is_conflict());
    let error = store.delete_if("k", &etag).await.unwrap_err();
    assert!(error.is_conflict(), "{error:?}");
    let etag = store.get_versioned::<u32>("k").await.unwrap().unwrap().etag;
    store.delete_if("k", &etag).await.unwrap();
    assert_eq!(store.get::<u32>("k").await.unwrap(), None);
    let ttl = WriteOptions {
        metadata: BTreeMap::from([("ttlInSeconds".to_owned(), "no number".to_owned())]),
        ..WriteOptions::default()
    };
    let error = store.set_with("k", &1, ttl).await.unwrap_err();
    assert!(error.to_string().contains("ttlInSeconds"), "{error}");
    app.end().await;
}

async fn an_update_survives_others(world: World) {
    /// Tasks at work on one key at the same time.
    const WRITERS: u32 = 16;
    /// Updates that each of them makes.
    const UPDATES: u32 = 25;
    let app = app(&world).await;
    let handle = app.handle().clone();
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let store = handle.state("statestore");
        writers.spawn(async move {
            for _ in 0..UPDATES {
                store.update("n", |n: Option<u32>| Ok(n.unwrap_or(0) + 1)).await?;
            }
            Ok::<_, Error>(())
        });
    }
    for ended in writers.join_all().await {
        ended.unwrap();
    }
    let store = handle.state("statestore");
    assert_eq!(store.get::<u32>("n").await.unwrap(), Some(WRITERS * UPDATES));
    let error = store
        .update("n", |_: Option<u32>| Err(Error::conflict("not now")))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("CONFLICT"));
    drop((store, handle));
    app.end().await;
}

async fn transactions_are_all_or_nothing(world: World) {
    let app = app(&world).await;
    let store = app.handle().state("statestore");
    store.set("old", &1).await.unwrap();
    store
        .transaction()
        .set("a", &1)
        .set("b", &stock(2))
        .delete("old")
        .commit()
        .await
        .unwrap();
    assert_eq!(store.get::<u32>("old").await.unwrap(), None);
    assert_eq!(store.get::<Stock>("b").await.unwrap(), Some(stock(2)));
    let stale = WriteOptions {
        etag: Some("999999".to_owned()),
        ..WriteOptions::default()
    };
    let error = store
        .transaction()
        .set("a", &5)
        .set_with("b", &6, stale)
        .commit()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("ERR_STATE_TRANSACTION"));
    assert_eq!(store.get::<u32>("a").await.unwrap(), Some(1));
    let no_json = BTreeMap::from([((1u8, 2u8), 3)]);
    let error = store
        .transaction()
        .set("a", &5)
        .set("b", &no_json)
        .commit()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Encode { .. }), "{error:?}");
    assert_eq!(store.get::<u32>("a").await.unwrap(), Some(1));
    app.end().await;
}

async fn errors_have_codes_and_reasons(world: World) {
    let app = app(&world).await;
    let error = app.handle().state("nowhere").get::<u32>("k").await.unwrap_err();
    assert_eq!(error.code(), Some("ERR_STATE_STORE_NOT_FOUND"));
    assert_eq!(error.reason(), Some("DAPR_STATE_NOT_FOUND"));
    assert_eq!(error.status().unwrap().as_u16(), 400);
    assert_eq!(error.to_string(), "state store nowhere is not found");
    assert!(!error.retryable());
    let error = app
        .handle()
        .state("statestore")
        .set("a||b", &1)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("ERR_MALFORMED_REQUEST"));
    assert_eq!(error.reason(), Some("DAPR_STATE_ILLEGAL_KEY"));
    app.end().await;
    let bare = world
        .start("bare", Gear::default(), |app| app.call("idle", async || ()))
        .await;
    let error = match bare.handle().mode() {
        // Without a resource named, an embedded app has the default ones.
        outrigger::Mode::Embedded => bare.handle().state("nowhere").get::<u32>("k").await.unwrap_err(),
        outrigger::Mode::Sidecar => {
            let error = bare
                .handle()
                .state("statestore")
                .get::<u32>("k")
                .await
                .unwrap_err();
            assert_eq!(error.code(), Some("ERR_STATE_STORE_NOT_CONFIGURED"));
            error
        }
    };
    assert!(matches!(error, Error::Refused(_)), "{error:?}");
    bare.end().await;
}

async fn handlers_have_state(world: World) {
    async fn kept(handle: Handle) -> Result<Json<Option<u64>>, Error> {
        Ok(Json(handle.state("statestore").get("kept").await?))
    }
    let app = world
        .start("app", Gear::in_memory(), |app| {
            app.post("keep", keep).get("kept", kept)
        })
        .await;
    app.handle().invoke::<_, ()>(&app.id, "keep", &7).await.unwrap();
    let kept: Option<u64> = app.handle().fetch(&app.id, "kept").await.unwrap();
    assert_eq!(kept, Some(7));
    app.end().await;
}
