//! `state.redis` and `pubsub.redis`, on a real server.

use outrigger_block_kit::{Context, Properties};
use outrigger_block_pubsub::conformance as pubsub;
use outrigger_block_state::conformance as state;
use outrigger_testing_harness::RedisServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_redis() {
    let server = RedisServer::start().await.unwrap();
    let properties = Properties::new([("redisHost", server.address())]);
    let store = outrigger_component_redis::store(Context::for_test("store"), properties)
        .await
        .unwrap();
    let traits = state::Traits {
        bad_etag: "9999999",
        // A text that is no number is invalid for a write, and as in Dapr a mismatch for a removal: tested with the component.
        invalid_etag: None,
        etag_needs_value: false,
        ttl_expire_time: false,
        omitted_ttl_lifts: false,
        delete_with_prefix: false,
        ..state::Traits::all("redis")
    };
    state::run(store, traits).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pubsub_redis() {
    let server = RedisServer::start().await.unwrap();
    let properties = Properties::new([("redisHost", server.address())]);
    let broker = outrigger_component_redis::broker(Context::for_test("bus"), properties)
        .await
        .unwrap();
    let traits = pubsub::Traits {
        in_order: false,
        serial: false,
        redelivers: false,
        fan_out: false,
        ..pubsub::Traits::durable("redis-")
    };
    pubsub::run(broker, traits).await.unwrap();
}
