//! `pubsub.outrigger`.

use outrigger_block_kit::{Context, Properties};
use outrigger_block_pubsub::conformance::{Traits, run};

/// A broker with one more property passes the suite.
async fn passes(more: (&str, &str), traits: Traits) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let broker =
        outrigger_component_broker::open(Context::for_test("bus"), Properties::new([("path", path), more]))
            .await
            .unwrap();
    run(broker, traits).await.unwrap();
}

fn traits() -> Traits {
    Traits {
        message_ttl: true,
        bulk_publish: true,
        // Subscriptions of one broker are one group.
        fan_out: false,
        ..Traits::durable("embedded-")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pubsub_outrigger_one_at_a_time() {
    passes(("concurrency", "1"), traits()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pubsub_outrigger_many_at_a_time() {
    // Deliveries begin in order; handlers that run side by side end as they like.
    let traits = Traits {
        in_order: false,
        serial: false,
        ..traits()
    };
    passes(("synchronous", "normal"), traits).await;
}
