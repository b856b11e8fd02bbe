//! Multicast DNS between processes, in network namespaces of their own: one whose only interface is a loopback that
//! carries multicast, and one without any.
//!
//! A test starts this program again in a fresh namespace, where an ignored test goes on; that one starts further
//! processes beside it. Needs `unshare` and `ip`, and root or user namespaces.

use std::{
    collections::BTreeSet,
    env,
    net::SocketAddr,
    os::unix::fs::MetadataExt,
    process::Command,
    time::{Duration, Instant},
};

use outrigger_discovery::{
    Instance, Name, Register, Resolve,
    mdns::{IdForm, Mdns, MdnsOptions},
};

use crate::child::{self, Process};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn open() -> Mdns {
    Mdns::open(
        IdForm::new("local.", "box", std::process::id()),
        MdnsOptions::default(),
    )
}

/// Runs the ignored test `role` in a network namespace that `prepare`, a shell command, has set up.
fn in_namespace(prepare: &str, role: &str) {
    let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let script = format!("{prepare} && exec \"$0\" \"$@\"");
    let run = Command::new("unshare")
        .args(if is_root {
            &["--net"][..]
        } else {
            &["--net", "--map-root-user"]
        })
        .args(["sh", "-c", &script])
        .arg(env::current_exe().unwrap())
        .args(["--exact", role, "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr),
    );
    assert!(
        run.status.success() && out.contains("1 passed"),
        "{role} in a namespace failed:\n{out}\n{err}"
    );
}

/// Waits until `resolver` knows exactly `expected` for "orders".
async fn until_known(resolver: &Mdns, expected: &[&str]) {
    let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let known: BTreeSet<String> = match resolver.resolve(&Name::new("orders")).await {
            Ok(endpoints) => endpoints
                .iter()
                .map(|endpoint| endpoint.address.to_string())
                .collect(),
            Err(error) => {
                assert!(error.is_not_found(), "{error:?}");
                BTreeSet::new()
            }
        };
        if known == expected {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{known:?} is known instead of {expected:?}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn processes_of_one_machine_find_each_other_over_its_loopback() {
    let prepare = "ip link set lo up && ip link set lo multicast on && ip route add 224.0.0.0/4 dev lo";
    in_namespace(prepare, "mdns::neighbours");
}

#[test]
fn a_loopback_that_is_not_set_up_for_multicast_will_do() {
    in_namespace("ip link set lo up", "mdns::neighbours");
}

#[tokio::test]
#[ignore = "goes on in a network namespace that a test makes"]
async fn neighbours() {
    let start = |address| Process::start(&[], "mdns::announcing_child", &[("ADDRESS", address)]);
    let resolver = open();
    assert!(resolver.is_available());
    let begin = Instant::now();
    let nobody = resolver.resolve(&Name::new("orders")).await.unwrap_err();
    assert!(
        nobody.is_not_found() && begin.elapsed() >= Duration::from_secs(1),
        "{nobody:?}"
    );

    // Two processes with one id, as replicas on one machine are; then a third while the name is watched.
    let one = start("127.0.0.1:5001");
    let two = start("127.0.0.1:5002");
    until_known(&resolver, &["127.0.0.1:5001", "127.0.0.1:5002"]).await;
    let address: SocketAddr = "127.0.0.1:5003".parse().unwrap();
    let own = resolver
        .register(&Instance::new(Name::new("orders"), address))
        .await
        .unwrap();
    until_known(&resolver, &["127.0.0.1:5001", "127.0.0.1:5002", "127.0.0.1:5003"]).await;

    // A process that resolves for the first time gets an answer at once, and all of them soon.
    let late = open();
    let begin = Instant::now();
    late.resolve(&Name::new("orders")).await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    until_known(&late, &["127.0.0.1:5001", "127.0.0.1:5002", "127.0.0.1:5003"]).await;

    // One says goodbye, one is dropped, one is killed: nobody is left once the dial to the last has failed.
    one.finish();
    drop(own);
    until_known(&resolver, &["127.0.0.1:5002"]).await;
    two.kill();
    resolver.evict(
        Name::new("orders").as_name_ref(),
        "127.0.0.1:5002".parse().unwrap(),
    );
    until_known(&resolver, &[]).await;
}

/// The part of another process.
#[tokio::test]
#[ignore = "played by a process that a test starts"]
async fn announcing_child() {
    let address: SocketAddr = child::variable("ADDRESS").parse().unwrap();
    let standing = open()
        .register(&Instance::new(Name::new("orders"), address))
        .await
        .unwrap();
    child::ready();
    child::until_told().await;
    standing.close().await;
}

#[test]
fn without_a_network_nothing_is_found_at_once() {
    in_namespace("true", "mdns::alone");
}

#[tokio::test]
#[ignore = "goes on in a network namespace that a test makes"]
async fn alone() {
    let mdns = open();
    assert!(!mdns.is_available());
    let address: SocketAddr = "127.0.0.1:5001".parse().unwrap();
    let standing = mdns
        .register(&Instance::new(Name::new("orders"), address))
        .await
        .unwrap();
    let begin = Instant::now();
    assert!(
        mdns.resolve(&Name::new("orders"))
            .await
            .unwrap_err()
            .is_not_found()
    );
    assert!(
        begin.elapsed() < Duration::from_millis(900),
        "it does not wait for answers: {:?}",
        begin.elapsed()
    );
    standing.close().await;
}
