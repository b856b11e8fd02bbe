//! A process killed in the middle of its writes.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use crate::support::{open, set, text};

/// Tells this test binary that it is the process to be killed, and which file it writes.
const FILE: &str = "OUTRIGGER_SQLITE_CRASH_FILE";

/// Acknowledged keys after which the process is killed.
const ENOUGH: usize = 500;

#[test]
fn every_key_acknowledged_before_a_kill_is_there_afterwards() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    if let Some(path) = std::env::var_os(FILE) {
        runtime.block_on(write_until_killed(Path::new(&path)));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let path = folder.path().join(format!("{round}.db"));
        let acknowledged = run_and_kill(&path);
        runtime.block_on(async {
            let store = open(&path, &[]).await;
            for key in &acknowledged {
                assert_eq!(text(&store, key).await.as_deref(), Some(&**key));
            }
            store.set(set("after", "1")).await.unwrap();
            store.close().await;
        });
    }
}

/// Starts this binary again as a writer, kills it, and gives back every key that it had reported by then.
fn run_and_kill(path: &Path) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::every_key_acknowledged_before_a_kill_is_there_afterwards",
            "--nocapture",
        ])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut keys = lines.filter_map(|line| Some(line.ok()?.strip_prefix("stored ")?.to_owned()));
    let mut acknowledged: Vec<_> = keys.by_ref().take(ENOUGH).collect();
    child.kill().unwrap();
    // What it wrote to the pipe before it died.
    acknowledged.extend(keys);
    assert!(!child.wait().unwrap().success());
    assert!(
        acknowledged.len() >= ENOUGH,
        "the writer reported {} keys",
        acknowledged.len()
    );
    acknowledged
}

async fn write_until_killed(path: &Path) {
    let store = open(path, &[]).await;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..16 {
        let store = store.clone();
        tasks.spawn(async move {
            for round in 0.. {
                let key = format!("key-{task}-{round}");
                store.set(set(&key, &key)).await.unwrap();
                // One write call, so that a line is whole or not there.
                let line = format!("stored {key}\n");
                std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}
