//! Clients that are gone at some point of a state transaction: it happened, or it did not.

use outrigger_testing_harness::{Folder, eventually};
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::rig::{PATIENCE, Plan, Raw, Sidecar, component, get, http::request, post, sidecar::lasting_port};

/// Transactions that are abandoned, each at a point of its own.
const ROUNDS: usize = 120;
/// Keys that one transaction writes.
const KEYS: usize = 4;

fn body(round: usize) -> String {
    let operations: Vec<Value> = (0..KEYS)
        .map(|key| json!({"operation": "upsert", "request": {"key": format!("{round}-{key}"), "value": round}}))
        .collect();
    json!({ "operations": operations }).to_string()
}

fn message(round: usize) -> String {
    let body = body(round);
    format!(
        "POST /v1.0/state/store/transaction HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// How many of a transaction's keys are there.
async fn written(sidecar: &Sidecar, round: usize) -> usize {
    let keys: Vec<String> = (0..KEYS).map(|key| format!("{round}-{key}")).collect();
    let answer = post(
        sidecar,
        "/v1.0/state/store/bulk",
        json!({ "keys": keys }).to_string(),
    )
    .await
    .ok();
    let items: Vec<Value> = serde_json::from_slice(&answer.body).unwrap();
    items.iter().filter(|item| item["data"] == json!(round)).count()
}

fn plan(folder: &Folder) -> Plan {
    let file = folder.file("state.db");
    let store = component(
        "store",
        "state.sqlite",
        &[("connectionString", file.to_str().unwrap())],
    );
    Plan::new("app", folder.path()).resources(folder, &[store])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_whose_client_is_gone_is_done_or_not_at_all() {
    let folder = Folder::new("gone").unwrap();
    let sidecar = plan(&folder).start().await;
    let transaction = "/v1.0/state/store/transaction";
    // The first one brings up what all others use.
    post(&sidecar, transaction, body(ROUNDS)).await.ok();
    let begun = Instant::now();
    post(&sidecar, transaction, body(ROUNDS)).await.ok();
    let usual = begun.elapsed();
    let mut whole = Vec::new();
    for round in 0..ROUNDS {
        let message = message(round);
        let mut client = Raw::connect(sidecar.http).await;
        if round % 2 == 0 {
            // Gone before it has said everything, each time a little later.
            let most = message.len() - 1;
            client
                .say(&message.as_bytes()[..most * (round + 1) / ROUNDS])
                .await
                .unwrap();
        } else {
            // Gone while it waits for the answer, each time a little later, up to twice the time that an answer takes.
            client.say(&message).await.unwrap();
            sleep(usual * 2 * u32::try_from(round).unwrap() / u32::try_from(ROUNDS).unwrap()).await;
            whole.push(round);
        }
        client.reset();
    }
    // What the writer had in hand is done when a later transaction is.
    post(&sidecar, transaction, body(ROUNDS)).await.ok();
    let mut done = 0;
    for round in 0..ROUNDS {
        let count = written(&sidecar, round).await;
        assert!(
            count == 0 || count == KEYS,
            "round {round}: {count} of {KEYS} keys"
        );
        assert!(
            count == 0 || whole.contains(&round),
            "round {round} was never said to its end"
        );
        done += usize::from(count == KEYS);
    }
    println!(
        "abandoned transactions: {done} of {} that were said to their end were done",
        whole.len()
    );
    assert!(
        done > 0,
        "not even the last ones, which left after the answer, were done"
    );
    assert_eq!(written(&sidecar, ROUNDS).await, KEYS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_survive_a_kill_whole_or_not_at_all() {
    let folder = Folder::new("killed").unwrap();
    let plan = plan(&folder).ports([lasting_port(), 0, 0, 0]);
    let mut sidecar = plan.start().await;
    let mut acknowledged = Vec::new();
    let mut begun = 0;
    for kill in 0..3 {
        let mut writers = JoinSet::new();
        for writer in 0..4 {
            let (place, port) = (sidecar.place.clone(), sidecar.http);
            writers.spawn(async move {
                let mut done = Vec::new();
                for round in (writer..).step_by(4).map(|number| 1000 * (kill + 1) + number) {
                    let asked = request(http::Method::POST, "/v1.0/state/store/transaction", body(round));
                    match crate::rig::http::try_call(&place, port, asked, PATIENCE).await {
                        Ok(answer) if answer.status == 204 => done.push(round),
                        _ => return (round, done),
                    }
                }
                (0, done)
            });
        }
        let seen = 1000 * (kill + 1) + 40;
        eventually(PATIENCE, || async { written(&sidecar, seen).await == KEYS }).await;
        sidecar.process.kill();
        for (last, done) in writers.join_all().await {
            begun = begun.max(last);
            acknowledged.extend(done);
        }
        sidecar = plan.start().await;
    }
    for round in 1000..=begun {
        let count = written(&sidecar, round).await;
        assert!(
            count == 0 || count == KEYS,
            "round {round}: {count} of {KEYS} keys"
        );
        assert!(
            count == KEYS || !acknowledged.contains(&round),
            "round {round} was acknowledged and is gone"
        );
    }
    assert!(acknowledged.len() >= 120, "{}", acknowledged.len());
    get(&sidecar, "/v1.0/healthz").await.ok();
}
