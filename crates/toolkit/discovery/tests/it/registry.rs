//! The registry between processes, one of which is killed.

use std::{fs, path::Path, time::Duration};

use outrigger_discovery::{
    Instance, Name, Register, Resolve,
    registry::{Registry, RegistryOptions},
};

use crate::child::{self, Process};

const ROLE: &str = "registry::announcing_child";

/// The part of the other process.
#[tokio::test]
#[ignore = "played by a process that a test starts"]
async fn announcing_child() {
    let registry = Registry::open(child::variable("REGISTRY"), RegistryOptions::default()).unwrap();
    let address: std::net::SocketAddr = child::variable("ADDRESS").parse().unwrap();
    let standing = registry
        .register(&Instance::new(Name::new("orders"), address))
        .await
        .unwrap();
    child::ready();
    child::until_told().await;
    standing.close().await;
}

fn start(directory: &Path, address: &str) -> Process {
    Process::start(
        &[],
        ROLE,
        &[("REGISTRY", directory.to_str().unwrap()), ("ADDRESS", address)],
    )
}

async fn addresses(registry: &Registry) -> Vec<String> {
    match registry.resolve(&Name::new("orders")).await {
        Ok(endpoints) => endpoints
            .iter()
            .map(|endpoint| endpoint.address.to_string())
            .collect(),
        Err(error) if error.is_not_found() => vec![],
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn a_killed_process_is_no_longer_listed_and_its_entry_is_removed() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().join("registry");
    let registry = Registry::open(&directory, RegistryOptions::default()).unwrap();
    let victim = start(&directory, "127.0.0.1:7001");
    let survivor = start(&directory, "127.0.0.1:7002");
    assert_eq!(addresses(&registry).await, ["127.0.0.1:7001", "127.0.0.1:7002"]);
    let mut pids: Vec<u32> = registry.list().unwrap().iter().map(|entry| entry.pid).collect();
    pids.sort_unstable();
    let mut expected = [victim.id(), survivor.id()];
    expected.sort_unstable();
    assert_eq!(pids, expected);

    victim.kill();
    let noticed = async {
        while addresses(&registry).await != ["127.0.0.1:7002"] {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), noticed)
        .await
        .expect("the death is noticed");
    assert_eq!(
        fs::read_dir(&directory).unwrap().count(),
        1,
        "its entry is removed"
    );

    survivor.finish();
    let gone = async {
        while !addresses(&registry).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone)
        .await
        .expect("the withdrawal is noticed");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
}

#[tokio::test]
async fn a_failed_dial_makes_the_registry_look_at_once() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().join("registry");
    let registry = Registry::open(&directory, RegistryOptions::default()).unwrap();
    let victim = start(&directory, "127.0.0.1:7001");
    assert_eq!(addresses(&registry).await, ["127.0.0.1:7001"]);
    victim.kill();
    registry.evict(
        Name::new("orders").as_name_ref(),
        "127.0.0.1:7001".parse().unwrap(),
    );
    assert_eq!(addresses(&registry).await, Vec::<String>::new());
}
