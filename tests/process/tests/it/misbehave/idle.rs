//! Many connections that say nothing, and heads that never end.

use std::{net::Ipv4Addr, time::Duration};

use futures_util::{StreamExt, stream};
use outrigger_testing_harness::{Folder, eventually};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{net::TcpSocket, time::Instant};

use crate::rig::{
    PATIENCE, Plan, Raw, get,
    memory::{resident, until_at_most},
};

/// Connections that are held open.
const CONNECTIONS: usize = 10_000;
/// Descriptors that their holder needs, and the sidecar: one each, and some for everything else.
const DESCRIPTORS: u64 = 12_000;
/// Connections that are made at a time: less than may wait to be accepted.
const AT_A_TIME: usize = 100;
/// Connections from one address of loopback, so that ports do not run out.
const FROM_ONE_ADDRESS: usize = 1_000;
/// Bytes of memory for an idle connection that has been used.
const IDLE_BYTES_MAX: u64 = 10 * 1024;
/// Heads that are never finished, at a time.
const LORISES: usize = 200;
/// The sidecar's time for a head, and time to notice.
const LORIS_DEADLINE: Duration = Duration::from_secs(20);

/// Lets this process have so many descriptors.
fn allow_descriptors() {
    let now = getrlimit(Resource::Nofile);
    let wanted = Some(DESCRIPTORS);
    if now.current.is_some_and(|current| current < DESCRIPTORS) {
        let maximum = now.maximum.map(|maximum| maximum.max(DESCRIPTORS));
        let limit = Rlimit {
            current: wanted,
            maximum,
        };
        setrlimit(Resource::Nofile, limit)
            .expect("needs 12,000 file descriptors: run the tests as root, or raise `ulimit -n`");
    }
}

/// A connection that has been used once and says nothing more.
async fn idle(number: usize, port: u16) -> Raw {
    let last = u8::try_from(2 + number / FROM_ONE_ADDRESS).unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into()).unwrap();
    let mut raw = Raw(socket.connect((Ipv4Addr::LOCALHOST, port).into()).await.unwrap());
    raw.say("GET /v1.0/healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let head = raw.head().await.unwrap();
    assert!(head.starts_with("HTTP/1.1 204"), "{head}");
    raw
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_idle_connections_cost_little() {
    allow_descriptors();
    let folder = Folder::new("idle").unwrap();
    let plan = Plan::new("app", folder.path()).prelude(&format!("ulimit -n {DESCRIPTORS}"));
    let sidecar = plan.start().await;
    // What the first connections bring once is not theirs.
    let warm: Vec<Raw> = stream::iter(0..AT_A_TIME)
        .map(|number| idle(number, sidecar.http))
        .buffer_unordered(AT_A_TIME)
        .collect()
        .await;
    drop(warm);
    let before = resident(&sidecar.process);
    let mut held: Vec<Raw> = stream::iter(0..CONNECTIONS)
        .map(|number| idle(number, sidecar.http))
        .buffer_unordered(AT_A_TIME)
        .collect()
        .await;
    // What their exchanges needed goes when they have been silent for some seconds.
    let enough = before + CONNECTIONS as u64 * IDLE_BYTES_MAX / 1024;
    until_at_most(&sidecar.process, enough, PATIENCE).await;
    let with = resident(&sidecar.process);
    let each = (with.saturating_sub(before)) * 1024 / CONNECTIONS as u64;
    println!("{CONNECTIONS} idle connections: {before} KiB before, {with} KiB with them, {each} bytes each");
    let asked = Instant::now();
    get(&sidecar, "/v1.0/metadata").await.ok();
    println!("a new connection was answered after {:?}", asked.elapsed());
    // The oldest and the newest are answered as well.
    for number in [0, CONNECTIONS - 1] {
        let raw = &mut held[number];
        raw.say("GET /v1.0/healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await
            .unwrap();
        assert!(raw.head().await.unwrap().starts_with("HTTP/1.1 204"));
    }
    drop(held);
    // Gone is gone: half of what they took comes back, whatever the allocator keeps.
    until_at_most(&sidecar.process, before + (with - before) / 2 + 1024, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_that_never_end_are_not_waited_for() {
    let folder = Folder::new("loris").unwrap();
    let sidecar = Plan::new("app", folder.path()).start().await;
    let ports = [sidecar.http, sidecar.internal];
    let mut lorises = Vec::new();
    for number in 0..LORISES {
        let mut raw = Raw::connect(ports[number % 2]).await;
        // A head that is not the first is waited for as long, and no longer.
        if number % 4 == 0 {
            raw.say("GET /v1.0/healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
                .await
                .unwrap();
            raw.head().await.unwrap();
        }
        raw.say("GET /v1.0/healthz HTTP/1.1\r\nhost: local")
            .await
            .unwrap();
        lorises.push(raw);
    }
    // Others are served meanwhile.
    get(&sidecar, "/v1.0/healthz").await.ok();
    let begun = Instant::now();
    let mut open = lorises;
    while !open.is_empty() {
        assert!(
            begun.elapsed() < LORIS_DEADLINE,
            "{} heads are still waited for",
            open.len()
        );
        let mut still = Vec::new();
        for mut raw in open {
            // A byte now and then keeps the sender in the game, where the game is the pause between two bytes.
            let is_open = raw.say("x").await.is_ok()
                && raw
                    .rest_within(Duration::from_millis(1))
                    .await
                    .1
                    .is_err_and(|error| error.kind() == std::io::ErrorKind::TimedOut);
            if is_open {
                still.push(raw);
            }
        }
        open = still;
        get(&sidecar, "/v1.0/healthz").await.ok();
    }
    println!("slow heads were given up after {:?}", begun.elapsed());
    eventually(PATIENCE, || async {
        get(&sidecar, "/v1.0/healthz").await.status == 204
    })
    .await;
}
