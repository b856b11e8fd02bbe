//! `state.in-memory` and `pubsub.in-memory`.

use outrigger_block_kit::{Context, Properties};
use outrigger_block_pubsub::conformance as pubsub;
use outrigger_block_state::conformance as state;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_in_memory() {
    let store = outrigger_component_memory::store(Context::for_test("store"), Properties::default())
        .await
        .unwrap();
    state::run(store, state::Traits::all("memory")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pubsub_in_memory() {
    let broker = outrigger_component_memory::broker(Context::for_test("bus"), Properties::default())
        .await
        .unwrap();
    let traits = pubsub::Traits {
        wildcard: Some(pubsub::Wildcard {
            pattern: "wild.*",
            inside: "wild.cat",
            outside: "tame.cat",
        }),
        redelivers: false,
        keeps_unhandled: false,
        ..pubsub::Traits::durable("memory-")
    };
    pubsub::run(broker, traits).await.unwrap();
}
