//! A disk that gets full under a running sidecar, and has room again.

use std::fs;

use outrigger_testing_harness::{Folder, SmallDisk};

use crate::rig::{Answer, Plan, Sidecar, component, get, post};

/// The disk's size in MiB.
const SIZE: u32 = 48;
/// Bytes of a file that is put in the way first, and removed when there is to be room.
const BALLAST: usize = 16 << 20;
/// How often its number stands in a value; some hundreds of them fill the disk.
const LENGTH: usize = 50_000;

#[tokio::test]
async fn a_disk_that_gets_full_fails_calls_and_heals() {
    let folder = Folder::new("full").unwrap();
    let disk = SmallDisk::new(SIZE).unwrap();
    let place = |name: &str| disk.path().join(name).display().to_string();
    let manifests = [
        component("db", "state.sqlite", &[("connectionString", &place("state.db"))]),
        component("bus", "pubsub.outrigger", &[("path", &place("broker"))]),
    ];
    let sidecar = Plan::new("app", folder.path())
        .resources(&folder, &manifests)
        .prelude(&format!("exec {} \"$0\" \"$@\"", disk.shell()))
        .start()
        .await;
    let ballast = disk.file_of(&sidecar.process, "ballast");
    fs::write(&ballast, vec![0; BALLAST]).unwrap();

    let (saved, refused) = fill(async |n| save(&sidecar, n).await).await;
    is_told(&refused, "ERR_STATE_SAVE");
    let (_, refused) = fill(async |_| publish(&sidecar).await).await;
    is_told(&refused, "ERR_PUBSUB_PUBLISH_MESSAGE");
    // Who only reads is not held up.
    get(&sidecar, "/v1.0/healthz").await.ok();
    all_is_there(&sidecar, saved).await;

    fs::remove_file(&ballast).unwrap();
    save(&sidecar, saved).await.ok();
    publish(&sidecar).await.ok();
    all_is_there(&sidecar, saved + 1).await;
}

/// Calls until the disk is full: how many calls went well, and what the next one was answered.
async fn fill(mut call: impl AsyncFnMut(usize) -> Answer) -> (usize, Answer) {
    for done in 0..1000 {
        let answer = call(done).await;
        if answer.status >= 300 {
            return (done, answer);
        }
    }
    panic!("the disk cannot hold this");
}

async fn save(sidecar: &Sidecar, n: usize) -> Answer {
    let body = format!("[{{\"key\":\"k{n}\",\"value\":{}}}]", value(n));
    post(sidecar, "/v1.0/state/db", body).await
}

async fn publish(sidecar: &Sidecar) -> Answer {
    post(sidecar, "/v1.0/publish/bus/orders", value(0)).await
}

fn value(n: usize) -> String {
    format!("\"{}\"", n.to_string().repeat(LENGTH))
}

fn is_told(answer: &Answer, code: &str) {
    let text = answer.text();
    assert_eq!(answer.code(), (500, code.to_owned()), "{text}");
    assert!(text.contains("disk is full"), "{text}");
}

async fn all_is_there(sidecar: &Sidecar, count: usize) {
    assert!(count > 10, "{count} values had room");
    for n in 0..count {
        let found = get(sidecar, &format!("/v1.0/state/db/k{n}")).await;
        assert!(
            found.text() == value(n),
            "k{n}: {} {} bytes",
            found.status,
            found.body.len()
        );
    }
}
