//! Kills without a warning, of both sides of the embedded broker.

use std::{collections::BTreeSet, time::Duration};

use http::Method;
use outrigger_testing_harness::{Folder, eventually};
use serde_json::json;
use tokio::{task::JoinSet, time::Instant};

use crate::rig::{
    App, PATIENCE, Place, Plan, component,
    http::{request, try_call},
    sidecar::lasting_port,
    subscription,
};

/// Events that must be delivered before the next kill.
const BETWEEN_KILLS: usize = 60;
/// How often each side is killed.
const KILLS: usize = 2;
/// How long after a killed subscriber is back the first event may take, of those that go on being published: no event
/// waits for the lease of one that the killed process had in hand. Measured with a debug build: some 10 ms.
const RECOVERY_MAX: Duration = Duration::from_secs(4);

/// Publishes until the port is gone; the numbers that were acknowledged.
async fn publish(port: u16, from: u64) -> Vec<u64> {
    let mut acknowledged = Vec::new();
    for number in from.. {
        let asked = request(
            Method::POST,
            "/v1.0/publish/pubsub/orders",
            json!(number).to_string(),
        );
        match try_call(&Place::default(), port, asked, PATIENCE).await {
            Ok(answer) if answer.status == 204 => acknowledged.push(number),
            // What was not acknowledged may have been taken or not.
            _ => break,
        }
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_that_was_acknowledged_is_delivered_whoever_is_killed() {
    let (folder, app) = (Folder::new("kills").unwrap(), App::start("app"));
    let manifests = [
        component("pubsub", "pubsub.outrigger", &[]),
        subscription("pubsub", "orders", "/events"),
    ];
    let publisher = Plan::new("publisher", folder.path()).resources(&folder, &manifests[..1]);
    let publisher = publisher.ports([lasting_port(), 0, 0, 0]);
    let subscriber = Plan::new("app", folder.path())
        .app(app.port, "http")
        .resources(&folder, &manifests);

    // The group exists from its first subscription on; events before it are nobody's.
    let mut receiving = subscriber.start().await;
    let mut acknowledged = Vec::new();
    for round in 0..KILLS {
        let mut sending = publisher.start().await;
        let mut task = JoinSet::new();
        task.spawn(publish(sending.http, 10_000 * (1 + round as u64)));
        let more = |count| {
            let app = &app;
            let before = app.events().len();
            eventually(
                PATIENCE,
                move || async move { app.events().len() >= before + count },
            )
        };
        more(BETWEEN_KILLS).await;
        receiving.process.kill();
        receiving = subscriber.start().await;
        let ready = Instant::now();
        more(1).await;
        let recovered = ready.elapsed();
        println!("a subscriber that was killed got its first event {recovered:?} after it was ready");
        assert!(recovered <= RECOVERY_MAX, "{recovered:?}");
        more(BETWEEN_KILLS).await;
        sending.process.kill();
        acknowledged.extend(task.join_next().await.unwrap().unwrap());
    }
    let wanted: BTreeSet<u64> = acknowledged.iter().copied().collect();
    eventually(PATIENCE, || async {
        let got: BTreeSet<u64> = app
            .events()
            .iter()
            .filter_map(serde_json::Value::as_u64)
            .collect();
        let missing: Vec<&u64> = wanted.difference(&got).collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(format!(
                "{} of {} are missing: {missing:?}",
                missing.len(),
                wanted.len()
            ))
        }
    })
    .await;
    let doubled = app.events().len()
        - app
            .events()
            .iter()
            .filter_map(serde_json::Value::as_u64)
            .collect::<BTreeSet<_>>()
            .len();
    println!(
        "{} events acknowledged over {KILLS} kills of each side: all delivered, {doubled} more than once",
        wanted.len()
    );
    assert!(wanted.len() >= 2 * KILLS * BETWEEN_KILLS, "{}", wanted.len());
}
