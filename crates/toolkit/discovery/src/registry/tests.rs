//! What the registry promises within one process. Killed processes are in `tests/it/registry.rs`.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
};

use super::*;
use crate::Endpoint;

fn open(directory: &Path, sharing: Sharing) -> io::Result<Registry> {
    Registry::open(
        directory,
        RegistryOptions {
            sharing,
            ..RegistryOptions::default()
        },
    )
}

fn temporary() -> (tempfile::TempDir, Registry) {
    let scratch = tempfile::tempdir().unwrap();
    let registry = open(&scratch.path().join("registry"), Sharing::User).unwrap();
    (scratch, registry)
}

fn instance(id: &str, port: u16) -> Instance {
    Instance::new(Name::new(id), SocketAddr::from(([127, 0, 0, 1], port)))
}

async fn ports(registry: &Registry, name: &Name) -> Vec<u16> {
    match registry.resolve(name).await {
        Ok(endpoints) => endpoints.iter().map(|endpoint| endpoint.address.port()).collect(),
        Err(error) if error.is_not_found() => vec![],
        Err(error) => panic!("{error:?}"),
    }
}

/// Writes the entry of a process that does not exist, with `change` applied to it.
fn plant(registry: &Registry, change: impl FnOnce(&mut Record)) -> PathBuf {
    let mut record = Record::new(&instance("orders", 9), Process::current().unwrap(), None);
    change(&mut record);
    registry.view.directory().write(&record).unwrap()
}

#[tokio::test]
async fn instances_come_and_go_with_their_registrations() {
    let (_scratch, registry) = temporary();
    let other = open(registry.path(), Sharing::User).unwrap();
    let orders = Name::new("orders");
    assert_eq!(ports(&other, &orders).await, Vec::<u16>::new());

    let first = registry.register(&instance("orders", 2)).await.unwrap();
    let second = other.register(&instance("orders", 1)).await.unwrap();
    let _elsewhere = registry.register(&instance("stock", 3)).await.unwrap();
    let test = Instance {
        name: orders.clone().in_namespace("test"),
        ..instance("orders", 4)
    };
    let _namespaced = registry.register(&test).await.unwrap();
    for registry in [&registry, &other] {
        assert_eq!(ports(registry, &orders).await, [1, 2]);
        assert_eq!(ports(registry, &test.name).await, [4]);
    }
    first.close().await;
    drop(second);
    for registry in [&registry, &other] {
        assert_eq!(ports(registry, &orders).await, Vec::<u16>::new());
        assert_eq!(registry.list().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_known_answer_needs_no_waiting_and_notices_changes() {
    let (_scratch, registry) = temporary();
    let other = open(registry.path(), Sharing::User).unwrap();
    let _first = other.register(&instance("orders", 1)).await.unwrap();
    assert_eq!(ports(&registry, &Name::new("orders")).await, [1]);
    let cached = registry.cached(NameRef::new("orders")).unwrap();
    assert_eq!(cached[0].address.port(), 1);
    assert!(registry.cached(NameRef::new("stock")).is_none());

    let _second = other.register(&instance("orders", 2)).await.unwrap();
    let seen = async {
        loop {
            match registry.cached(NameRef::new("orders")) {
                Some(endpoints) if endpoints.len() == 2 => return,
                Some(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                None => drop(ports(&registry, &Name::new("orders")).await),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), seen)
        .await
        .expect("the change is seen");
}

#[tokio::test]
async fn many_changes_in_a_row_are_all_seen() {
    let (_scratch, registry) = temporary();
    let other = open(registry.path(), Sharing::User).unwrap();
    let orders = Name::new("orders");
    for _ in 0..50 {
        let standing = other.register(&instance("orders", 1)).await.unwrap();
        assert_eq!(ports(&registry, &orders).await, [1]);
        standing.close().await;
        registry.evict(orders.as_name_ref(), ([127, 0, 0, 1], 1).into());
        assert_eq!(ports(&registry, &orders).await, Vec::<u16>::new());
    }
}

#[tokio::test]
async fn metadata_and_start_are_kept() {
    let scratch = tempfile::tempdir().unwrap();
    let started = UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    let options = RegistryOptions {
        started: Some(started),
        ..RegistryOptions::default()
    };
    let registry = Registry::open(scratch.path().join("deep/er"), options).unwrap();
    let metadata = crate::Metadata::from_iter([("http_port", "3500")]);
    let address = "[::1]:50001".parse().unwrap();
    let announced = Instance::new(
        Name::new("orders"),
        Endpoint::new(address).with_metadata(metadata),
    );
    let _standing = registry.register(&announced).await.unwrap();

    let endpoints = registry.resolve(&Name::new("orders")).await.unwrap();
    assert_eq!(endpoints[0], announced.endpoint);
    let listed = registry.list().unwrap();
    assert_eq!(
        listed,
        [Registered {
            instance: announced,
            pid: std::process::id(),
            started: Some(started)
        }]
    );
}

#[tokio::test]
async fn a_later_process_with_the_same_id_is_another() {
    let (_scratch, registry) = temporary();
    let file = plant(&registry, |record| record.process_start += 1);
    assert_eq!(ports(&registry, &Name::new("orders")).await, Vec::<u16>::new());
    assert!(!file.exists(), "the entry of a process that has ended is removed");
}

#[tokio::test]
async fn entries_of_other_namespaces_are_left_alone() {
    let (_scratch, registry) = temporary();
    let other_net = plant(&registry, |record| record.net_namespace = Some("net:[1]".into()));
    let other_pid = plant(&registry, |record| {
        record.pid_namespace = Some("pid:[1]".into());
        record.process_start += 1;
    });
    assert_eq!(ports(&registry, &Name::new("orders")).await, Vec::<u16>::new());
    assert!(other_net.exists() && other_pid.exists());
}

#[tokio::test]
async fn what_is_no_entry_is_skipped() {
    let (_scratch, registry) = temporary();
    let pid = std::process::id();
    let start = Process::current().unwrap().start;
    let path = |name: String| registry.path().join(name);
    fs::write(path(format!("{pid}-{start}-70.json")), b"{").unwrap();
    fs::write(path(format!("{pid}-{start}-71.json")), vec![b' '; 1 << 20]).unwrap();
    fs::write(path("README".into()), b"hello").unwrap();
    fs::create_dir(path(format!("{pid}-{start}-72.json"))).unwrap();
    std::os::unix::fs::symlink("/dev/zero", path(format!("{pid}-{start}-73.json"))).unwrap();
    // A file that claims another process than its name does.
    let honest = plant(&registry, |_| {});
    fs::rename(&honest, path(format!("{pid}-{}-74.json", start + 1))).unwrap();
    let _standing = registry.register(&instance("orders", 1)).await.unwrap();
    assert_eq!(ports(&registry, &Name::new("orders")).await, [1]);
}

#[tokio::test]
async fn files_and_directory_are_open_to_those_who_share_them() {
    for (sharing, directory_mode, file_mode) in
        [(Sharing::User, 0o700, 0o600), (Sharing::Machine, 0o1777, 0o644)]
    {
        let scratch = tempfile::tempdir().unwrap();
        let registry = open(&scratch.path().join("registry"), sharing).unwrap();
        let _standing = registry.register(&instance("orders", 1)).await.unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
        assert_eq!(mode(registry.path()), directory_mode);
        let file = fs::read_dir(registry.path())
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        assert_eq!(mode(&file), file_mode);
        assert_eq!(ports(&registry, &Name::new("orders")).await, [1]);
    }
}

#[test]
fn a_directory_that_others_can_tamper_with_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("registry");
    fs::create_dir(&path).unwrap();
    let open_with_mode = |mode, sharing| {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        open(&path, sharing)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert!(open_with_mode(0o777, Sharing::User).unwrap_err().contains("0700"));
    assert!(
        open_with_mode(0o777, Sharing::Machine)
            .unwrap_err()
            .contains("1777")
    );
    open_with_mode(0o755, Sharing::User).unwrap();
    open_with_mode(0o1777, Sharing::Machine).unwrap();
    let file = scratch.path().join("file");
    fs::write(&file, b"").unwrap();
    assert!(
        open(&file, Sharing::User)
            .unwrap_err()
            .to_string()
            .contains("not a directory")
    );
}
