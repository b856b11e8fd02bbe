//! The harness itself: what it starts is there, and is gone afterwards.

use std::{io::Write, path::Path, process::Command, time::Duration};

use outrigger_testing_harness::{
    Authority, Error, Folder, FreePort, NamespacePair, Process, RedisCluster, RedisSentinel, RedisServer,
    SmallDisk, eventually,
};
use tokio::net::TcpStream;

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn redis_keeps_what_it_acknowledged_when_it_is_killed() {
    let mut server = RedisServer::start().await.unwrap();
    assert_eq!(server.ask("SET k v").await.unwrap(), "+OK");
    let port = server.port();
    server.kill();
    assert!(server.ask("GET k").await.is_err(), "a killed server answers");
    server.start_again().await.unwrap();
    assert_eq!(server.port(), port);
    assert_eq!(server.ask("GET k").await.unwrap(), "v");
    server.stop().await.unwrap();
    assert!(server.ask("GET k").await.is_err(), "a stopped server answers");
}

#[tokio::test]
async fn redis_and_its_folder_are_gone_after_the_drop() {
    let server = RedisServer::start_with(&["--requirepass", "secret"])
        .await
        .unwrap();
    assert!(server.ask("GET k").await.unwrap().starts_with("-NOAUTH"));
    let (folder, address) = (server.folder().path().to_owned(), server.address());
    drop(server);
    assert!(!folder.exists());
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_wrong_argument_fails_with_the_servers_words() {
    let error = RedisServer::start_with(&["--no-such-option", "1"])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no-such-option"), "{error}");
}

#[test]
fn a_missing_program_fails_and_names_its_package() {
    let error = Process::spawn(&mut Command::new("no-such-program"), "the-package").unwrap_err();
    assert!(matches!(error, Error::Missing { .. }));
    assert_eq!(
        error.to_string(),
        "the program \"no-such-program\" is not installed: apt-get install the-package"
    );
}

#[tokio::test]
async fn output_is_captured_and_the_process_dies_with_its_guard() {
    let mut command = Command::new("sh");
    command.args(["-c", "echo out; echo err >&2; exec cat /dev/zero >/dev/null"]);
    let process = Process::spawn(&mut command, "dash").unwrap();
    process.wait_for_line("out", SOON).await.unwrap();
    assert_eq!(process.wait_for_line("er", SOON).await.unwrap(), "err");
    let error = process
        .wait_for_line("never", Duration::from_millis(20))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("did not print \"never\""), "{error}");
    let place = format!("/proc/{}", process.id());
    assert!(Path::new(&place).exists());
    drop(process);
    assert!(!Path::new(&place).exists(), "not reaped");
}

#[tokio::test]
async fn a_process_is_asked_to_end_and_tells_how_it_ended() {
    let mut process = Process::spawn(
        Command::new("sh").args(["-c", "trap 'exit 7' TERM; echo up; while :; do sleep 0.01; done"]),
        "dash",
    )
    .unwrap();
    process.wait_for_line("up", SOON).await.unwrap();
    assert_eq!(process.terminate(SOON).await.unwrap().code(), Some(7));
}

/// Runs itself once more as a process that starts another and is then killed.
#[tokio::test]
async fn a_process_does_not_outlive_a_killed_test() {
    const NAME: &str = "a_process_does_not_outlive_a_killed_test";
    const CHILD: &str = "OUTRIGGER_TEST_KILLED";
    let mut sleeper = Command::new("sh");
    sleeper.args(["-c", "echo sleeper $$; exec sleep 1000"]);
    if std::env::var_os(CHILD).is_some() {
        let process = Process::spawn(&mut sleeper, "dash").unwrap();
        let line = process.wait_for_line("sleeper", SOON).await.unwrap();
        writeln!(std::io::stderr(), "{line}").unwrap();
        return std::future::pending().await;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", NAME, "--nocapture"]).env(CHILD, "1");
    let mut killed = Process::spawn(&mut command, "this test").unwrap();
    let line = killed.wait_for_line("sleeper", SOON).await.unwrap();
    let id = line.rsplit(' ').next().unwrap();
    let command_line = format!("/proc/{id}/cmdline");
    eventually(SOON, || {
        let text = std::fs::read_to_string(&command_line).unwrap();
        std::future::ready(text.starts_with("sleep"))
    })
    .await;
    killed.kill();
    // A container's first process may leave it as a zombie, whose command line is empty.
    eventually(SOON, || {
        let left = std::fs::read_to_string(&command_line).unwrap_or_default();
        std::future::ready(if left.is_empty() { Ok(()) } else { Err(left) })
    })
    .await;
}

#[tokio::test]
async fn eventually_gives_what_it_found() {
    let mut looks = 0;
    let found = eventually(SOON, || {
        looks += 1;
        std::future::ready((looks == 3).then_some(looks))
    })
    .await;
    assert_eq!(found, 3);
}

#[tokio::test]
#[should_panic(expected = "last look: \"not yet\"")]
async fn eventually_fails_with_the_last_answer() {
    eventually(Duration::from_millis(20), || async { Err::<(), _>("not yet") }).await;
}

#[test]
fn a_held_port_is_nobody_elses_and_a_folder_is_removed() {
    let port = FreePort::hold().unwrap();
    let place = ("127.0.0.1", port.number());
    assert!(std::net::TcpListener::bind(place).is_err());
    port.release();
    let folder = Folder::new("test").unwrap();
    std::fs::write(folder.file("a"), "1").unwrap();
    let path = folder.path().to_owned();
    drop(folder);
    assert!(!path.exists());
}

#[tokio::test]
async fn two_namespaces_reach_each_other_and_nobody_else() {
    let pair = NamespacePair::new().unwrap();
    let mut listen = pair.left.command("redis-server");
    listen.args([
        "--port",
        "7000",
        "--bind",
        pair.left.address(),
        "--save",
        "",
        "--protected-mode",
        "no",
    ]);
    let server = Process::spawn(&mut listen, "iproute2").unwrap();
    server
        .wait_for_line("Ready to accept connections", SOON)
        .await
        .unwrap();
    let ping = ["1", "redis-cli", "-h", pair.left.address(), "-p", "7000", "ping"];
    assert_eq!(pair.right.run("timeout", &ping).unwrap().trim(), "PONG");
    pair.cut().unwrap();
    assert!(
        pair.right.run("timeout", &ping).is_err(),
        "reached through a cut cable"
    );
    pair.join().unwrap();
    eventually(SOON, || std::future::ready(pair.right.run("timeout", &ping))).await;
    let name = format!("{:?}", pair.right);
    drop(server);
    drop(pair);
    let left = Command::new("ip").args(["netns", "list"]).output().unwrap();
    let name = name
        .trim_start_matches("Namespace(")
        .split(',')
        .next()
        .unwrap()
        .to_owned();
    assert!(
        !String::from_utf8_lossy(&left.stdout).contains(&name),
        "namespace {name} is still there"
    );
}

#[tokio::test]
async fn a_cluster_agrees_and_a_sentinel_knows_its_master() {
    let cluster = RedisCluster::start(3).await.unwrap();
    let mut moved = 0;
    for node in cluster.nodes() {
        let answer = node.ask("SET k v").await.unwrap();
        assert!(answer == "+OK" || answer.starts_with("-MOVED"), "{answer}");
        moved += u32::from(answer != "+OK");
    }
    assert_eq!(moved, 2);
    let master = RedisServer::start().await.unwrap();
    let port = master.port().to_string();
    let _replica = RedisServer::start_with(&["--replicaof", "127.0.0.1", &port])
        .await
        .unwrap();
    let sentinel = RedisSentinel::start(&master, "main").await.unwrap();
    sentinel.wait_for_replica(Duration::from_secs(30)).await;
}

#[test]
fn an_authority_issues_what_verifies_against_it() {
    let authority = Authority::new().unwrap();
    let issued = authority.issue("server", "DNS:localhost,IP:127.0.0.1").unwrap();
    let output = Command::new("openssl")
        .args(["verify", "-verify_hostname", "localhost", "-CAfile"])
        .args([&authority.certificate(), &issued.certificate])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn a_small_disk_gets_full_and_only_its_program_sees_it() {
    let disk = SmallDisk::new(1).unwrap();
    let mut command = disk.command("sh");
    command
        .args(["-c", "cd \"$0\" && head -c 2M /dev/zero > file; wc -c file"])
        .arg(disk.path());
    let mut process = Process::spawn(&mut command, "util-linux").unwrap();
    process
        .wait_for_line("No space left on device", SOON)
        .await
        .unwrap();
    let line = process.wait_for_line(" file", SOON).await.unwrap();
    let written: u32 = line.trim_end_matches(" file").parse().unwrap();
    assert!((1..=1 << 20).contains(&written), "{written} bytes had room");
    assert!(process.wait(SOON).await.unwrap().success());
    assert_eq!(std::fs::read_dir(disk.path()).unwrap().count(), 0);
}
